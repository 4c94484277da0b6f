#!/usr/bin/env python3
"""With the gateway the client that failed before builds: whatever PATH and, as login shell, whatever the dotfiles."""
import cases
import nix


def trusting(lab):
    """With `relay = exec` the daemon judges the account itself; a build over the older way in needs its trust."""
    lab.daemon.start(trusted=f"root {lab.account.name}")
    lab.policy()
    return lab.key("alice")


def each_build_through_the_forced_command_succeeds(lab, suite_name):
    suite = cases.need_suite(lab, suite_name)
    key = trusting(lab)
    lab.sshd(force_command=lab.serve())
    assert lab.built(lab.build(key, suite=suite)) == "built"


def each_build_over_the_older_ssh_protocol_succeeds(lab, suite_name):
    suite = cases.need_suite(lab, suite_name)
    key = trusting(lab)
    lab.sshd(force_command=lab.serve())
    assert lab.built(lab.build(key, scheme="ssh", suite=suite)) == "built"


cases.each(globals(), cases.CLIENTS, each_build_through_the_forced_command_succeeds)
cases.each(globals(), cases.CLIENTS, each_build_over_the_older_ssh_protocol_succeeds)


def test_a_build_whose_input_was_built_there_too(lab):
    key = trusting(lab)
    lab.sshd(force_command=lab.serve())
    inner = nix.derivation("inner", "inside")
    outer = nix.derivation("outer", "around", inputs=f"inner = {inner};")
    assert lab.built(lab.build(key, expression=outer)) == "around"


def test_a_bashrc_that_prints_breaks_the_forced_command_alone(lab):
    cases.need_account(lab)
    key = trusting(lab)
    lab.file("home/.bashrc", "echo welcome to this builder\n")
    lab.sshd(force_command=lab.serve())
    result = lab.ping(key)
    assert result.status != 0 and "protocol mismatch" in result.text, str(result)


def test_a_bashrc_that_prints_does_nothing_where_the_gateway_is_the_login_shell(lab):
    cases.need_account(lab)
    key = trusting(lab)
    lab.file("home/.bashrc", "echo welcome to this builder\n")
    lab.account.shell(lab.gateway)
    lab.sshd(force_command=lab.serve())
    assert lab.built(lab.build(key)) == "built"


def test_nologin_breaks_the_forced_command_alone(lab):
    cases.need_account(lab)
    key = trusting(lab)
    lab.account.shell("/usr/sbin/nologin")
    lab.sshd(force_command=lab.serve())
    result = lab.ping(key)
    assert result.status != 0 and "not available" in result.text, str(result)


def test_the_gateway_as_login_shell_builds_without_any_forced_command(lab):
    cases.need_account(lab)
    cases.need_etc(lab)
    key = trusting(lab)
    lab.usual_policy()
    lab.account.shell(lab.gateway)
    lab.sshd()
    assert lab.built(lab.build(key)) == "built"
    assert lab.built(lab.build(key, scheme="ssh")) == "built"


def test_the_gateway_as_login_shell_answers_a_login_with_info(lab):
    cases.need_account(lab)
    cases.need_etc(lab)
    key = trusting(lab)
    lab.usual_policy()
    lab.account.shell(lab.gateway)
    lab.sshd()
    result = lab.ssh(key, options=["-T"])
    assert result.status == 0 and "machines" in result.stdout, str(result)


def test_two_builds_at_once_over_one_account(lab):
    key = trusting(lab)
    lab.sshd(force_command=lab.serve())
    left, right = nix.derivation("left", "l"), nix.derivation("right", "r")
    both = nix.derivation("both", "both", inputs=f"left = {left}; right = {right};")
    assert lab.built(lab.build(key, expression=both)) == "both"


def test_a_copy_to_and_from_the_builder(lab):
    key = trusting(lab)
    lab.sshd(force_command=lab.serve())
    path = lab.built_path(lab.build(key))
    again = lab.client.run(["nix", "copy", "--no-check-sigs", "--to", f"ssh-ng://{key.name}.lab", path])
    assert again.status == 0, str(again)
    there = lab.client.run(["nix", "path-info", "--store", f"ssh-ng://{key.name}.lab", path])
    assert there.stdout.strip() == path, str(there)


if __name__ == "__main__":
    cases.main(globals())
