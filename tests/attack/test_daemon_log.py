#!/usr/bin/env python3
"""A daemon that talks without end: what is passed on is bounded, and what nobody takes is not kept."""
import os
import time

from ground import cases, main
from misbehaviour import ASKED, PATH, SMALL_KIB, TARGETS, prepare
import wire


def logs_a_line_of(length):
    def answer(connection, _request):
        connection.send(wire.u64(wire.NEXT) + wire.u64(length))
        for _ in range(length >> 20):
            connection.send(b"x" * (1 << 20))
        connection.last(wire.u64(1))
    return answer


def test_a_log_line_of_32_mib_is_cut_and_the_operation_goes_on(ground):
    """A builder that never ends its line."""
    ground.daemon.answers[1] = logs_a_line_of(32 << 20)
    worker = ground.worker().enter()
    answer = worker.ask(1, wire.text(PATH))
    assert answer.error is None and worker.reader.u64() == 1
    assert 0 < len(answer.lines()[0]) <= 64 * 1024, len(answer.lines()[0])
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()
    worker.send(wire.u64(11) + wire.text(PATH))
    assert worker.answer().error is None


def each_huge_text_takes_no_memory(ground, case):
    """Texts for people have no bound on the wire: whether it is cut or ends the session, it is not kept."""
    number, text = case
    prepare(ground, number)

    def answer(connection, _request):
        connection.send(text)
        while True:
            connection.send(b"x" * (1 << 20))
    ground.daemon.answers[number] = answer
    worker = ground.worker().enter()
    worker.send(wire.u64(number) + ASKED[number])
    time.sleep(1)
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()
    worker.vanish()
    assert ground.daemon.said_goodbye(2) and worker.wait() == 1


HUGE_TEXTS = {
    "a_line": (46, wire.u64(wire.NEXT) + wire.u64(1 << 60)),
    "a_build_log_line": (46, wire.u64(wire.RESULT) + wire.u64(1) + wire.u64(101) + wire.u64(1) + wire.u64(1)
                         + wire.u64(1 << 60)),
    "an_error": (46, wire.u64(wire.ERROR) + wire.text("Error") + wire.u64(0) + wire.text("Error") + wire.u64(1 << 60)),
    "a_result": (36, wire.u64(wire.LAST) + wire.u64(3) + wire.u64(1 << 60)),
}
cases.each(globals(), HUGE_TEXTS.items(), each_huge_text_takes_no_memory)


def endless(connection, _request):
    line = b"y" * 100
    while True:
        connection.build_log(line)


def test_an_endless_log_is_passed_on_in_little_memory(ground):
    prepare(ground, 46)
    ground.daemon.answers[46] = endless
    worker = ground.worker().enter()
    worker.send(wire.u64(46) + TARGETS)
    until, taken = time.monotonic() + 2, 0
    while time.monotonic() < until:
        taken += len(worker.receive(1 << 16))
    assert taken > 1 << 20 and worker.peak_kib() < SMALL_KIB, (taken, worker.peak_kib())
    worker.vanish()
    assert ground.daemon.said_goodbye(1) and worker.wait() == 1


def test_an_endless_log_that_nobody_reads_is_not_kept(ground):
    prepare(ground, 46)
    ground.daemon.answers[46] = endless
    worker = ground.worker().enter()
    worker.send(wire.u64(46) + TARGETS)
    time.sleep(1)
    sent = ground.daemon.the_connection().sent
    time.sleep(0.5)
    assert ground.daemon.the_connection().sent == sent, "it goes on reading what nobody takes"
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()
    worker.vanish()
    assert ground.daemon.said_goodbye(1) and worker.wait() == 1


def test_an_endless_log_during_an_upload_ends_it(ground):
    """A client that is busy sending reads nothing, so its log must not be waited for; nor kept without end."""
    def answer(connection, request):
        endless(connection, request)
    ground.daemon.answers[39] = answer
    big = wire.Object("big", os.urandom(1 << 20))
    worker = ground.worker().enter()
    worker.send(wire.u64(39) + big.add_nar() + wire.u64(len(big.nar)) + big.nar[:1000])
    connection = ground.daemon.await_op(39)
    assert connection.ended.wait(20), "the daemon is still held"
    assert worker.peak_kib() < SMALL_KIB + 4096, worker.peak_kib()
    worker.rest()
    assert worker.wait() == 1 and "does not take the log" in worker.said(), worker.said()


def test_an_endless_log_of_a_daemon_that_does_not_read_still_lets_an_upload_fail(ground):
    """Neither side reads: nobody may be waited for for ever."""
    def answer(connection, _request):
        connection.send(wire.error("enough", 38))
        connection.outstay()

    ground.daemon.answers[39] = answer
    big = wire.Object("big", os.urandom(8 << 20))
    worker = ground.worker().enter()
    worker.send(wire.u64(39) + big.add_nar() + wire.frames(big.nar))
    assert worker.answer().error == "enough"


if __name__ == "__main__":
    main(globals())
