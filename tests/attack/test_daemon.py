#!/usr/bin/env python3
"""A daemon that misbehaves: whatever it says, or leaves out, the session ends within seconds with a sentence, status 1 and
nothing left behind; or it goes on where the protocol has a way to."""
import os
import time

from ground import cases, main
import fake_daemon
import wire

VALID = wire.Object("valid", {"a": b"1", "b": ("x", b"2" * 200), "c": "a"})
PATH = VALID.path
FOD = wire.FixedOutput()
DRV = FOD.path
TARGETS = wire.texts([f"{DRV}!*"]) + wire.u64(0)
SMALL_KIB = 16 * 1024
SECONDS = 5                     # within which a session that is lost has to end


def ends(session, sentence):
    """The session is over by itself: status 1, and the sentence on stderr."""
    session.waits_to_say("nix-gateway: ", SECONDS)
    rest = session.rest()
    assert session.wait(SECONDS) == 1, session.status
    assert sentence in session.said(), session.said()
    return rest


def is_told(session, sentence):
    """In the protocol, where an error is due, and then as ends()."""
    answer = session.answer()
    assert answer.error is not None and sentence in answer.error, answer.error
    assert ends(session, sentence) == b""


# --- the handshake ---

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


def greeting_bytes(minor):
    """How much such a daemon says up to its first LAST, where we do not ask for our trust."""
    return (16 + (8 if minor >= 38 else 0) + (16 if minor >= 33 else 0) + (8 if minor >= 35 else 0)) + 8


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


# --- answers ---

# Operations with answers of every form: the request, and how the client reads on where the answer is whole.
ASKED = {
    1: wire.text(PATH), 7: wire.text("t") + wire.text("text:sha256") + wire.texts([]) + wire.u64(0) + wire.frames(b"text"),
    9: TARGETS, 10: wire.text(PATH), 11: wire.text(PATH), 26: wire.text(PATH), 31: wire.texts([PATH]) + wire.u64(0),
    36: wire.text(DRV) + FOD.basic + wire.u64(0), 38: wire.text(PATH), 39: VALID.add_nar() + wire.frames(VALID.nar),
    40: wire.texts([PATH]), 41: wire.text(DRV), 44: wire.u64(0) * 2 + wire.frames(wire.u64(1) + VALID.item()), 46: TARGETS,
}


def prepare(ground, number, minor=38):
    ground.daemon.minor = minor
    if number not in (39, 44):
        ground.daemon.add(VALID)
    ground.daemon.add_derivation(FOD)


def talk(ground, number, minor, limit=None):
    """One operation behind a handshake; gives what came back of it, and the session."""
    ground.daemon.cut = limit
    worker = ground.worker().enter(minor)
    worker.send(wire.u64(number) + ASKED[number])
    return worker


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


cases.each(globals(), [(f"{number}_at_1_{minor}", (number, minor)) for number in ASKED for minor in (38,)],
           each_answer_cut_at_every_byte_ends_the_session)

NASTY = {
    "an_unknown_tag": wire.u64(0x11223344),
    "a_tag_with_high_bits": wire.u64(1 << 32 | wire.LAST),
    "read": wire.u64(wire.READ) + wire.u64(32768),
    "write": wire.u64(wire.WRITE) + wire.text("bulk"),
    "a_field_of_no_kind": wire.u64(wire.RESULT) + wire.u64(1) + wire.u64(101) + wire.u64(1) + wire.u64(2),
    "fields_without_end": wire.u64(wire.RESULT) + wire.u64(1) + wire.u64(101) + wire.u64(1 << 40),
    "a_wide_activity_type": wire.u64(wire.START_ACTIVITY) + wire.u64(1) + wire.u64(0) + wire.u64(1 << 40),
    "an_error_with_a_position": wire.u64(wire.ERROR) + wire.text("Error") + wire.u64(0) + wire.text("Error")
                                + wire.text("m") + wire.u64(1),
    "traces_without_end": wire.u64(wire.ERROR) + wire.text("Error") + wire.u64(0) + wire.text("Error") + wire.text("m")
                          + wire.u64(0) + wire.u64(1 << 40),
    "padding": wire.u64(wire.NEXT) + wire.u64(1) + b"a\0\0\0\0\0\0\1",
    "garbage": bytes(range(1, 200)),
}


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


# --- logs ---

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


# --- errors ---

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


# --- the same for the serve protocol ---

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
