#!/usr/bin/env python3
"""Recorded sessions of real clients with real daemons, played again: in one piece, byte by byte, cut in two at any place
on either side, and broken off anywhere. Where the network cuts what is said must change nothing of what comes out.

With NIX_GATEWAY_EVERY_CUT set, at every byte (a quarter of an hour); else at SAMPLES places of each side. The recordings
are made by record.py, and made anew when the gateway asks the daemon otherwise than before.
"""
import hashlib
import json
import os
import termios

from ground import HERE, cases, main
from playback import Playback, say
import fake_daemon
import speaker
import wire

CORPUS = os.path.join(os.path.dirname(HERE), "corpus", "session")
SAMPLES = 24
EVERY_CUT = "NIX_GATEWAY_EVERY_CUT" in os.environ
if EVERY_CUT:
    cases.TEST_SECONDS = 600


class Recording:
    def __init__(self, entry):
        self.name, self.grant, self.store = entry["name"], entry["grant"], entry["store"]
        self.command = entry["command"]
        self.serves = "--serve" in self.command
        self.answer_bytes, self.answer_hash = entry["answer-bytes"], entry["answer-sha256"]
        self.client, self.daemon = (read(self.name, kind) for kind in ("client", "daemon"))


def read(name, kind):
    with open(os.path.join(CORPUS, f"{name}.{kind}"), "rb") as file:
        return file.read()


def recordings():
    with open(os.path.join(CORPUS, "index.json"), encoding="utf-8") as file:
        return [Recording(entry) for entry in json.load(file)]


ALL = [(recording.name.replace("-", "_"), recording) for recording in recordings()]


class Outcome:
    """What came out of a session on both sides. The frames upstream are cut as bytes happen to come, so what they mean is
    what is compared."""

    def __init__(self, answer, status, requests):
        self.answer, self.status, self.requests = answer, status, requests

    def __eq__(self, other):
        return (self.answer, self.status, self.requests) == (other.answer, other.status, other.requests)

    def __str__(self):
        return f"status {self.status}, {len(self.answer)} bytes for the client, upstream {self.requests}"


def pieces(content, cuts):
    places = [0, *cuts, len(content)]
    return [content[start:stop] for start, stop in zip(places, places[1:]) if start < stop]


def start(ground, recording, playback):
    """A gateway before that daemon, and nothing left of those before it: a connection of theirs may still be waiting."""
    ground.daemon.stop()
    faults, ground.daemon = ground.daemon.faults, fake_daemon.Daemon(ground.daemon.path)
    ground.daemon.faults = faults
    ground.policy(recording.grant, recording.store)
    ground.sessions = ground.sessions[-1:]
    playback.install(ground.daemon)
    return ground.start(speaker.Serve if recording.serves else speaker.Worker, recording.command)


def play(ground, recording, client_cuts=(), daemon_cuts=()):
    """One whole session; the client leaves when it has as much as it once got."""
    session = start(ground, recording, Playback(recording.daemon, daemon_cuts))
    say(session.send, session.to, termios.FIONREAD, pieces(recording.client, client_cuts))
    answer = session.reader.read(recording.answer_bytes)
    answer += session.rest()
    session.wait()
    assert ground.daemon.said_goodbye(5)
    return Outcome(answer, session.status, ground.daemon.the_connection().requests)


def whole(ground, recording):
    outcome = play(ground, recording)
    assert outcome.status == 0, f"{outcome}: {ground.sessions[-1].said()}"
    return outcome


def each_recording_is_answered_as_it_once_was(ground, recording):
    outcome = whole(ground, recording)
    assert len(outcome.answer) == recording.answer_bytes, outcome
    assert hashlib.sha256(outcome.answer).hexdigest() == recording.answer_hash, "other bytes for the client than then"


def each_recording_byte_by_byte_is_the_same(ground, recording):
    expected = whole(ground, recording)
    client, daemon = range(1, len(recording.client)), range(1, len(recording.daemon))
    for cuts in ((client, ()), ((), daemon), (client, daemon)):
        outcome = play(ground, recording, *cuts)
        assert outcome == expected, f"{outcome}\nand not\n{expected}"


def places(content):
    """Where to cut: everywhere, or at places that stand differently to the words of eight bytes."""
    if len(content) <= SAMPLES or EVERY_CUT:
        return range(len(content))
    step = len(content) // SAMPLES | 1
    return range(len(content) % step, len(content), step)


def each_recording_cut_in_two_is_the_same(ground, recording):
    expected = whole(ground, recording)
    for cut in places(recording.client):
        outcome = play(ground, recording, client_cuts=[cut])
        assert outcome == expected, f"client cut at {cut}: {outcome}\nand not\n{expected}"
    for cut in places(recording.daemon):
        outcome = play(ground, recording, daemon_cuts=[cut])
        assert outcome == expected, f"daemon cut at {cut}: {outcome}\nand not\n{expected}"


def each_client_that_breaks_off_leaves_nothing_behind(ground, recording):
    """It has got a beginning of the whole answer and nothing else."""
    expected = whole(ground, recording)
    for cut in places(recording.client):
        session = start(ground, recording, Playback(recording.daemon))
        session.send(recording.client[:cut])
        got = session.rest()
        assert session.wait(2) in (0, 1), session.status
        assert expected.answer.startswith(got), f"client gone at {cut}: {got!r}"


def each_daemon_that_breaks_off_is_told_of(ground, recording):
    """The client gets a beginning of the whole answer, and where there is a place for it an error; the session ends."""
    expected = whole(ground, recording)
    for cut in places(recording.daemon):
        session = start(ground, recording, Playback(recording.daemon, end=cut))
        try:
            session.send(recording.client)
        except wire.Ended:
            pass
        session.waits_to_say("nix-gateway: ")
        got = session.rest()
        assert session.wait() == 1, f"daemon gone at {cut}: status {session.status}"
        same = os.path.commonprefix([got, expected.answer])
        rest = got[len(same):]
        assert not rest or b"nix-gateway: " in rest and not recording.serves, f"daemon gone at {cut}: {rest!r}"


for test in (each_recording_is_answered_as_it_once_was, each_recording_byte_by_byte_is_the_same,
             each_recording_cut_in_two_is_the_same, each_client_that_breaks_off_leaves_nothing_behind,
             each_daemon_that_breaks_off_is_told_of):
    cases.each(globals(), ALL, test)


if __name__ == "__main__":
    main(globals())
