#!/usr/bin/env python3
"""R3, R4, R5 and R8: clients that hold up others by doing nothing, or next to nothing."""
import os
import time

import cases
import rows
import wire
from test_rows_framing import SMALL_KIB, build_of, nothing

NAMES = globals()
FAKE = rows.ANY[:1]
RATE = 16 * 1024                # bytes a second that a client has to keep up
GRACE = 30                      # seconds before it is looked at
LONGEST = GRACE + 30            # seconds within which the slowest is cut: what it may have saved up, and the farewell
SIZE = 4 << 20
BURSTS = (2000, 3 << 20)        # of an upload, sent at once


def is_cut(session, sentence, began, least, most):
    status = session.wait(max(1, began + most - time.monotonic()))
    took = time.monotonic() - began
    assert status == 1 and sentence in session.said(), session.said()
    assert least < took < most, took


# --- R3: who reads nothing ---

def endless(connection, _request):
    connection.log("so it begins")
    while True:
        connection.build_log(b"y" * 1000)


def builds(spot):
    made = wire.FixedOutput()
    spot.fake.add_derivation(made)
    spot.fake.answers.update({46: endless, 9: endless})
    return made.path


def log_of_a_build(spot):
    path = builds(spot)
    session = spot.worker().enter()
    session.send(wire.u64(46) + wire.texts([path + "!*"]) + wire.u64(0))
    return session


def archive(spot):
    item = spot.fake.add(wire.Object("large", os.urandom(1 << 20) * 8))
    session = spot.worker().enter()
    session.send(wire.u64(38) + wire.text(item.path))
    return session


def archive_over_serve(spot):
    item = spot.fake.add(wire.Object("large", os.urandom(1 << 20) * 8))
    session = spot.serve().hello()
    session.send(wire.u64(3) + wire.text(item.path))
    return session


def log_over_serve(spot):
    path = builds(spot)
    session = spot.serve(log_pipe=True).hello()
    session.send(wire.u64(6) + wire.texts([path + "!*"]) + session.build_options())
    return session


def answers(spot):
    """Many small ones: the client asks and asks, and hears nothing."""
    spot.fake.answers[31] = lambda connection, request: connection.last(wire.texts(request.fields[0]))
    session = spot.worker().enter()
    try:
        session.send((wire.u64(31) + wire.texts([nothing()] * 100) + wire.u64(0)) * 1000, limit=1)
    except AssertionError as slow:
        assert "were not taken" in str(slow), slow
    return session


UNREAD = (("the_log_of_a_build", log_of_a_build), ("an_archive", archive), ("an_archive_over_serve", archive_over_serve),
          ("a_log_over_serve", log_over_serve), ("answers", answers))


@rows.each(NAMES, FAKE, UNREAD)
def each_r3_client_that_reads_nothing_is_cut(spot, ask):
    """And the daemon let go, whatever it was working on."""
    spot.policy("stall-time = 2s")
    began = time.monotonic()
    session = ask(spot)
    assert spot.fake.connections[0].ended.wait(6), "the daemon is still held"
    assert session.peak_kib() < SMALL_KIB, session.peak_kib()
    assert session.wait(12) == 1 and 2 < time.monotonic() - began < 12
    assert session.log_end is not None or "has taken nothing for 2 seconds" in session.said(), session.said()
    assert spot.records("session-end")[-1]["outcome"] == "stalled", spot.records("session-end")


@rows.each(NAMES, rows.REAL)
def each_r3_client_that_reads_nothing_does_not_hold_up_another(spot):
    """Both ask for the same derivation; the one that came first reads nothing of its log, and the daemon waits for it under
    the lock. The other has its result when that one is cut."""
    spot.policy("stall-time = 3s")
    first = spot.worker().enter()
    script = "i=0; while [ $i -lt 60000 ]; do echo this-is-a-line-of-the-log-$i; i=$((i+1)); done; echo > $out"
    made = build_of(first, script, "chatty")
    request = wire.u64(46) + wire.texts([made.path + "!*"]) + wire.u64(0)
    first.send(request)
    time.sleep(1)
    second = spot.worker().enter()
    second.limit = 60
    began = time.monotonic()
    second.send(request)
    answer = second.answer()
    assert answer.error is None and second.reader.u64() == 1, answer.error
    second.reader.text()
    assert second.reader.u64() in (0, 1, 2), "it is built, or was there"
    assert time.monotonic() - began < 45
    assert first.wait(10) == 1 and "has taken nothing for 3 seconds" in first.said(), first.said()


