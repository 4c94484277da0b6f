#!/usr/bin/env python3
"""`doctor` finds a builder well that was set up as the README says, and finds each thing that is wrong with one that was
not: it asks the real sshd, runs the real login shell and talks to the real daemon."""
import contextlib
import json
import os
import re
import sys

import cases
import nix
import place

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NIX_CONF = "sandbox = true\nsandbox-fallback = false\n"
# The Nix of this machine may be an old one, and that is said.
AS_MAY_BE = {"release"}


class Builder:
    """A builder after the README's own steps. The parts that a test breaks are attributes, written by settle()."""

    def __init__(self, lab):
        cases.need_account(lab)
        cases.need_etc(lab)
        self.lab = lab
        self.key = lab.key("alice")
        self.nix_conf = NIX_CONF
        self.policy = f"[key alice]\nfingerprint = {self.key.fingerprint}\n"
        self.gateway = {"account": "untrusted"}
        self.keys = f"restrict {self.key.line}\n"
        self.keys_mode = 0o644
        self.force = f"ForceCommand {lab.serve()}"
        self.match = self.sample()
        self.head = ""
        self.shell = lab.gateway
        self.trusted = "root"
        self.policy_path = lab.policy_path
        self.before = []

    def sample(self):
        """The lines of the sample for sshd, but for the two that name files of this lab."""
        with open(os.path.join(ROOT, "packaging/sshd/nix-gateway.conf"), encoding="utf-8") as file:
            lines = [line.strip() for line in file.read().splitlines() if line.startswith("\t") and "#" not in line]
        return [line for line in lines if not line.startswith(("AuthorizedKeysFile", "ForceCommand"))]

    def without(self, *names):
        self.match = [line for line in self.match if not line.startswith(names)]

    def settle(self):
        lab = self.lab
        os.makedirs("/etc/nix", exist_ok=True)
        lab.file("/etc/nix/nix.conf", self.nix_conf)
        keys_path = lab.file("authorized_keys", self.keys, self.keys_mode)
        body = [f"AuthorizedKeysFile {keys_path}", self.force, *self.match]
        if any(line.startswith("AuthorizedKeysFile") for line in self.match):
            body = body[1:]
        lab.file("/etc/ssh/sshd_config", f"HostKey {lab.server.host_key.path}\n{self.head}\nUsePAM no\n"
                                         f"Match User {lab.account.name}\n" + "".join(f"\t{line}\n" for line in body))
        lab.account.shell(self.shell)
        lab.daemon.start(trusted=self.trusted)
        lab.policy(self.policy, relay="filter", **self.gateway)
        return self

    def doctor(self, *words):
        return self.lab.client.run([*self.before, self.lab.gateway, "doctor", "--account", self.lab.account.name, "--policy",
                                    self.policy_path, *words], limit=60)

    def findings(self):
        """Every check by name; and that the exit status says what they say."""
        result = self.doctor("--json")
        found = {check["check"]: check for check in map(json.loads, result.stdout.splitlines())}
        failed = any(check["result"] == "FAIL" for check in found.values())
        assert result.status == (1 if failed else 0) and len(found) > 15, str(result)
        return found


@contextlib.contextmanager
def bare_home(lab):
    """The account's home as the README makes it: root's."""
    os.chown(lab.account.home, 0, 0)
    try:
        yield
    finally:
        os.chown(lab.account.home, lab.account.uid, lab.account.gid)
        os.chmod(lab.account.home, 0o755)


def expect(builder, check, grade, words, mend, also=()):
    """The one check says so, and how to mend it; every other one is content."""
    with bare_home(builder.lab):
        found = builder.settle().findings()
    assert found[check]["result"] == grade and words in found[check]["text"], found[check]
    assert mend in found[check].get("mend", ""), found[check]
    rest = {name for name, one in found.items() if one["result"] != "ok"} - AS_MAY_BE - {check} - set(also)
    assert not rest, [found[name] for name in rest]


def test_a_builder_as_the_readme_makes_it_is_well(lab):
    builder = Builder(lab)
    with bare_home(lab):
        found = builder.settle().findings()
        spoken = builder.doctor()
    assert {name for name, one in found.items() if one["result"] != "ok"} <= AS_MAY_BE, found
    lines = spoken.stdout.splitlines()
    assert spoken.status == 0 and len(lines) == len(found), str(spoken)
    assert all(re.match(r"(ok    |warn  )[a-z-]+: .", line) for line in lines), str(spoken)
    assert "untrusted" in found["account"]["text"] and nix.programs_folder() in found["nix"]["text"], found


