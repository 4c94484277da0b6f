#!/usr/bin/env python3
"""What `machines` prints is what a client can use: the line in a real build with the host key it names, the rest as Nix
and ssh themselves read it."""
import base64
import json
import shutil

import cases
from lab import own_system
from process import run
from test_doctor import Builder, bare_home

HOST = "builder.example.org"


def machines(lab, *words, key="alice", host=HOST):
    return lab.client.run([lab.gateway, "machines", "--key", key, "--host", host, "--policy", lab.policy_path, "--account",
                           lab.account.name, *words], limit=60)


def policy(lab, text):
    lab.policy(f"[key alice]\n{text}\n[key *]\n")


def evaluated(lab, text):
    result = lab.client.run(["nix-instantiate", "--eval", "--strict", "--json", "--expr", text], limit=60)
    assert result.status == 0, str(result)
    return json.loads(result.stdout)


def host_line(builder):
    return " ".join(builder.lab.server.host_key.line.split()[:2])


def each_line_over_ssh_builds_and_names_the_key_that_the_host_shows(lab, suite_name):
    suite = cases.need_suite(lab, suite_name)
    builder = Builder(lab)
    if suite is None:       # may be too old to build without being believed
        builder.trusted, builder.gateway = f"root {lab.account.name}", {}
        builder.policy += "trust = full\n"
    shutil.copy(lab.server.host_key.path + ".pub", "/etc/ssh/ssh_host_ed25519_key.pub")
    with bare_home(lab):
        builder.settle()
        lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
        result = lab.ssh(builder.key, "machines")
        assert result.status == 0 and result.stdout.count("\n") == 1, str(result)
        words = result.stdout.split()
        assert words[0] == f"ssh-ng://{lab.account.name}@127.0.0.1" and own_system() in words[1].split(","), words
        assert base64.b64decode(words[7]).decode() == host_line(builder), words
        # The lab's sshd has a port of its own, which the line cannot say: an alias in ssh_config does.
        insist(lab, "alice.lab")
        line = result.stdout.strip().replace(f"{lab.account.name}@127.0.0.1", "alice.lab")
        assert lab.built(lab.build(builder.key, builders=line, suite=suite)) == "built"
        other = base64.b64encode(lab.key("stranger").line.encode()).decode()
        refused = lab.build(builder.key, builders=line.replace(words[7], other), suite=suite)
    assert refused.status != 0 and "Host key verification failed" in refused.text, str(refused)


cases.each(globals(), cases.CLIENTS, each_line_over_ssh_builds_and_names_the_key_that_the_host_shows)


def insist(lab, alias):
    """The client takes no host whose key it does not know."""
    with open(lab.hosts.path, encoding="utf-8") as file:
        text = file.read()
    text = text.replace("StrictHostKeyChecking no", "StrictHostKeyChecking yes").replace(
        "    UserKnownHostsFile /dev/null\n", "")
    lab.file(lab.hosts.path, f"Host {alias}\n    HostKeyAlias {alias}\n    GlobalKnownHostsFile /dev/null\n{text}")


def test_the_administrator_prints_the_same_line(lab):
    builder = Builder(lab)
    builder.policy += "systems = x86_64-linux aarch64-linux\nfeatures = kvm\nmandatory-features = kvm\n"
    builder.settle()
    result = machines(lab)
    assert result.status == 0 and result.stderr == "", str(result)
    words = result.stdout.split()
    assert words[:3] == [f"ssh-ng://{lab.account.name}@{HOST}", "x86_64-linux,aarch64-linux", "-"], words
    assert words[5:7] == ["kvm", "kvm"] and base64.b64decode(words[7]).decode() == host_line(builder), words


def test_any_becomes_what_nix_conf_offers(lab):
    builder = Builder(lab)
    builder.nix_conf += "extra-platforms = riscv64-linux\nsystem-features = big-parallel\nextra-system-features = gpu\n"
    builder.settle()
    words = machines(lab).stdout.split()
    assert words[1] == f"{own_system()},riscv64-linux" and words[5:7] == ["big-parallel,gpu", "-"], words