# --- R4: who asks nothing ---

@rows.each(NAMES, rows.ANY)
def each_r4_idle_session_ends(spot):
    """From the last answer on; a question begins the time anew, and half of one is a stall."""
    spot.policy("idle-time = 2s\nstall-time = 1s")
    began = time.monotonic()
    idle, serve, half, busy = spot.worker().enter(), spot.serve().hello(), spot.worker().enter(), spot.worker().enter()
    half.send(wire.u64(1)[:4])
    for _ in range(5):
        time.sleep(1)
        assert busy.is_valid(nothing()) == 0
    for session, seconds in ((idle, 2), (serve, 2), (half, 1)):
        is_cut(session, f"the client has said nothing for {seconds} seconds", began, 1, 12)
    assert busy.is_valid(nothing()) == 0
    assert busy.end() == 0
    outcomes = sorted(record["outcome"] for record in spot.records("session-end"))
    assert outcomes == ["closed", "idle", "idle", "stalled"], outcomes


# --- R5: what never ends ---

def silent(connection, request):
    connection.content(request)
    connection.outstay()


def asks_what_is_not_answered(spot):
    """Questions, builds and uploads to a daemon that says nothing more; gives the sessions."""
    item = wire.Object("small", b"s" * 100)
    made = wire.FixedOutput()
    spot.fake.add_derivation(made)

    spot.fake.answers.update({number: silent for number in (1, 9, 10, 26, 36, 39, 46)})
    build = wire.texts([made.path + "!*"]) + wire.u64(0)
    requests = {46: build, 9: build, 10: wire.text(nothing()), 26: wire.text(nothing()), 1: wire.text(nothing()),
                36: wire.text(made.path) + made.basic + wire.u64(0), 39: item.add_nar() + wire.frames(item.nar)}
    for number, body in requests.items():
        session = spot.worker().enter()
        session.send(wire.u64(number) + body)
    spot.worker().enter()                                       # asks nothing
    serve = spot.serve().hello()
    serve.send(wire.u64(6) + wire.texts([made.path + "!out"]) + serve.build_options())
    return spot.sessions


@rows.each(NAMES, FAKE)
def each_r5_session_ends_when_its_time_is_over(spot):
    """Whatever it is at, with its reason in the protocol, and the daemon is let go."""
    spot.policy("session-time = 3s")
    began = time.monotonic()
    sentence = "alice may not stay any longer (allowed: 3 seconds)"
    for session in asks_what_is_not_answered(spot):
        if hasattr(session, "trust"):
            error = session.answer().error
            assert error is not None and sentence in error, error
        rest = session.rest(leave=False)
        assert rest == b"" or not hasattr(session, "trust"), rest
        assert session.wait(max(1, began + 20 - time.monotonic())) == 1 and sentence in session.said(), session.said()
    assert 3 < time.monotonic() - began < 20
    assert all(connection.ended.wait(1) for connection in spot.fake.connections), "the daemon is still held"
    assert {record["outcome"] for record in spot.records("session-end")} == {"session-time"}, spot.records("session-end")


@rows.each(NAMES, FAKE)
def each_r5_archive_that_does_not_go_on_ends_with_the_sessions_time(spot):
    """In the middle of an archive nothing can be said; the stream ends."""
    spot.policy("session-time = 3s")
    large = spot.fake.add(wire.Object("large", bytes(SIZE)))

    def half(connection, _request):
        connection.last(large.nar[:1000])
        connection.outstay()
    spot.fake.answers[38] = half
    began = time.monotonic()
    session = spot.worker().enter()
    assert session.ask(38, wire.text(large.path)).error is None
    assert session.rest(leave=False) == large.nar[:1000]
    assert session.wait() == 1 and "may not stay any longer" in session.said(), session.said()
    assert time.monotonic() - began < 10


