#!/usr/bin/env python3
"""S4: the ways past the gateway that sshd itself would offer. A real sshd with the settings that we ship, and a real client
that asks for each of them; the same client gets them from an sshd without these settings, which shows that it has asked."""
import os
import re
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import cases
import process
import sshd
import wire

WORKER = "nix-daemon --stdio"

SAMPLE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "packaging", "sshd", "nix-gateway.conf")
SECONDS = 10


def shipped(lab):
    """The sample's settings, but for the places that are the lab's own. ForceCommand is given by the caller."""
    with open(SAMPLE, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.strip().startswith(("#", "Match"))]
    assert "DisableForwarding yes" in lines and "PermitTTY no" in lines, lines
    return [line for line in lines if not line.startswith(("ForceCommand", "AuthorizedKeysFile"))]


def begin(lab, settings):
    lab.daemon.start()
    key = lab.key("alice")
    lab.policy(f"[key alice]\nfingerprint = {key.fingerprint}\n")
    lab.sshd(force_command=lab.serve(), settings=settings)
    return key


def careless(lab):
    """An sshd that forces the command and thinks of nothing else."""
    return begin(lab, ["ExposeAuthInfo yes", "AllowTcpForwarding yes", "AllowStreamLocalForwarding yes", "AcceptEnv *"])


def forwarded(lab, key, *words):
    """ssh -N with a forwarding; gives the running client."""
    argv = [shutil.which("ssh"), "-F", lab.hosts.path, "-N", "-o", "ExitOnForwardFailure=yes", *words, f"{key.name}.lab"]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            start_new_session=True, env=lab.client.env)


def end(child):
    process.kill_group(child.pid)
    child.communicate(timeout=SECONDS)


def hello_through(address, family):
    """What comes back of a worker's hello by way of a forwarded socket: the daemon's magic, or nothing."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with socket.socket(family) as end_of_ours:
            end_of_ours.settimeout(SECONDS)
            try:
                end_of_ours.connect(address)
            except OSError:
                time.sleep(0.05)
                continue
            try:
                end_of_ours.sendall(wire.u64(wire.CLIENT_MAGIC) + wire.version(38))
                return end_of_ours.recv(8)
            except OSError:
                return b""
    raise AssertionError(f"ssh does not listen at {address}")


def through_a_socket(lab, key):
    here = os.path.join(lab.folder, "forwarded")
    if os.path.exists(here):
        os.unlink(here)
    child = forwarded(lab, key, "-L", f"{here}:{lab.daemon.socket}")
    try:
        return hello_through(here, socket.AF_UNIX)
    finally:
        end(child)


def through_a_port(lab, key):
    port = sshd.free_port()
    child = forwarded(lab, key, "-L", f"127.0.0.1:{port}:{lab.daemon.socket}")
    try:
        return hello_through(("127.0.0.1", port), socket.AF_INET)
    finally:
        end(child)


def through_stdio(lab, key):
    argv = [shutil.which("ssh"), "-F", lab.hosts.path, "-W", f"127.0.0.1:{lab.server.port}", f"{key.name}.lab"]
    return process.run(argv, env=lab.client.env, limit=20).stdout[:4].encode()


WAYS = (("a_socket", (through_a_socket, wire.u64(wire.DAEMON_MAGIC))),
        ("a_port", (through_a_port, wire.u64(wire.DAEMON_MAGIC))), ("stdio", (through_stdio, b"SSH-")))


def each_s4_forwarding_past_the_gateway_is_refused(lab, case):
    way, proof = case
    assert way(lab, careless(lab)) == proof, "the attempt is none"
    key = begin(lab, shipped(lab))
    assert way(lab, key) == b""
    assert lab.ssh(key).status == 0, "and nobody else gets in either"


cases.each(globals(), WAYS, each_s4_forwarding_past_the_gateway_is_refused)


def each_s4_listening_on_the_builder_is_refused(lab, kind):
    there = os.path.join(lab.make_writable(f"listen-{kind}"), "socket") if kind == "socket" else str(sshd.free_port())
    key = begin(lab, shipped(lab))
    child = forwarded(lab, key, "-R", f"{there}:127.0.0.1:{lab.server.port}")
    said = child.communicate(timeout=SECONDS)[0].decode()
    assert child.returncode != 0 and "remote port forwarding failed" in said.lower(), said
    assert not os.path.exists(there) or kind == "port"


cases.each(globals(), (("socket", "socket"), ("port", "port")), each_s4_listening_on_the_builder_is_refused)


def test_s4_a_terminal_an_agent_and_variables_are_not_given(lab):
    """With the shipped settings not even the gateway sees them."""
    folder = lab.make_writable("seen")
    script = lab.file("seen.sh", f"#!/bin/sh\n{{ /usr/bin/tty; /usr/bin/env; }} > {folder}/said\n", 0o755)
    key = lab.key("alice")
    lab.sshd(force_command=script, settings=shipped(lab), send_env=["SECRET", "LANG", "LC_ALL"])
    refused = lab.ssh(key, WORKER, options=["-tt"])
    assert refused.status == 255 and "PTY allocation request failed" in refused.stderr, str(refused)
    result = lab.ssh(key, WORKER, options=["-A", "-X"], env={"SECRET": "1", "LC_ALL": "C", "LANG": "C"})
    with open(os.path.join(folder, "said"), encoding="utf-8") as file:
        said = file.read()
    assert "not a tty" in said and "SSH_ORIGINAL_COMMAND=nix-daemon --stdio" in said, f"{result} {said}"
    assert not re.search(r"^(SECRET|LANG|LC_ALL|DISPLAY|SSH_AUTH_SOCK|SSH_TTY)=", said, re.MULTILINE), said


def test_s4_one_connection_has_no_more_sessions_than_it_should(lab):
    """Each is a process on the builder: the fifth channel of one connection is refused."""
    begin(lab, shipped(lab))
    control = os.path.join(lab.folder, "control")
    master = [shutil.which("ssh"), "-F", lab.hosts.path, "-M", "-S", control, "-o", "ControlMaster=yes", "-N", "alice.lab"]
    child = subprocess.Popen(master, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True, env=lab.client.env)
    sessions = []
    try:
        until = time.monotonic() + SECONDS
        while not os.path.exists(control) and time.monotonic() < until:
            time.sleep(0.05)
        for _ in range(6):
            argv = [shutil.which("ssh"), "-F", lab.hosts.path, "-S", control, "-o", "ProxyCommand=false", "alice.lab", WORKER]
            sessions.append(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                             env=dict(lab.client.env), start_new_session=True))
            sessions[-1].stdin.write(wire.u64(wire.CLIENT_MAGIC))
            sessions[-1].stdin.flush()
        time.sleep(1)
        alive = [session for session in sessions if session.poll() is None]
        assert len(alive) <= 4, f"{len(alive)} sessions run"
        assert len(alive) == 4 and all(session.stdout.read(8) == wire.u64(wire.DAEMON_MAGIC) for session in alive)
    finally:
        for session in sessions:
            process.kill_group(session.pid)
            session.communicate()
        end(child)


if __name__ == "__main__":
    cases.main(globals())
