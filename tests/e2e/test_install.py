#!/usr/bin/env python3
"""`make install` and `make uninstall`: what is where afterwards, what it says, and what is left."""
import os
import re

import cases
import process

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OURS = {
    "usr/bin/nix-gateway", "usr/share/man/man5/nix-gateway.policy.5", "usr/share/man/man7/nix-gateway.protocol.7",
    "usr/share/man/man8/nix-gateway.8", "usr/share/bash-completion/completions/nix-gateway",
    "usr/share/zsh/site-functions/_nix-gateway", "usr/share/fish/vendor_completions.d/nix-gateway.fish",
    "usr/share/doc/nix-gateway/examples/nix-gateway.conf", "usr/share/doc/nix-gateway/examples/authorized_keys.example",
    "usr/share/doc/nix-gateway/examples/team.ini", "usr/share/doc/nix-gateway/examples/named-keys.ini",
}
ADMINISTRATORS = {"etc/nix-gateway/policy.ini", "etc/nix-gateway/authorized_keys"}


def make(lab, goal, **variables):
    variables["B"] = os.path.dirname(lab.gateway_source)
    words = [f"{name}={value}" for name, value in variables.items()]
    result = process.run(["make", "-s", "-C", ROOT, goal, *words], limit=80)
    assert result.status == 0, str(result)
    return result


def files(folder):
    return {os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names}


def test_uninstall_leaves_what_is_the_administrators(lab):
    place = lab.make("stage")
    result = make(lab, "install", DESTDIR=place, PREFIX="/usr")
    assert files(place) == OURS | ADMINISTRATORS and "Left to do" not in result.text, f"{files(place)}\n{result}"
    make(lab, "uninstall", DESTDIR=place, PREFIX="/usr")
    assert files(place) == ADMINISTRATORS, files(place)
    assert not os.path.exists(os.path.join(place, "usr/share/doc/nix-gateway")), "its folder is left"


def test_what_names_the_program_names_it_where_it_is(lab):
    place = lab.make("moved")
    make(lab, "install", DESTDIR=place, PREFIX="/opt/gate")
    for name in ("man/man8/nix-gateway.8", "doc/nix-gateway/examples/nix-gateway.conf"):
        with open(os.path.join(place, "opt/gate/share", name), encoding="utf-8") as file:
            text = file.read()
        assert "/opt/gate/bin/nix-gateway serve" in text and "/usr/local/bin/nix-gateway" not in text, name


def test_installing_again_keeps_the_policy_and_the_keys(lab):
    place = lab.make("again")
    make(lab, "install", DESTDIR=place)
    for name in ADMINISTRATORS:
        lab.file(os.path.join(place, name), "mine\n")
    make(lab, "install", DESTDIR=place)
    for name in ADMINISTRATORS:
        with open(os.path.join(place, name), encoding="utf-8") as file:
            assert file.read() == "mine\n", name


def test_the_first_install_says_what_is_left_to_do(lab):
    cases.need_account(lab)
    prefix, conf = os.path.join(lab.folder, "prefix"), os.path.join(lab.folder, "conf")
    said = make(lab, "install", PREFIX=prefix, CONFDIR=conf).stdout
    assert f"usermod --shell {prefix}/bin/nix-gateway builder" in said, said
    sample = re.search(r"cp (\S+) /etc/ssh/sshd_config.d/", said).group(1)
    assert os.path.exists(sample) and f"cat KEY.pub >>{conf}/authorized_keys" in said, said
    lab.account.shell(f"{prefix}/bin/nix-gateway")
    lab.file(f"{conf}/authorized_keys", lab.key("alice").line + "\n")
    said = make(lab, "install", PREFIX=prefix, CONFDIR=conf).stdout
    assert "usermod" not in said and "KEY.pub" not in said and " 1. The lines for sshd" in said, said


def test_the_policy_that_is_installed_has_no_fault(lab):
    place = lab.make("fresh")
    make(lab, "install", DESTDIR=place)
    result = process.run([lab.gateway, "check", "--policy", f"{place}/etc/nix-gateway/policy.ini"], limit=20)
    assert result.status == 0 and result.text == "", str(result)


if __name__ == "__main__":
    cases.main(globals())
