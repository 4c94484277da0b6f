#!/usr/bin/env python3
"""Each way by which a key can be known gives the right name, and what a client sends along changes nothing."""
import os

import cases

# What a client may try to send where sshd lets everything through (AcceptEnv *).
HOSTILE = {
    "NIX_REMOTE": "local?root=/tmp/elsewhere",
    "NIX_CONFIG": "substituters = http://example.org",
    "NIX_CONF_DIR": "/tmp/elsewhere",
    "NIX_DAEMON_SOCKET_PATH": "/tmp/elsewhere/socket",
    "NIX_STORE_DIR": "/tmp/elsewhere/store",
    "NIX_STATE_DIR": "/tmp/elsewhere/state",
    "NIX_SSL_CERT_FILE": "/tmp/elsewhere/certificates",
    "NIX_PATH": "nixpkgs=/tmp/elsewhere",
    "LD_PRELOAD": "/tmp/elsewhere/preload.so",
    "LD_LIBRARY_PATH": "/tmp/elsewhere",
    "BASH_ENV": "/tmp/elsewhere/bash",
    "ENV": "/tmp/elsewhere/sh",
    "IFS": "-",
    "PATH": "/tmp/elsewhere",
    "HOME": "/tmp/elsewhere",
    "USER": "root",
    "SHELL": "/tmp/elsewhere/shell",
    "XDG_CONFIG_HOME": "/tmp/elsewhere",
    "TMPDIR": "/tmp/elsewhere",
    "LANG": "xx_XX",
    "LC_ALL": "xx_XX",
    "GCONV_PATH": "/tmp/elsewhere",
    "SSH_ORIGINAL_COMMAND": "id",
}


def said(result, name):
    """The value of one line of `info`."""
    assert result.status == 0, str(result)
    lines = [line.split(None, 1) for line in result.stdout.splitlines()]
    return next((line[1] for line in lines if line[0] == name and len(line) == 2), None)


def two_keys(lab):
    alice, bob = lab.key("alice"), lab.key("bob")
    lab.daemon.start()
    lab.policy(f"[key alice]\nfingerprint = {alice.fingerprint}\n[key bob]\nfingerprint = {bob.fingerprint}\n")
    return alice, bob


def test_the_name_in_the_forced_command_decides(lab):
    alice, bob = two_keys(lab)
    lines = [f'restrict,command="{lab.serve(f" --key {key.name}")}" {key.line}' for key in (alice, bob)]
    lab.sshd(authorized_keys=lines)
    assert said(lab.ssh(alice, "info"), "key") == "alice"
    assert said(lab.ssh(bob, "info"), "key") == "bob"


def test_the_fingerprint_that_sshd_exposes_decides(lab):
    alice, bob = two_keys(lab)
    lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
    for key in (alice, bob):
        result = lab.ssh(key)
        assert said(result, "key") == key.name
        assert said(result, "fingerprint") == key.fingerprint


def test_the_fingerprint_decides_where_the_gateway_is_the_login_shell(lab):
    cases.need_account(lab)
    alice, bob = two_keys(lab)
    lab.account.shell(lab.gateway)
    lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
    assert said(lab.ssh(alice), "key") == "alice"
    assert said(lab.ssh(bob), "key") == "bob"


def test_a_name_in_the_command_of_a_login_shell_must_be_the_keys_own(lab):
    cases.need_account(lab)
    alice, _bob = two_keys(lab)
    lab.account.shell(lab.gateway)
    lab.sshd(settings=["ExposeAuthInfo yes"])
    result = lab.ssh(alice, f"nix-gateway serve --policy {lab.policy_path} --key bob")
    assert result.status == 1 and "is not key 'bob'" in result.stderr, str(result)


def test_sshd_asks_the_gateway_for_the_keys(lab):
    cases.need_account(lab)
    alice, bob = two_keys(lab)
    stranger = lab.key("stranger")
    lab.sshd(authorized_keys=[], settings=[
        f"AuthorizedKeysCommand {lab.gateway} authorized-keys --policy {lab.policy_path} %u %f %t %k",
        "AuthorizedKeysCommandUser nobody"])
    assert said(lab.ssh(alice, "info"), "key") == "alice"
    assert said(lab.ssh(bob), "key") == "bob"
    result = lab.ssh(stranger)
    assert result.status == 255 and "Permission denied" in result.stderr, str(result)


def certified(lab, name, authority, key_id, principals):
    key = lab.key(name)
    key.certify(authority, key_id, principals)
    return key


def certificate_sshd(lab, *authorities):
    trusted = lab.file("sshd/authorities", "".join(key.line + "\n" for key in authorities))
    lab.sshd(authorized_keys=[], force_command=lab.serve(),
             settings=["ExposeAuthInfo yes", f"TrustedUserCAKeys {trusted}"])


