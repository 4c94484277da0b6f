#!/usr/bin/env python3
"""A daemon that misbehaves in the handshake: the session is refused where every client shows why, and soon."""
import time

from ground import cases, main
from misbehaviour import PATH, ends, greeting_bytes
import fake_daemon
import wire


def says(*words):
    """A daemon that says this and waits."""
    def greet(connection):
        connection.send(b"".join(words))
        connection.outstay()
    return greet


def hangs_up(*words):
    def greet(connection):
        connection.send(b"".join(words))
        raise fake_daemon.Cut
    return greet


MAGIC = wire.u64(wire.DAEMON_MAGIC)
UP_TO_38 = MAGIC + wire.version(38) + wire.texts([])
HELLO = UP_TO_38 + wire.text("2.34.8") + wire.u64(2)
GREETINGS = {
    "nothing_and_hangs_up": (hangs_up(), "closed the connection"),
    "half_a_magic": (hangs_up(MAGIC[:4]), "closed the connection"),
    "magic_alone": (hangs_up(MAGIC), "closed the connection"),
    "version_and_hangs_up": (hangs_up(MAGIC + wire.version(38)), "closed the connection"),
    "all_but_the_last": (hangs_up(HELLO), "closed the connection"),
    "garbage": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak the Nix worker protocol"),
    "zeros": (says(bytes(64)), "does not speak the Nix worker protocol"),
    "the_clients_magic": (says(wire.u64(wire.CLIENT_MAGIC) + wire.version(38)), "does not speak the Nix worker protocol"),
    "access_denied": (says(wire.u64(0xab9a9ff0)), "does not let this account in"),
    "another_major": (says(MAGIC + wire.version(38, 2)), "unknown version"),
    "a_version_with_high_bits": (says(MAGIC + wire.u64(1 << 32 | 0x126)), "unknown version"),
    "too_old": (says(MAGIC + wire.version(31)), "1.31; Nix 2.4"),
    "very_old": (says(MAGIC + wire.version(10)), "1.10; Nix 2.4"),
    "features_without_end": (says(MAGIC + wire.version(38) + wire.u64(1 << 40)), "more items than are allowed"),
    "a_huge_version_text": (says(UP_TO_38 + wire.u64(1 << 40)), "longer than is allowed"),
    "an_unknown_trust": (says(UP_TO_38 + wire.text("2.34.8") + wire.u64(3)), "out of its range"),
    "an_error": (says(HELLO + wire.error("you shall not pass", 38)), "you shall not pass"),
    "an_error_twice_and_hangs_up": (hangs_up(HELLO + wire.error("no", 38) * 2), "no"),
    "an_unknown_tag": (says(HELLO + wire.u64(0x12345678)), "of no kind that is known"),
    "read": (says(HELLO + wire.u64(wire.READ) + wire.u64(32768)), "has no place here"),
    "write": (says(HELLO + wire.u64(wire.WRITE) + wire.text("x")), "has no place here"),
}


def each_strange_greeting_refuses_the_session(ground, case):
    """Where the client's first LAST is due: there every client shows it."""
    ground.daemon.greets, sentence = case
    worker = ground.worker()
    worker.is_refused(worker.hello(), sentence)
    assert ends(worker, sentence) == b""


def each_strange_greeting_refuses_a_session_of_serve(ground, case):
    """Our part of that handshake is a welcome, so nothing of it is said before the daemon has answered."""
    ground.daemon.greets, sentence = case
    serve = ground.serve()
    serve.send(wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(7, 2))
    assert ends(serve, sentence) == b""


cases.each(globals(), GREETINGS.items(), each_strange_greeting_refuses_the_session)
cases.each(globals(), GREETINGS.items(), each_strange_greeting_refuses_a_session_of_serve)


def each_greeting_cut_at_every_byte_refuses_the_session(ground, minor):
    ground.daemon.minor = minor
    for cut in range(greeting_bytes(minor)):
        ground.daemon.cut = cut
        worker = ground.worker()
        worker.is_refused(worker.hello(), "closed the connection")
        assert ends(worker, "closed the connection") == b""


cases.each(globals(), [(f"at_1_{minor}", minor) for minor in range(32, 39)],
           each_greeting_cut_at_every_byte_refuses_the_session)


def each_probe_that_fails_leaves_the_trust_unknown(ground, case):
    """The question for our trust is no reason to refuse: an ERROR to it is an answer."""
    number, minor = case
    ground.daemon.minor = minor
    ground.daemon.answers[number] = lambda connection, request: (connection.content(request), connection.error("no space"))
    worker = ground.worker().enter()
    assert worker.trust in (0, 2), worker.trust
    assert worker.is_valid(PATH) == 0


cases.each(globals(), [(f"by_{number}_at_1_{minor}", (number, minor)) for number in (7, 37) for minor in (32, 34)],
           each_probe_that_fails_leaves_the_trust_unknown)


def test_a_daemon_that_is_silent_is_given_up_in_half_a_minute(ground):
    ground.daemon.greets = says()
    worker = ground.worker()
    worker.limit = 40
    began = time.monotonic()
    worker.is_refused(worker.hello(), "does not answer within 30 seconds")
    assert 25 < time.monotonic() - began < 36
    worker.rest()
    assert worker.wait() == 1


def test_a_client_that_leaves_a_silent_daemon_leaves_nothing_behind(ground):
    ground.daemon.greets = says()
    worker = ground.worker()
    worker.send(wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3)
    worker.reader.read(24)
    time.sleep(0.2)
    assert worker.end(5) == 1
    assert ground.daemon.said_goodbye()


if __name__ == "__main__":
    main(globals())
