#!/usr/bin/env python3
"""The modules for NixOS, nix-darwin and home-manager: evaluated by this machine's Nix with a stand-in for nixpkgs' lib
(see nix/lib.nix), their policy made by a real build, with the program's own check in it, and read by the program."""
import os
import re

import modules
import workbench

PROGRAM = "/etc/nix-gateway/bin/nix-gateway"
KEYS = os.path.join(workbench.ROOT, "tests", "corpus", "ssh")

BUILDER = """
  services.nix-gateway = {
    enable = true;
    settings.gateway.account = "untrusted";
    settings.default = { systems = [ "x86_64-linux" "i686-linux" ]; timeout = "2h"; keep-failed = false; };
    settings."role tester".features = [ "kvm" "nixos-test" ];
    keys.alice.publicKeys = [ "%(ed25519)s" "%(rsa)s" ];
    keys.alice.settings = { role = "tester"; cores = 4; expires = null; };
    keys.bob.settings = { fingerprint = [ "%(ecdsa)s" ]; protocols = [ "ssh-ng" ]; };
  };
"""
CLIENT = """
  programs.nix-gateway-client = {
    enable = true;
    builders.big = {
      hostName = "builder.example.org"; port = 2222; sshKey = "/etc/nix/key"; systems = [ "x86_64-linux" ];
      supportedFeatures = [ "kvm" ]; maxJobs = 4;
    };
  };
"""


def public_key(name):
    with open(os.path.join(KEYS, f"{name}.pub"), encoding="utf-8") as file:
        return file.read().strip()


def fingerprint(name):
    made = workbench.run(["ssh-keygen", "-lf", os.path.join(KEYS, f"{name}.pub")])
    return made.stdout.split()[1]


def builder():
    return BUILDER % {"ed25519": public_key("ed25519"), "rsa": public_key("rsa"), "ecdsa": fingerprint("ecdsa-256")}


def of(at):
    return modules.Modules(at.path("nix"), at.gateway)


NIXOS = " services.openssh.enable = true; "


def test_the_policy_of_a_system_holds_its_keys_and_has_no_fault(at):
    made, path = of(at).policy(NIXOS + builder())
    assert made.status == 0, str(made)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text == f"""[default]
keep-failed = false
systems = x86_64-linux i686-linux
timeout = 2h

[gateway]
account = untrusted

[role tester]
features = kvm nixos-test

[key alice]
fingerprint = {fingerprint("ed25519")}
fingerprint = {fingerprint("rsa")}
cores = 4
role = tester

[key bob]
fingerprint = {fingerprint("ecdsa-256")}
protocols = ssh-ng
""", text
    explained = workbench.run([at.gateway, "explain", "--policy", path, "--key", "alice", "--feature", "kvm"])
    assert "kvm" in explained.stdout, str(explained)


def test_a_policy_with_a_fault_is_not_built(at):
    made, _ = of(at).policy(NIXOS + builder().replace('systems = [ "x86', 'sistems = [ "x86'))
    assert made.status != 0 and "'sistems'" in made.stderr, str(made)


def test_what_is_no_public_key_is_not_built(at):
    made, _ = of(at).policy(NIXOS + builder().replace("ssh-ed25519 AAAA", "ssh-ed25519 BBBB"))
    assert made.status != 0 and "not an SSH public key: ssh-ed25519 BBBB" in made.stderr, str(made)


def test_a_value_cannot_bring_a_line_of_its_own(at):
    for value in (r'"a\n[key eve]"', r'"a\rb"', '"a ;b"'):
        config = NIXOS + builder().replace('role = "tester"', f"role = {value}")
        text = of(at).refusal("nixos", "nixos.nix", config,
                              'c.environment.etc."nix-gateway/policy.ini".source.policyText')
        assert "a newline or a comment in a line of the policy" in text, text


def sshd_block(text):
    """Settings of the account's Match block, and what is left outside of it."""
    block = re.search(r"^Match User builder\n((?:  .*\n)*)Match All\n", text, re.MULTILINE)
    assert block, text
    return dict(line.split(None, 1) for line in block.group(1).splitlines()), text.replace(block.group(0), "")


