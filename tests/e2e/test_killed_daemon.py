#!/usr/bin/env python3
"""A real daemon is killed in the middle of a build, an upload or a download: the client is told in one sentence, and nothing of
the session is left."""
import os
import signal

import cases
import grants
import process

import wire

GONE = "nix-gateway: the Nix daemon has closed the connection"
SECONDS_TO_END = 10


def builder(lab):
    alice = lab.key("alice")
    grants.filtered(lab, "[key alice]\n", keys=[alice])
    return alice


def kill_daemon(lab):
    """With all that it has started, at once."""
    leader = lab.daemon.server.child.pid
    for pid in [leader, *process.descendants(leader)]:
        process.send(pid, signal.SIGKILL)


def gateways(lab):
    """The processes that run the program."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as command:
                if command.read().split(b"\0")[0].decode(errors="replace") == lab.gateway:
                    found.append(int(entry))
        except FileNotFoundError:
            continue
    return found


def nothing_is_left(lab, outcome):
    grants.wait_for(lambda: not gateways(lab), SECONDS_TO_END, f"{gateways(lab)} run on")
    ends = [record["outcome"] for record in grants.events(lab, "session-end")]
    assert ends[-1] == outcome, ends


def thing(lab, name, content):
    made = wire.Object(name, content)
    made.path = wire.store_path("source", made.hash, name, lab.store)
    return made


def test_a_build_ends_when_its_daemon_is_killed(lab):
    builder(lab)
    url, note = "ssh-ng://alice.lab", os.path.join(lab.folder, "building")
    drv = grants.instantiated(lab, grants.derivation("long", f": > {note}; exec /bin/sleep 80"))
    copied = lab.client.run(["nix", "copy", "--derivation", "--to", url, drv])
    assert copied.status == 0, str(copied)
    client = lab.client.start(["nix-store", "--realise", "--store", url, drv])
    try:
        grants.wait_for(lambda: os.path.exists(note), 30, "the build does not begin")
        kill_daemon(lab)
        said, _ = client.communicate(timeout=SECONDS_TO_END)
    finally:
        lab.client.end([client])
    said = said.decode(errors="replace")
    assert client.returncode not in (0, None), said
    assert GONE in said, said
    nothing_is_left(lab, "daemon-gone")


def test_an_upload_ends_when_its_daemon_is_killed(lab):
    session = grants.speak(lab, builder(lab)).enter()
    big = thing(lab, "big", os.urandom(1 << 20))
    whole = wire.u64(39) + big.add_nar() + wire.frames(big.nar)
    session.send(whole[:len(whole) // 2])
    kill_daemon(lab)
    try:
        session.send(whole[len(whole) // 2:])
    except wire.Ended:
        pass
    answer = session.answer()
    assert answer.error is not None and GONE in answer.error, answer.error
    session.end()
    assert session.said().count("nix-gateway: ") == 1 and GONE in session.said(), session.said()
    nothing_is_left(lab, "daemon-gone")


def test_a_download_ends_when_its_daemon_is_killed(lab):
    """The client has the beginning of the archive then, and not another byte behind it."""
    session = grants.speak(lab, builder(lab)).enter()
    big = thing(lab, "big", os.urandom(1 << 20) * 16)
    session.send(wire.u64(39) + big.add_nar() + wire.frames(big.nar), limit=60)
    answer = session.answer()
    assert answer.error is None, answer.error
    session.send(wire.u64(38) + wire.text(big.path))
    assert session.answer().error is None
    got = session.reader.read(1 << 16)
    kill_daemon(lab)
    got += session.rest(leave=False)
    assert big.nar.startswith(got) and len(got) < len(big.nar), len(got)
    session.end()
    assert session.said().count("nix-gateway: ") == 1 and GONE in session.said(), session.said()
    nothing_is_left(lab, "daemon-gone")


if __name__ == "__main__":
    cases.main(globals())
