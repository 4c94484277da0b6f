#!/usr/bin/env python3
"""A daemon that misbehaves in its answers: whatever it says, or leaves out, the session ends within seconds with a sentence,
status 1 and nothing left behind; or it goes on where the protocol has a way to."""
import time

from ground import cases, main
from misbehaviour import (ASKED, NASTY, PATH, SMALL_KIB, TARGETS, VALID, ends, greeting_bytes, is_told, prepare,
                          talk)
import fake_daemon
import wire


def each_answer_cut_at_every_byte_ends_the_session(ground, case):
    """What the client has been told by then is a beginning of the whole, or an error in its place; never another answer."""
    number, minor = case
    prepare(ground, number, minor)
    whole_session = talk(ground, number, minor)
    whole_session.reader.read(8)
    time.sleep(0.05)
    whole = wire.u64(wire.LAST) + whole_session.rest()
    sent = ground.daemon.the_connection().sent
    start = handshake_bytes(minor, ground)
    for cut in range(start, sent):
        fresh(ground, number, minor)
        worker = talk(ground, number, minor, cut)
        got = worker.rest()
        assert worker.wait() == 1, f"cut at {cut - start} of {sent - start}: status {worker.status}"
        assert is_beginning_or_error(got, whole), f"cut at {cut - start} of {sent - start}: {got!r} for {whole!r}"


def fresh(ground, number, minor):
    ground.daemon.stop()
    path = ground.daemon.path
    ground.daemon = fake_daemon.Daemon(path)
    prepare(ground, number, minor)


def handshake_bytes(minor, ground):
    """What the daemon has said when the client is let in, the question for our trust included."""
    if minor >= 35:
        return greeting_bytes(minor)
    probe = fake_daemon.Daemon(ground.daemon.path + "-probe")
    probe.minor = minor
    ground.daemon.stop()
    kept, ground.daemon = ground.daemon, probe
    probe.path = kept.path
    ground.worker().enter(minor)
    count = probe.the_connection().sent
    probe.stop()
    ground.daemon = kept
    ground.daemon.start()
    ground.daemon.connections.clear()
    return count


def is_beginning_or_error(got, whole):
    if whole.startswith(got):
        return True
    reader = wire.reader_of(got)
    answer = wire.read_loop(reader, 38)
    return answer.error is not None and "daemon" in answer.error and len(reader.taken) == len(got)


cases.each(globals(), [(f"{number}_at_1_{minor}", (number, minor)) for number in ASKED for minor in (38, 32) if minor == 38 or number in (1, 26, 36, 38, 44)],
           each_answer_cut_at_every_byte_ends_the_session)

def each_nasty_message_ends_the_session(ground, case):
    """F8. With every operation that has a loop of its own way."""
    nasty, number = case
    prepare(ground, number)
    real = {44: 39}.get(number, number)

    def answer(connection, request):
        connection.content(request)
        connection.send(nasty)
        connection.outstay()

    ground.daemon.answers[real] = answer
    worker = talk(ground, number, 38)
    is_told(worker, "broke the protocol")
    assert ground.daemon.said_goodbye()


cases.each(globals(), [(f"{what}_in_{number}", (nasty, number)) for what, nasty in NASTY.items()
                       for number in (1, 7, 38, 39, 44, 46)], each_nasty_message_ends_the_session)

REPLIES = {
    "a_path_that_is_none": (31, wire.texts(["/etc/passwd"])),
    "a_path_spelled_oddly": (31, wire.texts([PATH.replace("/store/", "/store//")])),
    "a_list_without_end": (31, wire.u64(1 << 40)),
    "a_list_too_long": (31, wire.u64(200001)),
    "a_boolean_that_is_none": (1, wire.u64(2)),
    "a_hash_that_is_none": (26, wire.u64(1) + wire.path_info("x" * 64, 120)),
    "references_without_end": (26, wire.u64(1) + wire.text("") + wire.text(VALID.hash) + wire.u64(1 << 50)),
    "a_flag_that_is_none": (26, wire.u64(7)),
    "results_without_end": (46, wire.u64(1 << 40)),
    "a_map_without_end": (41, wire.u64(1 << 40)),
    "a_status_over_a_byte": (36, wire.u64(256)),
}