def test_sshd_on_nixos_is_told_what_the_sample_file_says(at):
    config = NIXOS + 'services.openssh.extraConfig = "LogLevel VERBOSE";' + builder()
    text = of(at).ask("nixos", "nixos.nix", config, "c.services.openssh.extraConfig")
    block, rest = sshd_block(text)
    assert text.startswith("LogLevel VERBOSE\n") and rest.strip() == "LogLevel VERBOSE", text
    assert block["ForceCommand"] == f"{PROGRAM} serve"
    assert block["AuthorizedKeysCommand"] == f"{PROGRAM} authorized-keys %u %f %t %k"
    assert block["AuthorizedKeysFile"] == "none" and block["AuthorizedKeysCommandUser"] == "nobody"
    with open(os.path.join(workbench.ROOT, "packaging/sshd/nix-gateway.conf"), encoding="utf-8") as file:
        sample = dict(re.findall(r"^\t(\w+) (.*)$", file.read(), re.MULTILINE))
    own = ("AuthorizedKeysFile", "ForceCommand")
    assert {name: block.get(name) for name in sample if name not in own} == \
        {name: value for name, value in sample.items() if name not in own}, f"{block}\n{sample}"


def test_the_account_on_nixos_has_the_program_as_shell_and_no_home_of_its_own(at):
    user = of(at).ask("nixos", "nixos.nix", NIXOS + builder(), "c.users.users.builder")
    assert user["shell"] == PROGRAM and user["home"] == "/var/empty" and not user["createHome"] and user["isSystemUser"]
    assert user["group"] == "builder"
    assert of(at).ask("nixos", "nixos.nix", NIXOS + builder(), "c.users.groups ? builder")


def test_the_program_is_copied_out_of_the_store_on_nixos(at):
    copy = of(at).ask("nixos", "nixos.nix", NIXOS + builder(),
               'let e = c.environment.etc."nix-gateway/bin/nix-gateway"; in '
               '{ inherit (e) mode; from = toString e.source; }')
    assert copy == {"mode": "0755", "from": at.path("nix/package/bin/nix-gateway")}, copy


def test_a_system_without_keys_sshd_or_a_way_in_is_refused(at):
    config = NIXOS + builder()
    for changed, sentence in (
            (NIXOS + " services.nix-gateway.enable = true; ", "keys is empty"),
            (builder(), "needs sshd"),
            (config + ' services.openssh.settings.AllowUsers = [ "root" ]; ', "leaves builder out"),
            (config + ' nix.settings.trusted-users = [ "builder" ]; ', "no session would start"),
            (config.replace('"role tester"', '"key eve"'), "belong into services.nix-gateway.keys"),
            (config.replace("keys.bob.", f'keys."*".publicKeys = [ "{public_key("ed25519")}" ]; keys.bob.'),
             "no public keys")):
        failed = of(at).ask("nixos", "nixos.nix", changed, "c.failed")
        assert len(failed) == 1 and sentence in failed[0], f"{sentence}: {failed}"
    assert of(at).ask("nixos", "nixos.nix", config, "c.failed") == []
    assert of(at).ask("nixos", "nixos.nix", config, "c.warnings") == []


def test_what_weakens_a_builder_is_warned_of(at):
    config = NIXOS + builder().replace('settings.gateway.account = "untrusted";', "")
    for more, sentence in ((" nix.settings.sandbox = false; ", "sandbox is not true"),
                           (' nix.settings.trusted-users = [ "builder" ]; ', "no key of the policy needs that")):
        warnings = of(at).ask("nixos", "nixos.nix", config + more, "c.warnings")
        assert len(warnings) == 1 and sentence in warnings[0], warnings
    warnings = of(at).ask("nixos", "nixos.nix", config.replace("fingerprint =", "trusted-public-keys ="), "c.warnings")
    assert len(warnings) == 1 and "nothing says who may log in as bob" in warnings[0], warnings


def test_a_mac_gets_the_same_policy_and_the_same_lines_for_sshd(at):
    theirs, path = of(at).policy(NIXOS + builder())
    ours, mac_path = of(at).policy(builder(), "darwin", "darwin.nix")
    assert theirs.status == 0 and ours.status == 0 and path == mac_path, f"{theirs}\n{ours}"
    lines = [of(at).ask(system, module, config, "c.services.openssh.extraConfig") for system, module, config in (
        ("nixos", "nixos.nix", NIXOS + builder()), ("darwin", "darwin.nix", builder()))]
    assert lines[0] == lines[1]


