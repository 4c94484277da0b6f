#!/usr/bin/env python3
"""Recorded sessions of real clients with real daemons, played again: in one piece, byte by byte, cut in two at any place
on either side, and broken off anywhere. Where the network cuts what is said must change nothing of what comes out.

With NIX_GATEWAY_EVERY_CUT set, at every byte (a quarter of an hour); else at SAMPLES places of each side. The recordings
are made by record.py, and made anew when the gateway asks the daemon otherwise than before.
"""
import array
import fcntl
import hashlib
import json
import os
import termios
import threading
import time

from ground import HERE, cases, main
import fake_daemon
import speaker
import wire

CORPUS = os.path.join(os.path.dirname(HERE), "corpus", "session")
SAMPLES = 24
WAIT = 0.05                     # seconds that a piece is given to be read before the next one follows


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


def queued(fd, question):
    count = array.array("i", [0])
    fcntl.ioctl(fd, question, count)
    return count[0]


def until_read(fd, question):
    """Until the other side has taken what was written, for a while: it need not."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until and queued(fd, question) > 0:
        time.sleep(0.0002)


def say(send, fd, question, pieces):
    """The pieces, each read before the next one comes."""
    for piece in pieces:
        send(piece)
        until_read(fd, question)


class Playback:
    """The daemon's part. It answers nothing: it says what was recorded, and takes what it is sent."""

    def __init__(self, pieces):
        self.pieces = pieces
        self.speaking = None

    def __call__(self, connection):
        self.speaking = threading.Thread(target=self.speak, args=[connection], daemon=True)
        self.speaking.start()
        connection.outstay()

    def speak(self, connection):
        try:
            say(connection.end.sendall, connection.end.fileno(), termios.TIOCOUTQ, self.pieces)
        except OSError:
            pass


class Outcome:
    """What came out of a session on both sides. The frames upstream are cut as bytes happen to come, so what they mean is
    what is compared."""

    def __init__(self, answer, status, heard):
        self.answer, self.status, self.heard = answer, status, heard

    def __eq__(self, other):
        return (self.answer, self.status, self.heard) == (other.answer, other.status, other.heard)

    def __str__(self):
        return f"status {self.status}, {len(self.answer)} bytes for the client, upstream {self.heard}"


def play(ground, recording, client, daemon):
    """One session out of the pieces; the client leaves when it has as much as it once got."""
    ground.daemon.greets = Playback(daemon)
    session = start(ground, recording)
    say(session.send, session.to, termios.FIONREAD, client)
    answer = session.reader.read(recording.answer_bytes)
    heard(ground, recording)
    answer += session.rest()
    session.wait()
    assert ground.daemon.said_goodbye(5)
    return Outcome(answer, session.status, heard(ground, recording))


def start(ground, recording):
    ground.policy(recording.grant, recording.store)
    ground.daemon.connections.clear()
    ground.sessions = ground.sessions[-1:]
    return ground.start(speaker.Serve if recording.serves else speaker.Worker, recording.command)


def heard(ground, recording, limit=2):
    """The requests of the gateway, decoded at the version that the recorded daemon spoke. A recorded daemon may answer
    before it was asked; so the client may have its answer while the question is still under way."""
    until = time.monotonic() + limit
    while True:
        try:
            return requests_in(bytes(ground.daemon.the_connection().received), recording)
        except wire.Ended:
            assert time.monotonic() < until, "the last request does not end"
            time.sleep(0.001)


def requests_in(received, recording):
    reader = wire.reader_of(received)
    reader.read(16)
    if recording.daemon[8] >= 38:
        reader.texts()
    reader.read(16)
    requests = []
    while len(reader.taken) < len(received):
        request = wire.read_request(reader)
        if request.framed:
            request.content = reader.frames()
        requests.append(request)
    return requests


def whole(ground, recording):
    outcome = play(ground, recording, [recording.client], [recording.daemon])
    assert outcome.status == 0, f"{outcome}: {ground.sessions[-1].said()}"
    return outcome


def each_recording_is_answered_as_it_once_was(ground, recording):
    outcome = whole(ground, recording)
    assert len(outcome.answer) == recording.answer_bytes, outcome
    assert hashlib.sha256(outcome.answer).hexdigest() == recording.answer_hash, "other bytes for the client than then"


def singly(content):
    return [content[at:at + 1] for at in range(len(content))]


def each_recording_byte_by_byte_is_the_same(ground, recording):
    expected = whole(ground, recording)
    for client, daemon in ((singly(recording.client), [recording.daemon]), ([recording.client], singly(recording.daemon)),
                           (singly(recording.client), singly(recording.daemon))):
        outcome = play(ground, recording, client, daemon)
        assert outcome == expected, f"{outcome}\nand not\n{expected}"


def places(content):
    """Where to cut: everywhere, or at places that stand differently to the words of eight bytes."""
    if len(content) <= SAMPLES or "NIX_GATEWAY_EVERY_CUT" in os.environ:
        return range(len(content))
    step = len(content) // SAMPLES | 1
    return range(len(content) % step, len(content), step)


def each_recording_cut_in_two_is_the_same(ground, recording):
    expected = whole(ground, recording)
    for cut in places(recording.client):
        outcome = play(ground, recording, [recording.client[:cut], recording.client[cut:]], [recording.daemon])
        assert outcome == expected, f"client cut at {cut}: {outcome}\nand not\n{expected}"
    for cut in places(recording.daemon):
        outcome = play(ground, recording, [recording.client], [recording.daemon[:cut], recording.daemon[cut:]])
        assert outcome == expected, f"daemon cut at {cut}: {outcome}\nand not\n{expected}"


def each_client_that_breaks_off_leaves_nothing_behind(ground, recording):
    """It has got a beginning of the whole answer and nothing else."""
    expected = whole(ground, recording)
    for cut in places(recording.client):
        ground.daemon.greets = Playback([recording.daemon])
        session = start(ground, recording)
        session.send(recording.client[:cut])
        got = session.rest()
        assert session.wait(2) in (0, 1), session.status
        assert expected.answer.startswith(got), f"client gone at {cut}: {got!r}"


def hang_up(content):
    """A daemon that says so much and goes."""
    def greet(connection):
        say(connection.end.sendall, connection.end.fileno(), termios.TIOCOUTQ, [content])
        raise fake_daemon.Cut
    return greet


def each_daemon_that_breaks_off_is_told_of(ground, recording):
    """The client gets a beginning of the whole answer, and where there is a place for it an error; the session ends."""
    expected = whole(ground, recording)
    for cut in places(recording.daemon):
        ground.daemon.greets = hang_up(recording.daemon[:cut])
        session = start(ground, recording)
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