def test_a_certificate_gives_the_key_that_its_principal_names(lab):
    authority = lab.key("authority")
    carol = certified(lab, "carol", authority, "carol@laptop", ["carol", lab.account.name])
    lab.daemon.start()
    lab.policy(f"[key carol]\ncertificate-authority = {authority.fingerprint}\nprincipal = carol\n")
    certificate_sshd(lab, authority)
    result = lab.ssh(carol)
    assert said(result, "key") == "carol"
    assert said(result, "fingerprint") == carol.fingerprint
    assert said(result, "certificate") == "carol@laptop"
    assert said(result, "authority") == authority.fingerprint


def test_a_certificate_whose_key_id_is_not_the_policys_is_refused(lab):
    authority = lab.key("authority")
    dave = certified(lab, "dave", authority, "dave@attic", ["dave", lab.account.name])
    lab.daemon.start()
    lab.policy(f"[key dave]\ncertificate-authority = {authority.fingerprint}\nprincipal = dave\nkey-id = dave@laptop\n")
    certificate_sshd(lab, authority)
    result = lab.ssh(dave)
    assert result.status == 1 and "is not in this builder's policy" in result.stderr, str(result)


def test_a_certificate_of_another_authority_with_the_right_words_is_refused(lab):
    authority, other = lab.key("authority"), lab.key("other-authority")
    erin = certified(lab, "erin", other, "carol@laptop", ["carol", lab.account.name])
    lab.daemon.start()
    lab.policy(f"[key carol]\ncertificate-authority = {authority.fingerprint}\nprincipal = carol\nkey-id = carol@laptop\n")
    certificate_sshd(lab, authority, other)
    result = lab.ssh(erin)
    assert result.status == 1 and "is not in this builder's policy" in result.stderr, str(result)


def test_a_role_and_an_expiry_are_told_to_their_owner(lab):
    alice = lab.key("alice")
    lab.daemon.start()
    lab.policy(f"[role ci]\nprotocols = ssh-ng\n[key alice]\nrole = ci\nexpires = 2099-12-31\n"
               f"fingerprint = {alice.fingerprint}\n")
    lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
    result = lab.ssh(alice)
    assert (said(result, "role"), said(result, "expires")) == ("ci", "2099-12-31")
    assert said(result, "protocols") == "ssh-ng"


def fake_nix(lab):
    """Programs in Nix's place that write down the environment they are given, and nothing else."""
    folder = os.path.join(lab.folder, "fake")
    os.makedirs(folder, exist_ok=True)
    dump = os.path.join(lab.make_writable("dump"), "environment")
    for name in ("nix-daemon", "nix-store"):
        lab.file(f"fake/{name}", f"#!/bin/sh\nexec /usr/bin/env > {dump}\n", 0o755)
    return folder, dump


def dumped(lab, dump, key, env):
    if os.path.exists(dump):
        os.unlink(dump)
    lab.ssh(key, "nix-daemon", "--stdio", env=env)
    with open(dump, encoding="utf-8") as file:
        return sorted(line for line in file.read().splitlines() if not line.startswith(("PWD=", "_=", "OLDPWD=")))


def hostile_ssh(lab):
    """A client that sends what it can. ssh takes PATH and HOME from its own environment too: it is started by path."""
    lab.sshd(force_command=lab.serve(), settings=["AcceptEnv *"], send_env=list(HOSTILE))


def test_no_variable_of_the_client_reaches_nix(lab):
    folder, dump = fake_nix(lab)
    lab.daemon.start()
    key = lab.key("alice")
    lab.policy(nix=folder)
    hostile_ssh(lab)
    quiet = dumped(lab, dump, key, {})
    loud = dumped(lab, dump, key, HOSTILE)
    assert quiet == loud, f"{quiet}\n{loud}"
    assert not any("elsewhere" in line for line in loud)
    names = {line.split("=", 1)[0] for line in loud}
    assert names - {"NIX_SSL_CERT_FILE"} == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "NIX_REMOTE",
                                             "NIX_DAEMON_SOCKET_PATH", "NIX_STORE_DIR"}, names


def test_a_client_that_sends_everything_builds_all_the_same(lab):
    lab.daemon.start(trusted=f"root {lab.account.name}")
    lab.policy()
    key = lab.key("alice")
    sent = {name: value for name, value in HOSTILE.items() if name.startswith(("LC_", "GCONV", "ENV", "BASH"))}
    sent["SSH_USER_AUTH"] = "/etc/passwd"
    lab.sshd(force_command=lab.serve(), settings=["AcceptEnv *", "ExposeAuthInfo yes"], send_env=list(sent))
    assert lab.built(lab.build(key, env=sent)) == "built"


def test_an_auth_file_of_the_clients_own_is_refused(lab):
    alice, bob = two_keys(lab)
    forged = lab.file("forged", "publickey " + " ".join(bob.line.split()[:2]) + "\n")
    lab.sshd(force_command=lab.serve(), settings=["AcceptEnv *"], send_env=["SSH_USER_AUTH"])
    result = lab.ssh(alice, env={"SSH_USER_AUTH": forged})
    assert result.status == 1 and "key          bob" not in result.stdout, str(result)


if __name__ == "__main__":
    cases.main(globals())
