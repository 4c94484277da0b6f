#!/usr/bin/env python3
"""What a key's owner may ask for over ssh, what is refused, what the commands print and what the audit keeps."""
import datetime
import os
import pty
import re
import subprocess

import cases
import nix

SERVED = "nix-daemon --stdio, nix-store --serve --write, info, machines and doctor"
# Commands that look like something served, and are not (S1 to S3, S8).
REFUSED = (
    "nix-daemon --stdio; id",
    "nix-daemon --stdio && id",
    "nix-daemon --stdio | cat",
    "nix-daemon --stdio\nid",
    "nix-daemon  --stdio",
    " nix-daemon --stdio",
    "nix-daemon --stdio ",
    "nix-daemon --stdio --force-trusted",
    "nix-daemon --stdio --option sandbox false",
    "nix-daemon --stdio --process-ops",
    "nix-daemon $(id)",
    "$(id)",
    "`id`",
    "nix-daemon '--stdio",
    "nix-store --serve --write > /tmp/x",
    "nix-store -r /nix/store/x",
    "nix-env -p /nix/var/nix/profiles/system --set /nix/store/x",
    "nix-daemon",
    "nix daemon",
    "info now",
    "id",
    "bash",
    "sh -c info",
    "scp -t .",
    "/usr/lib/openssh/sftp-server",
    "internal-sftp",
    "nix-daemon --stdio " + "x" * 600,
    "nix-daemon \x1b[31m--stdio",
    "nix-daemon \xe4--stdio",
)


def ready(lab, **how):
    lab.daemon.start(trusted=f"root {lab.account.name}")
    lab.policy()
    key = lab.key("alice")
    lab.sshd(force_command=lab.serve(), **how)
    return key


def test_no_command_is_info(lab):
    key = ready(lab)
    for result in (lab.ssh(key), lab.ssh(key, "info"), lab.ssh(key, "/opt/x/info")):
        assert result.status == 0, str(result)
        lines = dict(line.split(None, 1) for line in result.stdout.splitlines())
        assert {"nix-gateway", "key", "fingerprint", "protocols", "systems", "features", "daemon", "nix",
                "machines"} <= set(lines), str(result)
        assert lines["protocols"] == "ssh-ng ssh" and lines["systems"] == "*", str(result)
        assert re.match(r"\d+\.\d+.* \(/.*\)$", lines["nix"]), str(result)


def test_the_machines_line_of_info_works_in_a_machines_file(lab):
    key = ready(lab)
    result = lab.ssh(key)
    line = next(line.split(None, 1)[1] for line in result.stdout.splitlines() if line.startswith("machines"))
    address = f"ssh-ng://{lab.account.name}@127.0.0.1 "
    assert line.startswith(address), str(result)
    built = lab.build(key, builders=line.replace(address, f"ssh-ng://{key.name}.lab "))
    assert lab.built(built) == "built"


def test_info_says_that_the_daemon_does_not_answer(lab):
    key = ready(lab)
    lab.daemon.stop()
    result = lab.ssh(key)
    assert result.status == 1 and f"the Nix daemon does not answer ({lab.daemon.socket}: " in result.stdout, str(result)
    assert "machines" in result.stdout, str(result)


def test_info_says_that_there_is_no_nix(lab):
    key = ready(lab)
    lab.policy(nix=lab.empty)
    result = lab.ssh(key)
    assert result.status == 1 and lab.empty in result.stdout, str(result)


def test_everything_else_is_refused_in_one_sentence(lab):
    key = ready(lab)
    for command in REFUSED:
        result = lab.ssh(key, command)
        said = [line for line in result.stderr.splitlines() if line]
        assert result.status == 1 and result.stdout == "", str(result)
        assert len(said) == 1 and said[0].startswith("nix-gateway: ") and SERVED in said[0], str(result)
        assert said[0].isascii() and said[0].isprintable(), str(result)


def test_another_store_is_refused(lab):
    key = ready(lab)
    for command in ("nix-daemon --stdio --store local", "nix-daemon --stdio --store 'local?root=/tmp/x'",
                    "nix-store --serve --write --store local?root=/tmp/x"):
        result = lab.ssh(key, command)
        assert result.status == 1 and "store" in result.stderr and "local" in result.stderr, str(result)


