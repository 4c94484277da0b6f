#!/usr/bin/env python3
"""Daemons that fail while the client is still sending, and what no daemon may be asked: told, drained, and in step."""
import threading
import time

from ground import cases, main
from uploads import BIG, GOOD, NEXT, by_39, by_44, by_serve_4, by_serve_9, serve, worker
import fake_daemon
import wire


def take_first_frame(connection):
    size = connection.reader.u64()
    connection.reader.read(size)


def each_daemon_that_refuses_early_is_heard_at_once(ground, case):
    """The error reaches a client that is still sending; what it goes on sending is drained; the next upload works."""
    number, frames_first = case
    failed = []

    def failing(connection, request):
        if failed:
            return fake_daemon.answer_honestly(connection, request)
        failed.append(True)
        for _ in range(frames_first):
            take_first_frame(connection)
        return connection.error("no room on the disk")

    ground.daemon.answers[39] = ground.daemon.answers[7] = failing
    session = worker(ground)
    head = {39: wire.u64(39) + BIG.add_nar(), 44: wire.u64(44) + wire.u64(0) * 2,
            7: wire.u64(7) + wire.text("big") + wire.text("fixed:r:sha256") + wire.texts([]) + wire.u64(0)}[number]
    content = wire.u64(1) + BIG.item() if number == 44 else BIG.nar
    sent = 1 << 20
    session.send(head + wire.frames(content[:sent])[:-8])
    answer = session.answer()
    assert answer.error == "no room on the disk", answer.error
    session.send(wire.frames(content[sent:]))
    assert session.ask(39, NEXT.add_nar() + wire.frames(NEXT.nar)).error is None
    assert session.is_valid(NEXT.path) == 1 and session.is_valid(BIG.path) == 0
    assert session.end() == 0


cases.each(globals(), [(f"by_{number}_after_{count}_frames", (number, count)) for number in (7, 39, 44) for count in (0, 1, 3)],
           each_daemon_that_refuses_early_is_heard_at_once)


def test_a_daemon_that_refuses_one_of_many_paths_ends_that_upload_alone(ground):
    items = [wire.Object(f"item-{number}", b"%d" % number) for number in range(200)]

    def failing(connection, request):
        connection.content(request)
        if request.fields[0].decode() == items[100].path:
            connection.error("this one not")
        else:
            fake_daemon.answer_honestly(connection, request)
    ground.daemon.answers[39] = failing
    session = worker(ground)
    whole = wire.u64(len(items)) + b"".join(item.item() for item in items)
    answer = session.ask(44, wire.u64(0) * 2 + wire.frames(whole))
    assert answer.error == "this one not", answer.error
    assert session.is_valid(items[99].path) == 1 and session.is_valid(items[100].path) == 0
    assert session.end() == 0


def test_the_end_of_an_upload_is_not_told_before_the_client_has_ended_it(ground):
    """Clients die of it."""
    ground.daemon.answers[39] = lambda connection, request: (connection.content(request), connection.last())
    session = worker(ground)
    session.send(wire.u64(39) + GOOD.add_nar() + wire.frames(GOOD.nar)[:-8])
    assert session.is_silent(0.5), "LAST came before the client's last frame"
    session.send(wire.u64(0))
    assert session.answer().error is None


def test_the_log_of_an_upload_comes_while_it_goes_on(ground):
    def telling(connection, request):
        connection.log("begun")
        connection.content(request)
        connection.last()
    ground.daemon.answers[39] = telling
    session = worker(ground)
    session.send(wire.u64(39) + BIG.add_nar() + wire.frames(BIG.nar[:100000])[:-8])
    assert session.reader.u64() == wire.NEXT and session.reader.text() == b"begun"
    session.send(wire.frames(BIG.nar[100000:]))
    assert session.answer().error is None


def uploaded(ground):
    """What is on record as gone to the daemon to be stored."""
    return [(record["path"], record["bytes"]) for record in ground.records("upload")]


def adds(method):
    return lambda session, archive, item: session.send(
        wire.u64(7) + wire.text("good") + wire.text(method) + wire.texts([]) + wire.u64(0) + wire.frames(archive, step=1000))


UNANSWERED = {"by_39": (worker, by_39, GOOD.path), "by_44": (worker, by_44, GOOD.path), "by_serve_9": (serve, by_serve_9, GOOD.path),
              "by_serve_4": (serve, by_serve_4, GOOD.path), "by_7": (worker, adds("fixed:r:sha256"), "good"),
              "by_7_as_text": (worker, adds("text:sha256"), "good"),
              "by_7_behind_last": (worker, adds("fixed:r:sha256"), "good")}


def each_upload_that_its_client_does_not_see_confirmed_is_on_record(ground, case):
    """The daemon has all of it and will store it: a client that leaves in time stored what nobody ever heard of."""
    label, (start, send, subject) = case
    there = threading.Event()
    ground.policy("trust = full")
    ground.daemon.trust = 1

    def taking(connection, request):
        connection.content(request)
        if label == "by_7_behind_last":
            connection.last()
        there.set()
        connection.outstay()
    ground.daemon.answers[39] = ground.daemon.answers[7] = taking
    session = start(ground)
    send(session, GOOD.nar, GOOD)
    assert there.wait(5), "the daemon was not given the whole of it"
    time.sleep(0.1)
    session.vanish()
    assert session.wait(5) == 1 and uploaded(ground) == [(subject, len(GOOD.nar))], (session.status, uploaded(ground))