# --- R8: who does next to nothing ---

class Slow:
    """One session that trickles: `step` is what it does each second. It ends in time with the sentence, or `lives`."""

    def __init__(self, session, step, sentence, lives=False):
        self.session, self.step, self.sentence, self.lives = session, step, sentence, lives
        self.ended = None


def take_turns(slow):
    """All of them at once, for it takes half a minute."""
    began = time.monotonic()
    while time.monotonic() < began + LONGEST and any(each.ended is None for each in slow if not each.lives):
        for each in slow:
            if each.ended is None and each.session.child.poll() is not None:
                each.ended = time.monotonic() - began
            if each.ended is None:
                try:
                    each.step()
                except (wire.Ended, OSError):
                    pass
        time.sleep(1)
    for number, each in enumerate(slow):
        if each.lives:
            assert each.ended is None, (number, each.session.said())
            continue
        assert each.ended is not None and GRACE - 3 < each.ended < LONGEST, (number, each.ended, each.session.said())
        assert each.session.wait() == 1 and each.sentence in each.session.said(), (number, each.session.said())


def sends(session, content, piece=1, burst=0):
    """A step that sends a piece; `burst` bytes of the content go first, at once."""
    session.send(content[:burst])
    state = {"at": burst}

    def step():
        session.send(content[state["at"]:state["at"] + piece])
        state["at"] += piece
    return step


def reads(end, piece):
    return lambda: os.read(end, piece)


def by_39(item):
    return wire.u64(39) + item.add_nar() + wire.u64(len(item.nar)) + item.nar


def by_44(item):
    whole = wire.u64(1) + item.item()
    return wire.u64(44) + wire.u64(0) * 2 + wire.u64(len(whole)) + whole


def by_7(item):
    head = wire.text("large") + wire.text("fixed:r:sha256") + wire.texts([]) + wire.u64(0)
    return wire.u64(7) + head + wire.u64(len(item.nar)) + item.nar


def by_serve_9(item):
    return wire.u64(9) + wire.text(item.path) + item.info() + item.nar


UPLOADS = ((by_39, "worker"), (by_44, "worker"), (by_7, "worker"), (by_serve_9, "serve"))


def test_r8_a_client_that_trickles_in_an_upload_is_cut(lab):
    """Every way to upload: from the first byte on, or behind a burst, which buys a pause and no more. One that keeps just up
    stays."""
    with rows.Spot(lab, rows.FAKE, False) as spot:
        spot.policy("stall-time = 10s")
        upload_slowly(spot)


def upload_slowly(spot):
    slow = []
    bodies = [(form(wire.Object(f"large-{burst}", bytes(SIZE))), kind, burst) for form, kind in UPLOADS for burst in BURSTS]
    for body, kind, burst in bodies:
        session = spot.worker().enter() if kind == "worker" else spot.serve().hello()
        slow.append(Slow(session, sends(session, body, burst=burst), "sends less than 16384 bytes a second"))
    steady = spot.worker().enter()
    slow.append(Slow(steady, sends(steady, bodies[0][0], piece=2 * RATE, burst=2000), "", lives=True))
    take_turns(slow)
    assert not any("large" in path for path in spot.fake.store)


def test_r8_a_client_that_trickles_in_reading_is_cut(lab):
    """A log, an archive, the log of serve: a little each second is no reading. One that keeps just up stays."""
    with rows.Spot(lab, rows.FAKE, False) as spot:
        spot.policy("stall-time = 10s")
        read_slowly(spot)


def read_slowly(spot):
    sentence = "takes less than 16384 bytes a second"
    slow = []
    for ask in (log_of_a_build, archive, archive_over_serve):
        session = ask(spot)
        slow.append(Slow(session, reads(session.back, 4096), sentence))
    serve = log_over_serve(spot)
    slow.append(Slow(serve, reads(serve.log_end, 4096), ""))
    steady = log_of_a_build(spot)
    slow.append(Slow(steady, lambda: [os.read(steady.back, RATE) for _ in range(3)], "", lives=True))
    take_turns(slow)


if __name__ == "__main__":
    cases.main(globals())
