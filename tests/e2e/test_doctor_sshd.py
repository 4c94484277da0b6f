#!/usr/bin/env python3
"""What `doctor` finds in sshd_config and in the files of keys: each as the real sshd understands it (`sshd -T`)."""
import os

import cases
from test_doctor import Builder, bare_home, expect


def test_an_sshd_that_does_not_read_its_configuration(lab):
    builder = Builder(lab)
    builder.head = "Nonsense yes"
    with bare_home(lab):
        result = builder.settle().doctor()
    assert result.status == 1 and "FAIL  sshd: '" in result.stdout and "Nonsense" in result.stdout, str(result)
    assert "sshd-" not in result.stdout, str(result)


def test_a_forced_command_that_is_not_the_gateway(lab):
    for command in ("nix-daemon --stdio", "/usr/bin/nix-gateway check", "internal-sftp"):
        builder = Builder(lab)
        builder.force = f"ForceCommand {command}"
        expect(builder, "sshd-command", "FAIL", command, f"ForceCommand {lab.gateway} serve")


def test_a_forced_command_that_is_not_there(lab):
    builder = Builder(lab)
    builder.force = f"ForceCommand /opt/nowhere/nix-gateway serve --policy {lab.policy_path}"
    expect(builder, "sshd-command", "FAIL", "/opt/nowhere/nix-gateway", "install the gateway there")


def test_a_forced_command_with_another_policy(lab):
    builder = Builder(lab)
    builder.force = f"ForceCommand {lab.gateway} serve"
    expect(builder, "sshd-command", "warn", "/etc/nix-gateway/policy.ini", "--policy")


def test_a_key_without_the_gateway(lab):
    builder = Builder(lab)
    builder.force = ""
    builder.shell = "/bin/sh"
    builder.keys = (f'restrict,command="{lab.serve(" --key alice")}" {builder.key.line}\n'
                    f"# a comment\n{lab.key('bob').line}\n")
    expect(builder, "sshd-command", "FAIL", "authorized_keys:3", "ForceCommand")
    builder.keys = f'restrict,command="nix-daemon --stdio" {builder.key.line}\n'
    expect(builder, "sshd-command", "FAIL", "authorized_keys:1", "ForceCommand")


def test_keys_that_are_all_bound_to_the_gateway_need_no_forced_command(lab):
    builder = Builder(lab)
    builder.force = ""
    builder.shell = "/bin/sh"
    builder.without("ExposeAuthInfo", "DisableForwarding", "PermitTTY", "PermitUserRC")
    builder.keys = f'restrict,command="{lab.serve(" --key alice")}" {builder.key.line}\n'
    with bare_home(lab):
        found = builder.settle().findings()
    assert {name for name, one in found.items() if one["result"] != "ok"} <= {"release"}, found


def test_certificates_that_nothing_binds(lab):
    builder = Builder(lab)
    builder.force = ""
    builder.shell = "/bin/sh"
    builder.keys = f'restrict,command="{lab.serve(" --key alice")}" {builder.key.line}\n'
    builder.match.append(f"TrustedUserCAKeys {lab.key('authority').path}.pub")
    expect(builder, "sshd-command", "FAIL", "TrustedUserCAKeys", "ForceCommand")


def test_restricted_keys_shut_no_door_where_others_may_come_in(lab):
    for other in (f"TrustedUserCAKeys {lab.key('authority').path}.pub",
                  "AuthorizedKeysCommand /bin/true\n\tAuthorizedKeysCommandUser nobody"):
        builder = Builder(lab)
        builder.without("DisableForwarding")
        builder.match.append(other)
        expect(builder, "sshd-forwarding", "FAIL", "a client gets past the gateway", "DisableForwarding yes")


def test_the_gateway_as_the_command_for_keys(lab):
    builder = Builder(lab)
    builder.force = ""
    builder.shell = "/bin/sh"
    builder.without("ExposeAuthInfo", "DisableForwarding")
    builder.match += ["AuthorizedKeysFile none", "AuthorizedKeysCommandUser nobody",
                      f"AuthorizedKeysCommand {lab.gateway} authorized-keys --policy {lab.policy_path} %u %f %t %k"]
    with bare_home(lab):
        found = builder.settle().findings()
    assert {name for name, one in found.items() if one["result"] != "ok"} <= {"release"}, found