def test_nixos_gets_a_module(lab):
    builder = Builder(lab)
    builder.policy += "systems = x86_64-linux\nfeatures =\nmandatory-features =\n"
    builder.settle()
    result = machines(lab, "--format", "nixos")
    module = evaluated(lab, result.stdout)
    assert module["nix"]["distributedBuilds"] is True and len(module["nix"]["buildMachines"]) == 1, module
    machine = module["nix"]["buildMachines"][0]
    assert machine.pop("maxJobs") > 0 and base64.b64decode(machine.pop("publicHostKey")).decode() == host_line(builder)
    assert machine == {"hostName": HOST, "protocol": "ssh-ng", "sshUser": lab.account.name, "systems": ["x86_64-linux"],
                       "speedFactor": 1, "supportedFeatures": [], "mandatoryFeatures": []}, machine


def test_home_manager_gets_the_same_and_a_block_for_ssh(lab):
    builder = Builder(lab).settle()
    nixos = evaluated(lab, machines(lab, "--format", "nixos").stdout)
    home = evaluated(lab, machines(lab, "--format", "home-manager").stdout)
    assert builder and home["nix"] == nixos["nix"], home
    assert home["programs"]["ssh"]["matchBlocks"][HOST]["user"] == lab.account.name, home


def test_ssh_reads_its_own_format(lab):
    builder = Builder(lab).settle()
    result = machines(lab, "--format", "ssh-config")
    path = lab.file("client_config", result.stdout)
    read = run(["ssh", "-G", "-F", path, HOST], limit=20)
    lines = read.stdout.splitlines()
    assert read.status == 0 and f"user {lab.account.name}" in lines and "requesttty false" in lines, str(read)
    assert f"# {HOST} {host_line(builder)}" in result.stdout, str(result)


def test_an_address_of_ipv6_stands_in_brackets(lab):
    Builder(lab).settle()
    assert machines(lab, host="2001:db8::1").stdout.startswith(f"ssh-ng://{lab.account.name}@[2001:db8::1] ")


def test_a_key_of_the_older_protocol_alone(lab):
    builder = Builder(lab)
    builder.policy += "protocols = ssh\n"
    builder.settle()
    assert machines(lab).stdout.startswith("ssh://")
    assert 'protocol = "ssh";' in machines(lab, "--format", "nixos").stdout


def test_what_is_refused(lab):
    builder = Builder(lab)
    builder.policy += "expires = 2020-01-01\n"
    builder.settle()
    expired = machines(lab)
    assert expired.status == 1 and "expired on 2020-01-01" in expired.stderr and expired.stdout == "", str(expired)
    for result, words in ((machines(lab, key="nobody-we-know"), "nobody-we-know"), (machines(lab, host="a b"), "no host"),
                          (machines(lab, host="a:22"), "a port is for"), (machines(lab, host='a"b'), "no host"),
                          (machines(lab, host="-oProxyCommand=x"), "no host")):
        assert result.status == 2 and words in result.stderr and result.stdout == "", str(result)
    builder.policy = f"[key alice]\nfingerprint = {builder.key.fingerprint}\n"
    builder.settle()
    result = machines(lab, "--format", "toml")
    assert result.status == 2 and "home-manager" in result.stderr and result.stdout == "", str(result)


def test_doctor_over_ssh_tells_a_keys_owner_what_concerns_them(lab):
    builder = Builder(lab)
    builder.policy += "expires = 2099-12-31\nfeatures = gpu\n"
    with bare_home(lab):
        builder.settle()
        lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
        result = lab.ssh(builder.key, "doctor")
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert result.status == 0, str(result)
    assert set(lines) == {"ok    nix", "ok    daemon", "ok    key", "ok    systems", "warn  features"}, str(result)
    assert lines["ok    key"] == "you are alice until 2099-12-31" and "gpu" in lines["warn  features"], str(result)
    for secret in (lab.policy_path, "nix.conf is", "trusted-users", lab.audit, "sshd"):
        assert secret not in result.stdout, str(result)
    assert lab.records() == []


def test_doctor_over_ssh_says_that_the_daemon_does_not_answer(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle()
        lab.daemon.stop()
        lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
        result = lab.ssh(builder.key, "doctor")
    assert result.status == 1 and "FAIL  daemon: the Nix daemon does not answer" in result.stdout, str(result)


def test_nothing_may_stand_behind_the_word(lab):
    builder = Builder(lab)
    with bare_home(lab):
        builder.settle()
        lab.sshd(force_command=lab.serve(), settings=["ExposeAuthInfo yes"])
        for command in ("doctor --json", "machines --format nixos", "doctor --policy /etc/shadow", "machine"):
            result = lab.ssh(builder.key, command)
            assert result.status == 1 and "this builder does not run" in result.stderr and result.stdout == "", str(result)


if __name__ == "__main__":
    cases.main(globals())