def test_the_sftp_subsystem_is_refused(lab):
    key = ready(lab, settings=["Subsystem sftp internal-sftp"])
    result = lab.ssh(key, "sftp", options=["-s"])
    assert result.status == 1 and result.stdout == "", str(result)
    # sshd drops what a subsystem says on stderr: the sentence is for the administrator alone.
    assert "sftp" in lab.records()[0]["reason"], lab.records()


def need_terminals(lab):
    cases.need(lab.account.private, "needs root: the sshd of an ordinary user has no terminals to give")


def test_info_is_given_on_a_terminal_too(lab):
    need_terminals(lab)
    key = ready(lab)
    result = lab.ssh(key, options=["-tt"])
    assert result.status == 0 and "machines" in result.stdout, str(result)


def test_a_terminal_is_refused_for_the_protocols(lab):
    need_terminals(lab)
    key = ready(lab)
    for command in ("nix-daemon --stdio", "nix-store --serve --write"):
        result = lab.ssh(key, command, options=["-tt"])
        assert result.status == 1 and "a terminal would garble" in result.text, str(result)


def test_a_terminal_as_input_alone_is_refused_too(lab):
    lab.daemon.start()
    lab.policy()
    ours, theirs = pty.openpty()
    try:
        child = subprocess.run([lab.gateway, "serve", "--policy", lab.policy_path], stdin=theirs, capture_output=True,
                               env={"SSH_ORIGINAL_COMMAND": "nix-daemon --stdio"}, timeout=20, check=False)
    finally:
        os.close(ours)
        os.close(theirs)
    assert child.returncode == 1 and child.stdout == b"" and b"a terminal would garble" in child.stderr, str(child)


def test_a_client_may_name_its_own_folder_for_the_program(lab):
    key = ready(lab)
    for program in ("/opt/no/such/folder/nix-daemon", "/run/current-system/sw/bin/nix-daemon"):
        store = f"ssh-ng://{key.name}.lab?remote-program={program}"
        result = lab.client.run(["nix", "store", "ping", "--store", store])
        assert result.status == 0, str(result)


def test_no_exit_status_is_sshs_own(lab):
    wrong = (["serve", "--nonsense"], ["check", "--policy"], ["nonsense"], ["authorized-keys", "one"], [],
             ["serve", "--policy", "relative.ini"])
    for words in wrong:
        result = lab.client.run([lab.gateway, *words], limit=20)
        assert result.status == 2 and result.stderr != "", str(result)
    for words in (["--help"], ["--version"]):
        result = lab.client.run([lab.gateway, *words], limit=20)
        assert result.status == 0 and result.stdout.startswith("nix-gateway"), str(result)


def test_help_fits_one_screen(lab):
    lines = lab.client.run([lab.gateway, "--help"], limit=20).stdout.splitlines()
    assert len(lines) <= 24 and max(len(line) for line in lines) <= 80, lines


def test_a_policy_that_is_not_there_is_named_by_its_first_line(lab):
    path = f"{lab.empty}/none.ini"
    for words in (["check"], ["env"], ["explain", "--key", "x", "--system", "y"]):
        result = lab.client.run([lab.gateway, *words, "--policy", path], limit=20)
        assert result.status != 0 and f"{path}:1: cannot be opened" in result.text, str(result)


def test_check_warns_root_of_a_policy_that_the_account_cannot_read(lab):
    cases.need_account(lab)
    folder = lab.make("closed")
    path = lab.file(os.path.join(folder, "policy.ini"), "[key *]\nsystems = *\n")
    for mode, folder_mode, warned in ((0o644, 0o755, None), (0o600, 0o755, f"chmod a+r '{path}'"),
                                      (0o640, 0o755, f"chmod a+r '{path}'"), (0o644, 0o700, f"chmod a+x '{folder}'")):
        os.chmod(path, mode)
        os.chmod(folder, folder_mode)
        result = lab.client.run([lab.gateway, "check", "--policy", path], limit=20)
        assert result.status == 0 and result.stdout == "", str(result)
        assert (warned in result.stderr) if warned else result.stderr == "", str(result)
    os.chmod(path, 0o640)
    os.chmod(folder, 0o755)
    os.chown(path, 0, lab.account.gid)
    result = lab.client.run([lab.gateway, "check", "--policy", path], limit=20)
    assert result.status == 0 and result.text == "", str(result)


