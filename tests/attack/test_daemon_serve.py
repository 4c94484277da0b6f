#!/usr/bin/env python3
"""A daemon that misbehaves towards a client of the serve protocol, which has errors on stderr alone."""
from ground import cases, main
from misbehaviour import DRV, FOD, NASTY, PATH, VALID, ends, prepare
import fake_daemon
import wire


SERVED = {
    1: (lambda serve: wire.u64(0) * 2 + wire.texts([PATH]), 31), 2: (lambda serve: wire.texts([PATH]), 26),
    3: (lambda serve: wire.text(PATH), 38), 6: (lambda serve: wire.texts([f"{DRV}!out"]) + serve.build_options(), 9),
    7: (lambda serve: wire.u64(0) + wire.texts([PATH]), 26),
    8: (lambda serve: wire.text(DRV) + FOD.basic + serve.build_options(), 36),
    9: (lambda serve: wire.text(VALID.path) + VALID.info() + VALID.nar, 39),
}


def each_nasty_message_ends_a_session_of_serve(ground, case):
    nasty, number = case
    body, real = SERVED[number]
    prepare(ground, 39 if number == 9 else 1)

    def answer(connection, request):
        connection.content(request)
        connection.send(nasty)
        connection.outstay()

    ground.daemon.answers[real] = answer
    serve = ground.serve().hello()
    serve.ask(number, body(serve))
    assert ends(serve, "broke the protocol") == b"", "a reply that the daemon has not given"


cases.each(globals(), [(f"{what}_in_{number}", (NASTY[what], number)) for what in ("an_unknown_tag", "read", "garbage")
                       for number in SERVED], each_nasty_message_ends_a_session_of_serve)


def each_daemon_that_hangs_up_ends_a_session_of_serve(ground, number):
    body, real = SERVED[number]
    prepare(ground, 39 if number == 9 else 1)

    def answer(connection, _request):
        raise fake_daemon.Cut
    ground.daemon.answers[real] = answer
    serve = ground.serve().hello()
    serve.ask(number, body(serve))
    assert ends(serve, "daemon has closed the connection") == b""


cases.each(globals(), [(str(number), number) for number in SERVED], each_daemon_that_hangs_up_ends_a_session_of_serve)


def each_broken_archive_ends_a_session_of_serve(ground, cut):
    ground.daemon.add(VALID)
    broken = VALID.nar[:cut] + b"\xff" * 16 + VALID.nar[cut + 16:]
    ground.daemon.answers[38] = lambda connection, _request: connection.last(broken)
    serve = ground.serve().hello()
    serve.ask(3, wire.text(PATH))
    assert broken.startswith(ends(serve, PATH))


cases.each(globals(), [(f"at_{cut}", cut) for cut in (0, 16, 64)], each_broken_archive_ends_a_session_of_serve)


if __name__ == "__main__":
    main(globals())