cases.each(globals(), [(label, (label, case)) for label, case in UNANSWERED.items()],
           each_upload_that_its_client_does_not_see_confirmed_is_on_record)


def test_of_many_uploads_in_a_session_that_breaks_off_the_whole_ones_are_on_record(ground):
    items = [wire.Object(f"item-{number}", b"%d" % number) for number in range(10)]
    there = threading.Event()

    def taking(connection, _request):
        there.set()
        connection.outstay()
    ground.daemon.answers[39] = taking
    session = worker(ground)
    whole = wire.u64(20) + b"".join(item.item() for item in items) + BIG.item()[:100000]
    session.send(wire.u64(44) + wire.u64(0) * 2 + wire.frames(whole)[:-8])
    assert there.wait(5)
    time.sleep(0.2)
    session.vanish()
    assert session.wait(5) == 1 and uploaded(ground) == [(item.path, len(item.nar)) for item in items], uploaded(ground)


def each_daemon_that_dies_in_an_upload_ends_the_session(ground, case):
    number, frames_first = case

    def dying(connection, _request):
        for _ in range(frames_first):
            take_first_frame(connection)
        raise fake_daemon.Cut
    ground.daemon.answers[39] = ground.daemon.answers[7] = dying
    session = worker(ground)
    body = {39: wire.u64(39) + BIG.add_nar() + wire.frames(BIG.nar),
            44: wire.u64(44) + wire.u64(0) * 2 + wire.frames(wire.u64(1) + BIG.item()),
            7: wire.u64(7) + wire.text("big") + wire.text("fixed:r:sha256") + wire.texts([]) + wire.u64(0)
               + wire.frames(BIG.nar)}[number]
    began = time.monotonic()
    try:
        session.send(body)
    except wire.Ended:
        pass                    # it was quicker than we
    session.has_ended("daemon has closed the connection")
    assert time.monotonic() - began < 5


cases.each(globals(), [(f"by_{number}_after_{count}_frames", (number, count)) for number in (7, 39, 44) for count in (0, 1, 3)],
           each_daemon_that_dies_in_an_upload_ends_the_session)


def test_a_daemon_that_dies_in_an_upload_of_serve_ends_the_session(ground):
    def dying(connection, _request):
        take_first_frame(connection)
        raise fake_daemon.Cut
    ground.daemon.answers[39] = dying
    session = serve(ground)
    try:
        by_serve_9(session, BIG.nar, BIG)
    except wire.Ended:
        pass
    session.has_ended("daemon has closed the connection")


def each_daemon_that_fails_a_path_of_serve_is_told_of(ground, send):
    def failing(connection, request):
        if request.fields[0].decode() == NEXT.path:
            fake_daemon.answer_honestly(connection, request)
        else:
            connection.content(request)
            connection.error("no room on the disk")
    ground.daemon.answers[39], ground.daemon.trust = failing, 1
    ground.policy("trust = full")                   # an export stream has no word for a content address
    session = serve(ground)
    send(session, GOOD.nar, GOOD)
    assert session.reader.u64() == 0
    session.waits_to_say("no room on the disk")
    send(session, NEXT.nar, NEXT)
    assert session.reader.u64() == 1
    assert session.end() == 0


cases.each(globals(), (("by_9", by_serve_9), ("by_4", by_serve_4)), each_daemon_that_fails_a_path_of_serve_is_told_of)


def each_method_that_is_not_served_is_refused(ground, method):
    """The content of one that no daemon knows would be taken for requests."""
    session = worker(ground)
    before = ground.daemon.heard()
    head = wire.text("n") + wire.text(method) + wire.texts([]) + wire.u64(0)
    session.is_refused(session.ask(7, head + wire.frames(wire.u64(20) * 1000)), "")
    assert ground.daemon.heard() == before
    assert session.is_valid(GOOD.path) == 0


METHODS = ("fixed:git:sha1", "fixed:git:sha256", "nar:sha256", "", "fixed:", "text:", "text:sha1", "text:md5", "fixed:r:",
           "fixed:r:sha0", "fixed:sha257", "fixed:blake3", "fixed:r:blake3", "fixed:r:sha256:x", "FIXED:sha256")
cases.each(globals(), [(method or "none", method) for method in METHODS], each_method_that_is_not_served_is_refused)


def each_name_that_is_none_is_refused(ground, name):
    """The daemon would give up in the middle of its own words."""
    session = worker(ground)
    before = ground.daemon.heard()
    head = wire.text(name) + wire.text("text:sha256") + wire.texts([]) + wire.u64(0)
    session.send(wire.u64(7) + head + wire.frames(b"x"))
    answer = session.answer()
    assert answer.error is not None and answer.error.startswith("nix-gateway: "), answer.error
    assert ground.daemon.heard() == before, "the daemon was told of it"


cases.each(globals(), (("empty", ""), ("slash", "a/b"), ("dot", "."), ("dot_dot", ".."), ("dot_in_front", ".x"),
                       ("blank", "a b"), ("nul", "a\0"), ("long", "n" * 212)), each_name_that_is_none_is_refused)


if __name__ == "__main__":
    main(globals())