def test_an_sshd_that_does_not_say_who_it_is(lab):
    builder = Builder(lab)
    builder.without("ExposeAuthInfo")
    expect(builder, "sshd-identity", "FAIL", "no session starts", "ExposeAuthInfo yes")
    builder.policy = "[key *]\n"
    expect(builder, "sshd-identity", "warn", "records cannot name it", "ExposeAuthInfo yes")


def test_a_file_of_keys_that_the_account_could_change(lab):
    builder = Builder(lab)
    folder = lab.make_writable("account-keys")
    lab.file("account-keys/authorized_keys", builder.keys)
    builder.match.append(f"AuthorizedKeysFile {folder}/authorized_keys")
    expect(builder, "sshd-keys", "FAIL", "account-keys/authorized_keys could be changed", "a file of root's")


def test_a_file_of_keys_that_the_account_could_make_writable(lab):
    builder = Builder(lab).settle()
    path = os.path.join(lab.folder, "authorized_keys")
    os.chown(path, lab.account.uid, -1)
    os.chmod(path, 0o444)
    try:
        found = builder.findings()["sshd-keys"]
    finally:
        os.unlink(path)
    assert found["result"] == "FAIL" and path in found["text"], found


def test_a_file_of_keys_that_is_not_there_and_the_account_could_make(lab):
    for folder, mode in (("keys-to-come", 0o755), ("keys-of-all", 0o1777)):
        builder = Builder(lab)
        path = lab.make_writable(folder)
        os.chmod(path, mode)
        if mode & 0o1000:
            os.chown(path, 0, 0)
        builder.match.append(f"AuthorizedKeysFile {lab.file('authorized_keys', builder.keys)} {path}/more")
        expect(builder, "sshd-keys", "FAIL", f"{path}/more could be changed", "a file of root's")


def test_a_file_of_keys_in_a_sticky_folder(lab):
    for owner, grade in ((lab.account.uid, "FAIL"), (0, "ok")):
        builder = Builder(lab)
        path = lab.make_writable(f"sticky-keys-{grade}")
        lab.file(f"sticky-keys-{grade}/authorized_keys", builder.keys)
        os.chmod(path, 0o1777)
        os.chown(path, owner, 0)
        builder.match.append(f"AuthorizedKeysFile {path}/authorized_keys")
        expect(builder, "sshd-keys", grade, "could be changed" if grade == "FAIL" else "nobody but root says", "")


def test_a_file_of_keys_that_the_account_cannot_read(lab):
    builder = Builder(lab)
    builder.keys_mode = 0o600
    expect(builder, "sshd-keys", "FAIL", "cannot be read by the account", "chmod a+r")


def test_no_keys_at_all(lab):
    builder = Builder(lab)
    builder.match.append("AuthorizedKeysFile /etc/nix-gateway/no-such-file")
    expect(builder, "sshd-keys", "FAIL", "there is no /etc/nix-gateway/no-such-file", "one a line")