def test_env_prints_the_environment_it_would_give_and_none_of_its_own(lab):
    lab.daemon.start()
    lab.policy("[environment]\nhttp_proxy = http://proxy.example.org:3128\n[key *]\n")
    result = lab.client.run([lab.gateway, "env", "--policy", lab.policy_path],
                            env={"NIX_PATH": "elsewhere", "HOME": "/elsewhere", "SECRET": "elsewhere"})
    assert result.status == 0 and "elsewhere" not in result.stdout, str(result)
    given = dict(line.split("=", 1) for line in result.stdout.splitlines())
    assert given["http_proxy"] == "http://proxy.example.org:3128", str(result)
    assert given["NIX_DAEMON_SOCKET_PATH"] == lab.daemon.socket and given["NIX_REMOTE"] == "daemon", str(result)
    assert given["LANG"] == "C.UTF-8" and given["PATH"].split(":")[0] == nix.programs_folder(), str(result)
    assert set(given) - {"NIX_SSL_CERT_FILE"} == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "NIX_REMOTE",
                                                  "NIX_DAEMON_SOCKET_PATH", "NIX_STORE_DIR", "http_proxy"}, str(result)


def is_complete(record, lab):
    """What every record has, whatever the event."""
    when = datetime.datetime.strptime(record["time"][:19], "%Y-%m-%dT%H:%M:%S")
    age = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - when
    assert record["time"].endswith("Z") and abs(age.total_seconds()) < 300, record
    assert re.fullmatch(r"[0-9a-f]{32}", record["session"]), record
    assert record["peer"] == "127.0.0.1", record


def test_a_session_is_recorded(lab):
    alice = lab.key("alice")
    lab.daemon.start(trusted=f"root {lab.account.name}")
    lab.policy(f"[key alice]\nfingerprint = {alice.fingerprint}\n")
    lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
    assert lab.ping(alice).status == 0
    records = lab.records()
    assert [record["event"] for record in records] == ["session-start"], records
    is_complete(records[0], lab)
    assert (records[0]["key"], records[0]["fingerprint"]) == ("alice", alice.fingerprint), records
    assert records[0]["protocol"] == "ssh-ng", records


def test_two_sessions_have_two_numbers(lab):
    key = ready(lab)
    assert lab.ping(key).status == 0 and lab.ping(key, scheme="ssh").status == 0
    first, second = [record for record in lab.records() if record["event"] == "session-start"]
    assert first["session"] != second["session"], (first, second)
    assert (first["protocol"], second["protocol"]) == ("ssh-ng", "ssh"), (first, second)


def test_a_refusal_is_recorded_with_its_rule(lab):
    bob = lab.key("bob")
    lab.daemon.start()
    lab.policy(f"[key bob]\nexpires = 2020-01-01\nfingerprint = {bob.fingerprint}\n")
    lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
    assert lab.ping(bob).status != 0
    denied, end = lab.records()
    assert (denied["event"], end["event"], end["outcome"]) == ("denied", "session-end", "refused"), (denied, end)
    for record in (denied, end):
        is_complete(record, lab)
        assert record["fingerprint"] == bob.fingerprint, record
    assert denied["session"] == end["session"] and isinstance(end["seconds"], int), (denied, end)
    assert "expired on 2020-01-01" in denied["reason"] and denied["operation"] == "session", denied
    with open(lab.policy_path, encoding="utf-8") as file:
        line = 1 + file.read().splitlines().index("expires = 2020-01-01")
    assert denied["rule"] == f"{lab.policy_path}:{line}", denied


def test_a_refused_command_is_recorded_escaped(lab):
    key = ready(lab)
    lab.ssh(key, "nix-daemon \x1b[2J\n\"}")
    with open(lab.audit, "rb") as file:
        octets = file.read()
    assert octets.count(b"\n") == 2 and b"\x1b" not in octets, octets
    assert lab.records()[0]["event"] == "denied", octets


def test_the_audit_file_of_a_new_place_is_for_its_owner_alone(lab):
    key = lab.key("alice")
    lab.daemon.start()
    folder = lab.make_writable("new-audit")
    path = os.path.join(folder, "audit.jsonl")
    lab.policy(audit=path)
    lab.sshd(force_command=lab.serve())
    assert lab.ping(key).status == 0
    state = os.stat(path)
    assert state.st_mode & 0o077 == 0 and state.st_uid == lab.account.uid, oct(state.st_mode)


if __name__ == "__main__":
    cases.main(globals())