def test_it_writes_no_record(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle().findings()
    assert lab.records() == []


def test_the_account_may_ask_too_and_hears_that_root_sees_more(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle()
        words = [lab.gateway, "doctor", "--policy", lab.policy_path]
        result = lab.client.run(["setpriv", f"--reuid={lab.account.uid}", f"--regid={lab.account.gid}", "--clear-groups",
                                 *words], limit=60)
    assert result.status == 0 and "warn  sshd: this is what the account builder sees" in result.stdout and "sshd-" not in result.stdout, str(result)


def test_without_a_name_the_account_with_the_gateway_as_shell_is_meant(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle()
        words = [lab.gateway, "doctor", "--policy", lab.policy_path]
        assert f"for {lab.account.name}" in lab.client.run(words, limit=60).stdout
        lab.account.shell("/bin/bash")
        result = lab.client.run(words, limit=60)
    assert result.status == 2 and "--account" in result.stderr and result.stdout == "", str(result)


def test_root_is_no_builders_account(lab):
    result = lab.client.run([lab.gateway, "doctor", "--account", "root"], limit=60)
    assert result.status == 2 and "superuser" in result.stderr, str(result)


# --- what can be wrong: the check that sees it, how badly, its words and its cure ---

def test_a_policy_that_does_not_load(lab):
    builder = Builder(lab)
    builder.policy = "[key alice]\nnonsense = 1\n"
    with bare_home(lab):
        result = builder.settle().doctor()
    assert result.status == 1 and f"FAIL  policy: it does not load for the account: {lab.policy_path}:" in result.stdout, \
        str(result)
    assert f"mend: nix-gateway check --policy {lab.policy_path}" in result.stdout, str(result)


def test_a_policy_that_the_account_cannot_read(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle()
        os.chmod(lab.policy_path, 0o600)
        result = builder.doctor()
    assert result.status == 1 and "cannot be opened: Permission denied" in result.stdout, str(result)


def test_a_policy_that_others_may_write(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle()
        os.chmod(lab.policy_path, 0o666)
        result = builder.doctor()
    assert result.status == 1 and "can be written by everybody" in result.stdout, str(result)


def test_a_policy_with_something_that_may_not_be_meant(lab):
    builder = Builder(lab)
    builder.policy += "expires = 2020-01-01\n"
    expect(builder, "policy", "warn", "[key alice] has expired", "nix-gateway check")


def test_no_nix(lab):
    builder = Builder(lab)
    builder.gateway["nix"] = lab.empty
    expect(builder, "nix", "FAIL", lab.empty, "nix = FOLDER")


def test_a_nix_that_does_not_run(lab):
    builder = Builder(lab)
    for name in ("nix-daemon", "nix-store"):
        os.makedirs(os.path.join(lab.folder, "broken"), exist_ok=True)
        lab.file(f"broken/{name}", "#!/bin/sh\nexit 1\n", 0o755)
    builder.gateway["nix"] = os.path.join(lab.folder, "broken")
    expect(builder, "nix", "FAIL", "nix-daemon --version' fails", "run it by hand")


def test_no_daemon(lab):
    builder = Builder(lab)
    builder.gateway["daemon"] = os.path.join(lab.folder, "nothing")
    expect(builder, "daemon", "FAIL", "the Nix daemon does not answer", "systemctl start", also=["account"])


def test_a_daemon_that_does_not_let_the_account_in(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle()
        lab.daemon.start(settings="allowed-users = root\n")
        found = builder.findings()
    assert found["daemon"]["result"] == "FAIL" and "allowed-users" in found["daemon"]["mend"], found["daemon"]


def test_a_trusted_account_that_the_policy_wants_untrusted(lab):
    builder = Builder(lab)
    builder.trusted = f"root {lab.account.name}"
    expect(builder, "account", "FAIL", "no session starts", "out of trusted-users")


def test_a_trusted_account_that_nobody_needs(lab):
    builder = Builder(lab)
    builder.trusted = f"root {lab.account.name}"
    builder.gateway = {}
    expect(builder, "account", "warn", "no key of the policy needs it", "account = untrusted")


def test_a_trusted_account_and_a_key_that_nothing_judges(lab):
    builder = Builder(lab)
    builder.trusted = f"root {lab.account.name}"
    builder.gateway = {}
    builder.policy += "relay = exec\n"
    expect(builder, "account", "FAIL", "can do what root can", "relay = filter", also=["policy"])


def test_an_untrusted_account_that_the_policy_wants_trusted(lab):
    builder = Builder(lab)
    builder.gateway = {"account": "trusted"}
    expect(builder, "account", "FAIL", "no session starts", "into trusted-users")


def test_a_key_of_full_trust_that_comes_to_nothing(lab):
    builder = Builder(lab)
    builder.gateway = {}
    builder.policy += "trust = full\n"
    expect(builder, "account", "warn", "[key alice]", "into trusted-users", also=["policy"])


def test_a_system_that_this_builder_does_not_build_for(lab):
    builder = Builder(lab)
    builder.policy += "systems = riscv64-linux\n"
    expect(builder, "systems", "warn", "riscv64-linux", "extra-platforms")


def test_a_system_that_nix_conf_adds_is_one_it_builds_for(lab):
    builder = Builder(lab)
    builder.policy += "systems = riscv64-linux\n"
    builder.nix_conf += "extra-platforms = riscv64-linux\n"
    with bare_home(lab):
        found = builder.settle().findings()
    assert found["systems"]["result"] == "ok" and "riscv64-linux" in found["systems"]["text"], found["systems"]


def test_a_feature_that_this_builder_does_not_offer(lab):
    builder = Builder(lab)
    builder.policy += "features = big-parallel gpu\n"
    expect(builder, "features", "warn", "the feature gpu", "system-features")


CONF = (
    ("sandbox", "FAIL", "sandbox = false\nsandbox-fallback = false\n", "nothing around them", "sandbox = true"),
    ("sandbox", "warn", "sandbox = relaxed\nsandbox-fallback = false\n", "relaxed", "sandbox = true"),
    ("sandbox-fallback", "warn", "", "Nix's default", "sandbox-fallback = false"),
    ("signatures", "FAIL", NIX_CONF + "require-sigs = false\n", "any signature", "take require-sigs out"),
    ("build-users", "FAIL", NIX_CONF + "build-users-group =\n", "the daemon itself", "nixbld"),
    ("build-users", "FAIL", NIX_CONF + "allow-new-privileges = true\n", "setuid", "allow-new-privileges"),
    ("substituters", "warn", NIX_CONF + "substituters =\n", "there are none", "substituters = "),
    ("substituters", "warn", NIX_CONF + "extra-substituters = http://c.example.org?trusted=1\n", "believed", "trusted=1"),
    ("post-build-hook", "warn", NIX_CONF + "post-build-hook = /root/sign\n", "/root/sign", "signs or publishes"),
    ("nix-conf", "FAIL", NIX_CONF + "include nowhere.conf\n", "/etc/nix/nix.conf:3", "mend the line"),
    ("nix-conf", "FAIL", NIX_CONF + "max-jobs = many\n", "max-jobs wants a number", "mend the line"),
)


def test_what_nix_conf_may_say(lab):
    for check, grade, text, words, mend in CONF:
        builder = Builder(lab)
        builder.nix_conf = text
        expect(builder, check, grade, words, mend, also=["nix", "sandbox-fallback"] if check == "nix-conf" else ())


def test_a_file_of_nix_conf_that_the_account_cannot_read(lab):
    builder = Builder(lab)
    builder.nix_conf = NIX_CONF + "!include secret.conf\n"
    os.makedirs("/etc/nix", exist_ok=True)
    lab.file("/etc/nix/secret.conf", "access-tokens = x\n", 0o600)
    expect(builder, "nix-conf", "warn", "cannot be read by the account", "a file that all may read")


def test_a_home_of_the_accounts_own(lab):
    found = Builder(lab).settle().findings()
    assert found["home"]["result"] == "FAIL" and f"chown root '{lab.account.home}'" in found["home"]["mend"], found["home"]


def test_a_home_that_the_account_could_make_writable(lab):
    builder = Builder(lab).settle()
    os.chmod(lab.account.home, 0o555)
    try:
        found = builder.findings()["home"]
    finally:
        os.chmod(lab.account.home, 0o755)
    assert found["result"] == "FAIL" and "belongs to the account" in found["text"], found


def test_a_file_of_the_accounts_own_in_roots_home(lab):
    builder = Builder(lab)
    path = lab.file("home/.bashrc", "")
    os.chown(path, lab.account.uid, lab.account.gid)
    expect(builder, "home", "FAIL", path, "chown root")


def test_a_folder_in_roots_home_in_which_the_account_could_leave_something(lab):
    for name in ("home/.config", "home/.ssh"):
        builder = Builder(lab)
        path = lab.make_writable(name)
        expect(builder, "home", "FAIL", path, "chown root")
        os.rmdir(path)


def test_a_link_in_roots_home_to_what_the_account_could_change(lab):
    builder = Builder(lab)
    path = lab.make_writable("elsewhere")
    link = os.path.join(lab.account.home, ".ssh")
    os.symlink(path, link)
    try:
        expect(builder, "home", "FAIL", path, "chown root")
    finally:
        os.unlink(link)


def test_a_shell_that_prints(lab):
    builder = Builder(lab)
    builder.shell = "/bin/bash"
    lab.file("home/.bashrc", "echo welcome to this builder\n")
    expect(builder, "shell", "FAIL", "'welcome to this builder'", f"usermod --shell {lab.gateway} {lab.account.name}")


def test_a_shell_that_prints_where_it_does_little_harm(lab):
    builder = Builder(lab)
    builder.shell = "/bin/bash"
    lab.file("home/.bashrc", "echo welcome >&2\n")
    expect(builder, "shell", "warn", "'welcome'", "usermod --shell")


def test_a_shell_that_is_silent(lab):
    builder = Builder(lab)
    builder.shell = "/bin/sh"
    with bare_home(lab):
        found = builder.settle().findings()
    assert found["shell"]["result"] == "ok" and "/bin/sh" in found["shell"]["text"], found["shell"]


def test_a_shell_that_runs_nothing(lab):
    for shell, words in (("/usr/sbin/nologin", "not available"), ("/bin/false", "status 1"), ("/nonexistent", "status 127")):
        builder = Builder(lab)
        builder.shell = shell
        expect(builder, "shell", "FAIL", words, "usermod --shell")


def test_the_shell_is_run_with_the_accounts_rights_alone(lab):
    builder = Builder(lab)
    builder.shell = lab.file("bin/who", "#!/bin/sh\nset -- $(id -u) $(id -ru) $(id -G)\necho who $* >&2\n", 0o755)
    builder.before = ["setpriv", "--groups=0,4"]        # root may be in more groups than here
    account = lab.account
    expect(builder, "shell", "warn", f"'who {account.uid} {account.uid} {account.gid}'", "usermod --shell")


# Has a program run by somebody who sits at a terminal.
AT_A_TERMINAL = """
import os, pty, sys
master, _slave = pty.openpty()
child = os.fork()
if child == 0:
    os.setsid()
    os.dup2(os.open(os.ttyname(_slave), os.O_RDWR), 2)
    os.execvp(sys.argv[1], sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_nothing_of_the_accounts_gets_roots_terminal(lab):
    builder = Builder(lab)
    seen = os.path.join(lab.make_writable("terminal"), "seen")
    script = (f'#!/bin/sh\necho "${{0##*/}} ran" >>{seen}\n'
              f'for fd in 0 1 2; do [ ! -t $fd ] || echo "${{0##*/}} holds it" >>{seen}; done\n'
              f'if true <>/dev/tty; then echo "${{0##*/}} opens it" >>{seen}; fi\n')
    builder.before = [sys.executable, "-c", AT_A_TERMINAL]
    builder.shell = lab.file("bin/shell", script, 0o755)
    for name in ("nix-daemon", "nix-store"):
        lab.file(f"bin/{name}", script, 0o755)
    builder.gateway.update(nix=os.path.join(lab.folder, "bin"), daemon="stdio")
    builder.settle().findings()
    with open(seen, encoding="utf-8") as file:
        assert set(file.read().splitlines()) == {"shell ran", "nix-daemon ran"}, seen


def test_a_shell_that_never_ends(lab):
    builder = Builder(lab)
    builder.shell = lab.file("bin/slow", "#!/bin/sh\nsleep 600\n", 0o755)
    expect(builder, "shell", "FAIL", "does not end", "usermod --shell")


def test_records_that_cannot_be_written(lab):
    builder = Builder(lab)
    builder.gateway["audit"] = "/etc/audit.jsonl"
    expect(builder, "audit", "FAIL", "/etc/audit.jsonl", "install -d -o")
    assert not os.path.exists("/etc/audit.jsonl")


def test_a_gateway_that_does_not_lock_itself_in(lab):
    builder = Builder(lab)
    builder.gateway["sandbox"] = "off"
    expect(builder, "confinement", "warn", "has it off", "sandbox = require")


def test_records_that_clients_read(lab):
    cases.need(not os.path.exists("/dev/log"), "there is a syslog here")
    builder = Builder(lab)
    builder.gateway["audit"] = "auto"
    expect(builder, "audit", "warn", "stderr", "audit = /var/log")


def test_a_state_folder_of_the_wrong_hands(lab):
    state = "/run/nix-gateway"
    cases.need(not os.path.exists(state), f"{state} is in use here")
    builder = Builder(lab)
    place.own_run(lab.folder)
    os.mkdir(state)
    try:
        os.chmod(state, 0o777)
        expect(builder, "state", "FAIL", "can be written by others", f"chmod go-w '{state}'")
        os.chmod(state, 0o755)
        expect(builder, "state", "warn", "cannot be written by the account", f"install -d -o {lab.account.name}")
        os.chown(state, lab.account.uid, lab.account.gid)
        with bare_home(lab):
            assert builder.findings()["state"]["result"] == "ok"
    finally:
        os.rmdir(state)


if __name__ == "__main__":
    cases.main(globals())