# What stands in the block instead of a line of the sample, and what of it is seen.
DOORS = (
    ("DisableForwarding", "", "sshd-forwarding", "FAIL", "allowstreamlocalforwarding is 'yes'", "DisableForwarding yes"),
    ("DisableForwarding", "AllowStreamLocalForwarding no", "sshd-forwarding", "FAIL", "allowtcpforwarding is 'yes'",
     "DisableForwarding yes"),
    ("PermitTunnel", "PermitTunnel yes", "sshd-tunnel", "FAIL", "PermitTunnel is 'yes'", "PermitTunnel no"),
    ("PermitTTY", "", "sshd-terminal", "warn", "terminal", "PermitTTY no"),
    ("PermitUserRC", "", "sshd-user-rc", "warn", "~/.ssh/rc", "PermitUserRC no"),
    ("AcceptEnv", "AcceptEnv FOO_*", "sshd-variables", "warn", "AcceptEnv FOO_*", "AcceptEnv none"),
    ("AcceptEnv", "AcceptEnv LANG LC_* BASH_*", "sshd-variables", "FAIL", "BASH_ENV", "AcceptEnv none"),
    ("AcceptEnv", "AcceptEnv *", "sshd-variables", "FAIL", "LD_PRELOAD", "AcceptEnv none"),
    ("AuthenticationMethods", "", "sshd-authentication", "warn", "a password would do", "AuthenticationMethods publickey"),
    ("AuthenticationMethods", "AuthenticationMethods publickey password", "sshd-authentication", "warn",
     "a password would do", "AuthenticationMethods publickey"),
    ("AuthenticationMethods", "PasswordAuthentication no\n\tKbdInteractiveAuthentication no\n\tHostbasedAuthentication yes",
     "sshd-authentication", "warn", "another host would do", "AuthenticationMethods publickey"),
    ("AuthenticationMethods", "PubkeyAuthentication no", "sshd-authentication", "FAIL", "nobody can log in by key",
     "PubkeyAuthentication yes"),
    ("MaxSessions", "MaxSessions 0", "sshd-sessions", "FAIL", "no session starts", "MaxSessions 4"),
    ("MaxSessions", "MaxSessions 100", "sshd-sessions", "warn", "100", "MaxSessions 4"),
    ("ClientAliveInterval", "", "sshd-alive", "warn", "keeps its session", "ClientAliveInterval 30"),
)


def test_each_door_that_sshd_leaves_open(lab):
    for line, instead, check, grade, words, mend in DOORS:
        builder = Builder(lab)
        builder.keys = builder.key.line + "\n"          # without restrict, which shuts some of them too
        builder.without(line)
        builder.match.append(instead)
        expect(builder, check, grade, words, mend)


def test_an_account_that_sshd_keeps_out(lab):
    for head, grade in (("DenyUsers root build*", "FAIL"), ("AllowUsers root", "FAIL"), ("AllowGroups root", "FAIL"),
                        ("DenyGroups builder", "FAIL"), ("AllowUsers root builder@10.*", "ok"), ("AllowGroups b*", "ok"),
                        ("DenyUsers builder@10.*", "ok"), ("DenyUsers root", "ok")):
        builder = Builder(lab)
        builder.head = head
        expect(builder, "sshd-login", grade, head.split()[0] if grade == "FAIL" else "lets the account log in",
               lab.account.name if grade == "FAIL" else "")


def test_a_locked_account(lab):
    builder = Builder(lab)
    shadow = lab.account.copies["shadow"]
    with open(shadow, encoding="utf-8") as file:
        text = file.read()
    try:
        with open(shadow, "w", encoding="utf-8") as file:
            file.write(text.replace(f"{lab.account.name}:*:", f"{lab.account.name}:!:"))
        expect(builder, "sshd-login", "FAIL", "is locked", f"usermod -p '*' {lab.account.name}")
        builder.head = "UsePAM yes"
        with bare_home(lab):
            found = builder.settle().findings()
        assert found["sshd-login"]["result"] == "ok", found["sshd-login"]
    finally:
        with open(shadow, "w", encoding="utf-8") as file:
            file.write(text)


def test_what_is_set_for_all_accounts(lab):
    for head, check, grade, words in (("MaxStartups 2:30:10", "sshd-sessions", "warn", "MaxStartups begins with 2"),
                                      ("PermitUserEnvironment yes", "sshd-user-environment", "FAIL", "'yes'")):
        builder = Builder(lab)
        builder.head = head
        expect(builder, check, grade, words, head.split()[0])


def test_a_user_rc_that_the_account_could_write(lab):
    builder = Builder(lab)
    builder.without("PermitUserRC")
    builder.keys = builder.key.line + "\n"
    found = builder.settle().findings()
    assert os.stat(lab.account.home).st_uid == lab.account.uid
    assert found["sshd-user-rc"]["result"] == found["home"]["result"] == "FAIL", found


if __name__ == "__main__":
    cases.main(globals())
