#!/usr/bin/env python3
"""The papers say what the program does: the manual's table of operations, its commands, the README's policy, and the
samples for sshd, which a real sshd reads."""
import os
import re
import shutil

import cases
import process
import sshd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAN = os.path.join(ROOT, "packaging", "man")
SAMPLES = os.path.join(ROOT, "packaging", "sshd")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def test_the_protocol_manual_has_the_programs_own_table(lab):
    made = process.run([os.path.join(MAN, "protocol-table"), lab.gateway], limit=20)
    page = read(MAN, "nix-gateway.protocol.7")
    marks = re.search(r'^\.\\" operations, made by .*\n((?:.*\n)*?)\.\\" end of operations$', page, re.MULTILINE)
    assert made.status == 0 and made.stdout.count("\n") > 50, str(made)
    assert marks and marks.group(1) == made.stdout, "run packaging/man/protocol-table NIX-GATEWAY PAGE\n" + str(made)


def test_the_table_is_put_into_the_page_by_the_same_script(lab):
    page = os.path.join(lab.folder, "page.7")
    shutil.copy(os.path.join(MAN, "nix-gateway.protocol.7"), page)
    whole = read(page)
    lab.file("page.7", re.sub(r"\.It 1 Ta IsValidPath.*\n", "", whole))
    result = process.run([os.path.join(MAN, "protocol-table"), lab.gateway, page], limit=20)
    assert result.status == 0 and read(page) == whole, str(result)


def words_of_page(page):
    """What a reader sees, blanks between the words."""
    shown = process.run(["mandoc", "-Tascii", page], limit=20)
    assert shown.status == 0, str(shown)
    return " ".join(re.sub(r".\x08", "", shown.stdout).split())


def test_the_manual_knows_every_command_with_its_options(lab):
    page = words_of_page(os.path.join(MAN, "nix-gateway.8")).lower()
    help_text = lab.client.run([lab.gateway, "--help"]).stdout.replace("\n      ", " ")
    commands = re.findall(r"^  (\S+)(.*)$", help_text, re.MULTILINE)
    assert len(commands) > 5
    for command, usage in commands:
        assert re.search(rf"(nix-gateway|\|) {re.escape(command)}( |$)", page), command
        for option in re.findall(r"--[a-z]+", usage):
            assert option in page, f"{command} {option}"


def test_the_policy_in_the_readme_has_no_fault(lab):
    block = re.search(r"((?:^    .*\n|^\n)*^    \[default\]\n(?:^    .*\n|^\n)*)", read("README.md"), re.MULTILINE)
    text = "".join(line[4:] + "\n" for line in block.group(1).strip("\n").split("\n"))
    path = lab.file("readme.ini", text)
    result = lab.client.run([lab.gateway, "check", "--policy", path], limit=20)
    assert (result.status, result.text) == (0, ""), f"{result}\n{text}"
    assert text.count("[key ") == 2, text


def effective(lab, user):
    """What sshd makes of the sample for one account, as it says itself."""
    config = lab.file("sample.conf", f"HostKey {lab.server.host_key.path}\nAcceptEnv LANG LC_*\n"
                      + read(SAMPLES, "nix-gateway.conf"))
    for words in (["-t"], ["-T", "-C", f"user={user},host=here,addr=127.0.0.1"]):
        result = process.run([sshd.program(), *words, "-f", config], limit=20)
        assert result.status == 0, str(result)
    return dict(line.split(" ", 1) for line in result.stdout.splitlines() if " " in line)


def test_sshd_reads_the_sample_and_it_is_for_the_account_alone(lab):
    ours, others = effective(lab, "builder"), effective(lab, "root")
    wanted = {"forcecommand": "/usr/local/bin/nix-gateway serve", "exposeauthinfo": "yes", "disableforwarding": "yes",
              "permittty": "no", "permittunnel": "no", "permituserrc": "no", "acceptenv": "none",
              "authenticationmethods": "publickey", "authorizedkeysfile": "/etc/nix-gateway/authorized_keys"}
    assert {name: ours[name] for name in wanted} == wanted, ours
    assert others["forcecommand"] == "none" and others["exposeauthinfo"] == "no", others


def test_the_sample_for_sshd_is_the_one_in_the_manual(_lab):
    settings = [line.strip() for line in read(SAMPLES, "nix-gateway.conf").splitlines()
                if line.strip() and not line.strip().startswith("#")]
    page = read(MAN, "nix-gateway.8")
    assert "\n\t".join(settings) in page, settings


def test_every_line_of_the_sample_of_keys_is_a_key(_lab):
    path = os.path.join(SAMPLES, "authorized_keys.example")
    lines = [line for line in read(path).splitlines() if line and not line.startswith("#")]
    listed = process.run(["ssh-keygen", "-l", "-f", path], limit=20)
    assert listed.status == 0 and len(listed.stdout.splitlines()) == len(lines) == 2, str(listed)
    assert all(line.startswith("restrict") for line in lines), lines


def test_sshd_lets_the_keys_of_the_sample_in_as_it_says(lab):
    """The sample's own second line, with a key that somebody holds in the place of the one shown."""
    bob = lab.key("bob")
    lab.daemon.start()
    lab.policy("[key bob]\n")
    line = next(line for line in read(SAMPLES, "authorized_keys.example").splitlines() if "--key bob" in line)
    options = re.match(r'(\S*"[^"]*") ', line).group(1)
    options = options.replace("/usr/local/bin/nix-gateway serve", lab.serve())
    lab.sshd(authorized_keys=[f"{options} {bob.line}"])
    result = lab.ssh(bob)
    assert result.status == 0 and re.search(r"^key +bob$", result.stdout, re.MULTILINE), str(result)


def test_the_manual_knows_every_line_of_info(lab):
    alice = lab.key("alice")
    lab.daemon.start()
    section = re.search(r"\n\.Ss info\n(.*?)\n\.S[hs] ", read(MAN, "nix-gateway.8"), re.DOTALL).group(1)
    for relay in ("filter", "exec"):
        lab.policy(f"[role ci]\n[key alice]\nrole = ci\nexpires = 2099-12-31\nfingerprint = {alice.fingerprint}\n",
                   relay=relay)
        lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
        names = [line.split()[0] for line in lab.ssh(alice).stdout.splitlines()]
        unknown = [name for name in names[1:] if not re.search(rf"\b{name}\b", section)]
        assert len(names) > 8 and not unknown, f"{names}: {unknown}"


if __name__ == "__main__":
    cases.main(globals())
