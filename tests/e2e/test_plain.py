#!/usr/bin/env python3
"""What happens without the gateway: the failures that this project is for."""
import cases
import nix


def famous(result):
    """What a client says when the builder's command ends without a word; the sentence changed in Nix 2.20."""
    return "unexpected end-of-file" in result.text or "disconnected unexpectedly" in result.text


def test_a_forced_command_fails_where_path_lacks_nix(lab):
    lab.daemon.start()
    key = lab.key("alice")
    lab.sshd(authorized_keys=[f'command="nix-daemon --stdio" {key.line}'])
    result = lab.ping(key)
    assert result.status != 0 and famous(result), str(result)


def test_a_build_fails_where_path_lacks_nix(lab):
    lab.daemon.start()
    key = lab.key("alice")
    lab.sshd()
    result = lab.build(key)
    assert result.status != 0 and famous(result), str(result)


def test_the_same_client_builds_where_path_has_nix_and_the_account_is_trusted(lab):
    lab.daemon.start(trusted=f"root {lab.account.name}")
    key = lab.key("alice")
    variables = [f"{name}={value}" for name, value in lab.daemon.env.items() if name.startswith("NIX_")]
    lab.sshd(force_command="nix-daemon --stdio", variables=variables + ["NIX_REMOTE=daemon"],
             path=nix.programs_folder() + ":/usr/bin:/bin")
    assert lab.built(lab.build(key)) == "built"


if __name__ == "__main__":
    cases.main(globals())
