#!/usr/bin/env python3
"""What the NixOS module says is carried out by hand, in the lab: the policy is built, the files are laid where it says,
the account gets its shell, a real sshd its lines. Then clients come."""
import hashlib
import os
import shutil

import cases
import modules
import nix
from cases import need_account, need_etc

# Fixed, so that a client of any age can have it built without being believed.
FIXED = ('derivation { name = "thing"; system = builtins.currentSystem; builder = "/bin/sh"; outputHashMode = "flat"; '
         'args = [ "-c" "echo built > $out" ]; outputHashAlgo = "sha256"; outputHash = "%s"; }')
PROGRAM = "/etc/nix-gateway/bin/nix-gateway"


def configuration(lab, *keys):
    made = "".join(f'keys.{key.name}.publicKeys = [ "{key.line}" ];' for key in keys)
    return f"""
      services.openssh.enable = true;
      services.nix-gateway = {{
        enable = true;
        settings.gateway = {{ nix = "{nix.programs_folder()}"; daemon = "{lab.daemon.socket}"; }};
        settings.gateway = {{ store-dir = "{lab.store}"; audit = "{lab.audit}"; }};
        settings.default.systems = [ "*" ];
        {made}
      }};"""


def switch(lab, *keys):
    """The part of a system's switch that concerns us."""
    need_account(lab)
    need_etc(lab)
    folder = os.path.join(lab.folder, "modules")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    of = modules.Modules(folder, lab.gateway)
    os.chown(of.package, 0, lab.account.gid)
    os.chmod(of.package, 0o1775)        # as /nix/store is, with a group of its own: sshd starts nothing out of it
    config = configuration(lab, *keys)
    made, policy = of.policy(config)
    assert made.status == 0, str(made)
    etc = of.ask("nixos", "nixos.nix", config, "builtins.mapAttrs (_: f: { inherit (f) mode; from = "
                 "toString f.source; }) (removeAttrs c.environment.etc [ \"nix-gateway/policy.ini\" ])")
    for name, file in etc.items():
        lay(file["from"], f"/etc/{name}", file["mode"])
    lay(policy, "/etc/nix-gateway/policy.ini", "symlink")
    lab.account.shell(of.ask("nixos", "nixos.nix", config, "c.users.users.builder.shell"))
    lab.sshd(settings=of.ask("nixos", "nixos.nix", config, "c.services.openssh.extraConfig").splitlines())


def lay(source, target, mode):
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    if os.path.lexists(target):
        os.unlink(target)
    if mode == "symlink":
        os.symlink(source, target)
    else:
        shutil.copy(source, target)
        os.chmod(target, int(mode, 8))


def test_a_key_of_the_configuration_is_let_in_and_known_by_name(lab):
    alice = lab.key("alice")
    switch(lab, alice)
    lab.daemon.start()
    shown = lab.ssh(alice, "info")
    assert shown.status == 0 and "alice" in shown.stdout and alice.fingerprint in shown.stdout, str(shown)


def test_a_key_that_the_configuration_does_not_name_is_not_let_in(lab):
    alice, bob = lab.key("alice"), lab.key("bob")
    switch(lab, alice)
    shown = lab.ssh(bob, "info")
    assert shown.status == 255 and "Permission denied" in shown.stderr, str(shown)


def test_a_build_on_the_configured_builder_succeeds(lab):
    alice = lab.key("alice")
    switch(lab, alice)
    lab.daemon.start()
    result = lab.build(alice, expression=FIXED % hashlib.sha256(b"built\n").hexdigest())
    assert lab.built(result) == "built", str(result)
    started = [record for record in lab.records() if record["event"] == "session-start"]
    assert started and all(record["key"] == "alice" for record in started), lab.records()


def test_nothing_but_the_gateway_can_be_run(lab):
    alice = lab.key("alice")
    switch(lab, alice)
    lab.daemon.start()
    for command in ("id", "cat /etc/passwd", f"{PROGRAM} env"):
        shown = lab.ssh(alice, command)
        assert shown.status == 1 and "uid=" not in shown.text and "root:" not in shown.text, str(shown)
    forwarded = lab.ssh(alice, "-N", options=["-o", "ExitOnForwardFailure=yes", "-W", "127.0.0.1:22"])
    assert forwarded.status == 255 and "forwarding failed" in forwarded.text, str(forwarded)


if __name__ == "__main__":
    cases.main(globals())