def each_reply_that_is_none_ends_the_session(ground, case):
    number, reply = case
    prepare(ground, number)

    def answer(connection, _request):
        connection.last(reply)
        connection.outstay()

    ground.daemon.answers[number] = answer
    worker = ground.worker().enter()
    worker.send(wire.u64(number) + ASKED[number])
    answer = worker.answer()
    assert answer.error is not None and answer.error.startswith("nix-gateway: "), answer.error
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()
    assert ends(worker, "") == b""


cases.each(globals(), REPLIES.items(), each_reply_that_is_none_ends_the_session)


def each_error_ends_the_operation_alone(ground, case):
    number, minor, daemon_minor = case
    prepare(ground, number, daemon_minor)

    def answer(connection, request):
        connection.content(request)
        connection.error("\x1b[31;1merror:\x1b[0m it\nfailed: 100%")
    ground.daemon.answers[9 if number == 46 and daemon_minor < 34 else {44: 39}.get(number, number)] = answer
    worker = talk(ground, number, minor)
    assert worker.answer().error is not None
    worker.send(wire.u64(11) + wire.text(PATH))
    assert worker.answer().error is None and worker.reader.u64() == 1


cases.each(globals(), [(f"{number}_at_1_{minor}_with_a_daemon_of_1_{daemon}", (number, minor, daemon))
                       for number in (1, 9, 36, 38, 39, 40, 44, 46) for minor, daemon in ((38, 38), (38, 32), (32, 38))
                       if not (number == 46 and minor < 34)],
           each_error_ends_the_operation_alone)


def each_error_twice_and_then_the_end_is_told_once(ground, number):
    """What real daemons do with an error before their loop: the first is the answer, and then they are gone."""
    prepare(ground, number)

    def answer(connection, _request):
        connection.send(wire.error("wrong from the beginning", 38) * 2)
        raise fake_daemon.Cut
    ground.daemon.answers[number] = answer
    worker = talk(ground, number, 38)
    first = worker.answer()
    assert first.error is not None and "wrong from the beginning" in first.error, first.error
    time.sleep(0.2)
    try:
        worker.send(wire.u64(1) + wire.text(PATH))
    except wire.Ended:
        pass
    rest = ends(worker, "nix-gateway: ")
    if rest:
        reader = wire.reader_of(rest)
        second = wire.read_loop(reader, 38)
        assert second.error is not None and len(reader.taken) == len(rest), rest


cases.each(globals(), [(str(number), number) for number in (1, 26, 31, 40, 38, 10)],
           each_error_twice_and_then_the_end_is_told_once)


def test_what_a_daemon_says_unasked_is_not_taken_for_an_answer(ground):
    """Between two operations nothing is due: the second question must not be answered by what came before it."""
    def answer(connection, _request):
        connection.last(wire.u64(0))
        if len(connection.requests) == 1:
            connection.send(wire.u64(wire.LAST) + wire.u64(1))
    ground.daemon.answers[1] = answer
    worker = ground.worker().enter()
    assert worker.is_valid(PATH) == 0
    time.sleep(0.2)
    try:
        worker.send(wire.u64(1) + wire.text(PATH))
        answer = worker.answer()
        assert answer.error is not None or worker.reader.u64() == 0, "an answer that was not its own"
    except wire.Ended:
        pass


def test_a_daemon_that_hangs_up_between_two_operations_ends_the_session(ground):
    def answer(connection, _request):
        connection.last(wire.u64(0))
        raise fake_daemon.Cut
    ground.daemon.answers[1] = answer
    worker = ground.worker().enter()
    assert worker.is_valid(PATH) == 0
    time.sleep(0.2)
    try:
        worker.send(wire.u64(1) + wire.text(PATH))
    except wire.Ended:
        pass
    answer = worker.answer()
    assert answer.error is not None and "daemon has closed the connection" in answer.error, answer.error
    assert ends(worker, "daemon has closed the connection") == b""


def test_a_silent_daemon_is_waited_for_but_not_longer_than_the_client(ground):
    """A build may be silent for hours."""
    prepare(ground, 46)
    ground.daemon.answers[46] = lambda connection, _request: connection.outstay()
    worker = ground.worker().enter()
    worker.send(wire.u64(46) + TARGETS)
    ground.daemon.await_op(46)
    assert worker.is_silent(1)
    worker.vanish()
    assert worker.wait(2) == 1


if __name__ == "__main__":
    main(globals())