def test_a_mac_gets_its_account_its_copy_and_its_warning(at):
    user = of(at).ask("darwin", "darwin.nix", builder(), "c.users.users.builder")
    assert user["shell"] == PROGRAM and user["home"] == "/var/empty" and user["isHidden"], user
    assert user["uid"] == user["gid"] == 399, user
    users = of(at).ask("darwin", "darwin.nix", builder(), "c.users")
    assert users["knownUsers"] == users["knownGroups"] == ["builder"] and users["groups"]["builder"]["gid"] == 399
    before = of(at).ask("darwin", "darwin.nix", builder(), "c.system.activationScripts.extraActivation.text")
    copied = re.search(r"install -m 755 -o root -g wheel (\S+) (\S+)\n\S*mv -f (\S+) (\S+)\n", before)
    new = PROGRAM + ".new"
    assert copied and copied.groups() == (at.path("nix/package/bin/nix-gateway"), new, new, PROGRAM), before
    after = of(at).ask("darwin", "darwin.nix", builder(), "c.system.activationScripts.postActivation.text")
    assert "-a builder -t user com.apple.access_ssh" in after
    warnings = of(at).ask("darwin", "darwin.nix", builder(), "c.warnings")
    assert len(warnings) == 1 and "on macOS" in warnings[0]
    assert of(at).ask("darwin", "darwin.nix", builder() + " nix.settings.sandbox = true; ", "c.warnings") == []


def test_clients_are_told_the_machine_and_how_ssh_reaches_it(at):
    machine = {"hostName": "big", "protocol": "ssh-ng", "sshUser": "builder", "sshKey": "/etc/nix/key", "maxJobs": 4,
               "systems": ["x86_64-linux"], "supportedFeatures": ["kvm"], "mandatoryFeatures": [], "speedFactor": 1,
               "publicHostKey": None}
    for system, module, config in (("nixos", "client-system.nix", CLIENT), ("darwin", "client-system.nix", CLIENT),
                                   ("home", "home-manager.nix", CLIENT + "programs.ssh.enable = true;")):
        assert of(at).ask(system, module, config, "c.nix.buildMachines") == [machine]
        assert of(at).ask(system, module, config, "c.nix.distributedBuilds")
        assert of(at).ask(system, module, config, "c.failed") == []
    block = of(at).ask("home", "home-manager.nix", config, "c.programs.ssh.matchBlocks.big")
    assert block == {"hostname": "builder.example.org", "user": "builder", "port": 2222, "identitiesOnly": True,
                     "identityFile": ["/etc/nix/key"], "serverAliveInterval": 60}, block
    assert "programs.ssh.enable" in of(at).ask("home", "home-manager.nix", CLIENT, "c.failed")[0]


def test_root_s_ssh_reads_the_lines_for_a_client(at):
    text = of(at).ask("nixos", "client-system.nix", CLIENT, "c.programs.ssh.extraConfig")
    shown = workbench.run(["ssh", "-G", "-F", at.file("ssh_config", text), "big"])
    assert shown.status == 0, str(shown)
    for line in ("hostname builder.example.org", "port 2222", "identitiesonly yes", "serveraliveinterval 60"):
        assert f"\n{line}\n" in "\n" + shown.stdout, str(shown)


def test_a_private_key_in_the_store_is_refused(at):
    at_store = CLIENT.replace('"/etc/nix/key"', "\"${builtins.storeDir}/x-key\"")
    failed = of(at).ask("nixos", "client-system.nix", at_store, "c.failed")
    assert len(failed) == 1 and "can be read by everybody" in failed[0]


def test_an_option_that_is_nowhere_declared_does_not_evaluate(at):
    config = NIXOS + builder().replace("settings.gateway", "setings.gateway")
    assert "services.nix-gateway.setings is no option" in of(at).refusal("nixos", "nixos.nix", config, "c.warnings")
    config = NIXOS + builder().replace("enable = true;", 'enable = "yes";')
    assert "services.nix-gateway.enable is not a boolean" in of(at).refusal("nixos", "nixos.nix", config, "c.warnings")


def test_every_nix_file_parses(at):
    for folder in (modules.FOLDER, os.path.dirname(modules.EVALUATE)):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".nix"):
                made = of(at).nix("nix-instantiate", "--parse", os.path.join(folder, name))
                assert made.status == 0, str(made)


if __name__ == "__main__":
    workbench.main(globals())
