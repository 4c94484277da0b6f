#!/usr/bin/env python3
"""F1 to F12 of the frames and fields: lengths that lie, padding, numbers out of their range, bytes that come early, late,
one by one, or not at all. Whatever a length claims, memory grows only with what has come."""
import time

from ground import cases, main
import fake_daemon
import wire

HUGE = (1 << 40, 3 << 30, 1 << 63, (1 << 64) - 8, (1 << 64) - 1)
SMALL_KIB = 16 * 1024           # what a gateway may use at most, program and libraries included
OBJECT = wire.Object("thing", b"the content of it")
BIG = wire.Object("big", bytes(range(256)) * 4096)              # 1 MiB
PATH = OBJECT.path

# Every place where a request says how long something is, up to the number that says it.
PLACES = {
    "path_of_1": wire.u64(1),
    "name_of_7": wire.u64(7),
    "references_of_7": wire.u64(7) + wire.text("n") + wire.text("text:sha256"),
    "name_of_8": wire.u64(8),
    "content_of_8": wire.u64(8) + wire.text("n"),
    "targets_of_9": wire.u64(9),
    "target_of_9": wire.u64(9) + wire.u64(1),
    "settings_of_19": wire.u64(19) + wire.u64(0) * 12,
    "value_of_19": wire.u64(19) + wire.u64(0) * 12 + wire.u64(1) + wire.text("timeout"),
    "paths_of_31": wire.u64(31),
    "path_of_31": wire.u64(31) + wire.u64(2),
    "outputs_of_36": wire.u64(36) + wire.text(PATH + ".drv"),
    "arguments_of_36": wire.u64(36) + wire.text(PATH + ".drv") + wire.u64(0) * 2 + wire.text("s") + wire.text("b"),
    "signatures_of_37": wire.u64(37) + wire.text(PATH),
    "hash_of_39": wire.u64(39) + wire.text(PATH) + wire.text(""),
    "references_of_39": wire.u64(39) + wire.text(PATH) + wire.text("") + wire.text(OBJECT.hash),
    "targets_of_40": wire.u64(40),
    "realisation_of_42": wire.u64(42),
    "count_of_44": wire.u64(44) + wire.u64(0) * 2 + wire.u64(8),
    "path_of_44": wire.u64(44) + wire.u64(0) * 2 + wire.u64(16) + wire.u64(1),
    "name_of_45": wire.u64(45),
    "targets_of_46": wire.u64(46),
}


def each_huge_length_takes_no_memory(ground, head):
    """F1, F7. A claim is refused before a byte of it has come; and what is read on then is thrown away."""
    for claim in HUGE:
        worker = ground.worker().enter()
        worker.send(head + wire.u64(claim))
        answer = worker.answer()
        assert answer.error is not None and answer.error.startswith("nix-gateway: "), answer.error
        assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()
        worker.rest()
        assert worker.end() == 1
    assert ground.daemon.ops() == [], ground.daemon.ops()


cases.each(globals(), PLACES.items(), each_huge_length_takes_no_memory)


def test_a_list_of_10_million_paths_is_refused_at_its_count(ground):
    """F7."""
    worker = ground.worker().enter()
    worker.send(wire.u64(31) + wire.u64(10**7) + wire.text(PATH) * 1000)
    worker.has_ended("more items than are allowed")
    assert ground.daemon.ops() == []


def test_a_length_within_bounds_takes_no_memory_until_its_bytes_come(ground):
    """32 MiB are allowed here, and none of them has come."""
    worker = ground.worker().enter()
    worker.send(wire.u64(8) + wire.text("n") + wire.u64(32 << 20) + b"x" * 4096)
    assert worker.is_silent()
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()


def test_a_list_within_bounds_takes_no_memory_until_its_items_come(ground):
    worker = ground.worker().enter()
    worker.send(wire.u64(31) + wire.u64(200000) + wire.text(PATH) * 10)
    assert worker.is_silent()
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()


def test_the_gateway_closes_by_itself_and_not_only_when_the_client_leaves(ground):
    worker = ground.worker().enter()
    worker.send(wire.u64(77))
    worker.has_ended("77", leave=False)


def each_padding_that_is_not_zero_ends_the_session(ground, at):
    """F2."""
    worker = ground.worker().enter()
    path = wire.octets(PATH)
    padding = bytearray(-len(path) % 8)
    padding[at] = 1
    worker.send(wire.u64(1) + wire.u64(len(path)) + path + padding)
    worker.has_ended("padded")
    assert ground.daemon.ops() == []


cases.each(globals(), [(f"at_{at}", at) for at in range(-len(PATH) % 8)], each_padding_that_is_not_zero_ends_the_session)

# F3: every boolean of a request that is served; what is before it, and what is behind.
BOOLEANS = {
    "substitute_of_31": wire.u64(31) + wire.texts([PATH]),
    "repair_of_7": wire.u64(7) + wire.text("n") + wire.text("text:sha256") + wire.texts([]),
    "repair_of_39": wire.u64(39) + wire.text(PATH) + OBJECT.info(),
    "dont_check_of_39": wire.u64(39) + wire.text(PATH) + OBJECT.info() + wire.u64(0),
    "repair_of_44": wire.u64(44),
    "dont_check_of_44": wire.u64(44) + wire.u64(0),
    "ultimate_of_39": wire.u64(39) + wire.text(PATH) + OBJECT.info()[:-len(wire.texts([]) + wire.text(OBJECT.ca)) - 8],
}


def each_boolean_is_0_or_1(ground, head):
    for number in (2, 255, 256, 1 << 32, (1 << 32) + 1, 1 << 63, (1 << 64) - 1):
        worker = ground.worker().enter()
        worker.send(head + wire.u64(number))
        worker.has_ended("neither 0 nor 1")
    assert ground.daemon.ops() == []


cases.each(globals(), BOOLEANS.items(), each_boolean_is_0_or_1)


def each_build_mode_is_a_known_one(ground, number):
    for mode in (3, 257, 1 << 32, (1 << 32) + 1, (1 << 64) - 1):
        worker = ground.worker().enter()
        worker.send(wire.u64(number) + wire.texts([PATH]) + wire.u64(mode))
        worker.has_ended("out of its range")
    assert ground.daemon.ops() == []


cases.each(globals(), (("in_9", 9), ("in_46", 46)), each_build_mode_is_a_known_one)


def each_unknown_operation_ends_the_session(ground, number):
    """F4. Nobody knows how long its request is."""
    worker = ground.worker().enter()
    worker.send(wire.u64(number) + wire.text(PATH))
    worker.has_ended("not known")
    assert ground.daemon.ops() == []


UNKNOWN = (0, 2, 15, 17, 51, 99, 999, 1002, 1 << 31, (1 << 32) + 1, (1 << 32) + 9, 1 << 63, (1 << 64) - 1)
cases.each(globals(), [(str(number), number) for number in UNKNOWN], each_unknown_operation_ends_the_session)


def test_nothing_slips_behind_a_refusal(ground):
    """F5. All at once in one write: each is answered in its turn, and each by its own right."""
    ground.policy("operations = query")
    worker = ground.worker().enter()
    garbage = wire.u64(2) + wire.texts([]) + wire.u64(0) * 5
    worker.send(wire.u64(9) + wire.texts([f"{PATH}.drv!*"]) + wire.u64(0) + wire.u64(20) + garbage
                + wire.u64(1) + wire.text(PATH))
    worker.is_refused(worker.answer(), "BuildPaths")
    worker.is_refused(worker.answer(), "CollectGarbage")
    assert worker.answer().error is None and worker.reader.u64() == 0
    assert ground.daemon.ops() == [1], ground.daemon.ops()


def test_a_request_is_not_read_before_the_answer_to_the_last_has_ended(ground):
    """F5, and that the daemon is not asked ahead either."""
    def late(connection, _request):
        time.sleep(0.3)
        connection.last(wire.u64(1))
    ground.daemon.answers[1] = late
    worker = ground.worker().enter()
    worker.send((wire.u64(1) + wire.text(PATH)) * 3)
    connection = ground.daemon.await_op(1)
    time.sleep(0.1)
    assert len(connection.requests) == 1, connection.requests
    for _ in range(3):
        assert worker.answer().error is None and worker.reader.u64() == 1


def test_a_client_that_sends_ahead_is_not_read_without_end(ground):
    """What waits, waits in a bounded queue and then in the client's own pipe."""
    ground.daemon.answers[1] = lambda connection, _request: connection.outstay()
    worker = ground.worker().enter()
    try:
        worker.send((wire.u64(1) + wire.text(PATH)) * 100000, limit=1)
        raise AssertionError("8 MB were taken that nobody waits for")
    except AssertionError as slow:
        assert "were not taken" in str(slow), slow
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()


def test_frames_for_the_daemon_are_made_anew_and_small(ground):
    """F6. The client's whole NAR in one frame."""
    worker = ground.worker().enter()
    answer = worker.ask(39, BIG.add_nar() + wire.frames(BIG.nar, step=1 << 31))
    assert answer.error is None, answer.error
    assert worker.is_valid(BIG.path) == 1
    sizes = ground.daemon.the_connection().frame_sizes
    assert max(sizes) <= 65536 and sum(sizes) == len(BIG.nar), max(sizes)


def each_giant_frame_is_not_believed(ground, size):
    """F6. Announced, begun, and never sent."""
    worker = ground.worker().enter()
    worker.send(wire.u64(39) + BIG.add_nar() + wire.u64(size) + BIG.nar[:100000])
    connection = ground.daemon.await_op(39)
    time.sleep(0.2)
    assert max(connection.frame_sizes) <= 65536, connection.frame_sizes
    assert worker.peak_kib() < SMALL_KIB, worker.peak_kib()
    worker.vanish()
    assert ground.daemon.said_goodbye() and worker.wait() == 1


cases.each(globals(), [(hex(size), size) for size in (1 << 31, (1 << 32) - 1)], each_giant_frame_is_not_believed)


def each_frame_of_more_bytes_than_there_are_is_refused(ground, size):
    worker = ground.worker().enter()
    worker.send(wire.u64(39) + BIG.add_nar() + wire.u64(size) + BIG.nar[:1000])
    worker.has_ended("more than")
    assert BIG.path not in ground.daemon.store


cases.each(globals(), [(hex(size), size) for size in HUGE[:1] + HUGE[2:]],
           each_frame_of_more_bytes_than_there_are_is_refused)


def test_frames_of_one_byte(ground):
    worker = ground.worker().enter()
    assert worker.ask(39, OBJECT.add_nar() + wire.frames(OBJECT.nar, step=1)).error is None
    assert worker.is_valid(OBJECT.path) == 1
    assert ground.daemon.store[OBJECT.path].nar == OBJECT.nar


def test_a_whole_session_byte_by_byte(ground):
    item = wire.Object("item", {"a": b"1", "b": ("x", b"2" * 100), "c": "target"})
    worker = ground.worker().enter()
    requests = (wire.u64(31) + wire.texts([PATH, item.path]) + wire.u64(0),
                wire.u64(39) + OBJECT.add_nar() + wire.frames(OBJECT.nar, step=50),
                wire.u64(44) + wire.u64(0) * 2 + wire.frames(wire.u64(1) + item.item(), step=33),
                wire.u64(7) + wire.text("t") + wire.text("text:sha256") + wire.texts([]) + wire.u64(0) + wire.frames(b"hi"))
    for request in requests:
        for byte in request:
            worker.send(bytes([byte]))
        assert worker.answer().error is None
        if request is requests[0]:
            assert worker.reader.texts() == []
    reply = worker.reader.text()
    worker.reader.read(len(wire.text("") + wire.text(OBJECT.hash) + wire.u64(0) * 5))
    worker.reader.text()
    assert reply.endswith(b"-t")
    assert worker.is_valid(item.path) == 1 and worker.is_valid(OBJECT.path) == 1
    assert worker.end() == 0


def each_answer_in_single_bytes_is_the_same(ground, minor):
    """The daemon's bytes one at a time."""
    ground.daemon.minor = minor
    ground.daemon.add(OBJECT)

    def trickling(connection, _request):
        for byte in wire.u64(wire.NEXT) + wire.text("working") + wire.u64(wire.LAST) + OBJECT.nar:
            connection.send(bytes([byte]))
    ground.daemon.answers[38] = trickling
    worker = ground.worker().enter(minor)
    assert worker.ask(38, wire.text(PATH)).lines() == [b"working"]
    assert worker.reader.nar() == OBJECT.nar
    assert worker.is_valid(PATH) == 1


cases.each(globals(), (("at_1_32", 32), ("at_1_38", 38)), each_answer_in_single_bytes_is_the_same)


def test_a_log_passes_unchanged_and_cannot_forge_a_message(ground):
    """F9. Text of a builder is text, whatever it holds."""
    forged = wire.u64(wire.LAST) + wire.u64(1) + b"\x1b]0;x\x07\n"

    def logging(connection, _request):
        connection.log(forged)
        connection.build_log(forged)
        connection.last(wire.u64(0))
    ground.daemon.answers[1] = logging
    worker = ground.worker().enter()
    answer = worker.ask(1, wire.text(PATH))
    assert [fields[-1] for _tag, fields in answer.log] == [forged, [forged]], answer.log
    assert worker.reader.u64() == 0


def test_what_a_daemon_says_twice_is_no_answer_to_what_was_asked_ahead(ground):
    """Daemons that break off say their error twice; the second must not be taken for the answer to the next request."""
    def breaking_off(connection, _request):
        connection.send(wire.error("broken", 38) + wire.u64(wire.LAST) + wire.u64(1))
    ground.daemon.answers[26] = breaking_off
    worker = ground.worker().enter()
    worker.send(wire.u64(26) + wire.text(PATH) + wire.u64(1) + wire.text(PATH))
    assert worker.answer().error == "broken"
    worker.has_ended("has given up this connection")
    assert ground.daemon.ops() == [26]


def each_client_that_vanishes_in_an_upload_takes_it_along(ground, count):
    """F10. The daemon holds a lock for it."""
    worker = ground.worker().enter()
    worker.send(wire.u64(39) + BIG.add_nar() + wire.u64(len(BIG.nar)) + BIG.nar[:count])
    ground.daemon.await_op(39)
    began = time.monotonic()
    worker.vanish()
    assert ground.daemon.said_goodbye(1), "the daemon is still held"
    assert worker.wait(2) == 1 and time.monotonic() - began < 2
    assert BIG.path not in ground.daemon.store


cases.each(globals(), [(f"after_{count}", count) for count in (0, 1, 100, 500000)],
           each_client_that_vanishes_in_an_upload_takes_it_along)


def never(connection, _request):
    """An operation that goes on for as long as somebody wants it."""
    connection.log("building")
    connection.reader.read(1)


def each_client_that_leaves_ends_what_runs_for_it(ground, case):
    """F11. The whole way, or the sending half alone: a client that has nothing more to say waits for no build."""
    request, leave, sockets = case
    ground.daemon.add_derivation(FOD)
    ground.daemon.answers[request[0]] = never
    worker = ground.worker(sockets=sockets).enter()
    worker.send(wire.u64(request[0]) + request[1])
    ground.daemon.await_op(request[0])
    time.sleep(0.1)
    getattr(worker, leave)()
    assert ground.daemon.said_goodbye(1), "the daemon still works"
    assert worker.wait(5) == 1


FOD = wire.FixedOutput()
TARGETS = wire.texts([f"{FOD.path}!*"]) + wire.u64(0)
LONG = (("9", (9, TARGETS)), ("46", (46, TARGETS)), ("36", (36, wire.text(FOD.path) + FOD.basic + wire.u64(0))),
        ("10", (10, wire.text(PATH))))
cases.each(globals(), [(f"{number}_{leave}_over_{kind}", (request, leave, kind == "sockets"))
                       for number, request in LONG for leave in ("vanish", "half_close") for kind in ("pipes", "sockets")],
           each_client_that_leaves_ends_what_runs_for_it)


def test_a_client_that_half_closes_behind_a_question_hears_the_answer(ground):
    def late(connection, _request):
        time.sleep(0.2)
        connection.last(wire.u64(1))
    ground.daemon.answers[1] = late
    worker = ground.worker().enter()
    worker.send(wire.u64(1) + wire.text(PATH))
    worker.half_close()
    assert worker.answer().error is None and worker.reader.u64() == 1
    assert worker.rest() == b"" and worker.end() == 0


def each_archive_that_the_daemon_breaks_is_cut_short(ground, broken):
    """F12. What the client has of it is a beginning of the archive and nothing else: there is no way to say more."""
    ground.daemon.add(BIG)
    ground.daemon.answers[38] = lambda connection, _request: connection.last(broken)
    worker = ground.worker().enter()
    assert worker.ask(38, wire.text(BIG.path)).error is None
    assert broken.startswith(worker.rest()), "bytes follow that are none of the archive's"
    assert worker.end() == 1 and BIG.path in worker.said(), worker.said()


def with_error(at):
    return BIG.nar[:at] + wire.error("cannot read it", 38) * 2


BREAKS = (("in_a_word", BIG.nar[:20] + b"\xff" + BIG.nar[21:]), ("by_an_error_in_the_first_word", with_error(0)),
          ("by_an_error_behind_the_content", with_error(len(BIG.nar) - 16)), ("in_its_last_word", BIG.nar[:-8] + b"?" * 8),
          ("by_folders_too_deep", wire.words("nix-archive-1") +
           wire.words("(", "type", "directory", "entry", "(", "name", "a", "node") * 100),
          ("by_names_out_of_order", wire.nar([("b", b""), ("a", b"")])), ("by_a_size_without_end",
           wire.words("nix-archive-1", "(", "type", "regular", "contents") + wire.u64((1 << 64) - 8) + b"x" * 100 + b""))
cases.each(globals(), BREAKS, each_archive_that_the_daemon_breaks_is_cut_short)


def each_archive_that_the_daemon_leaves_unfinished_is_cut_short(ground, cut):
    """F12, by hanging up."""
    ground.daemon.add(BIG)

    def leaving(connection, _request):
        connection.last(BIG.nar[:cut])
        raise fake_daemon.Cut
    ground.daemon.answers[38] = leaving
    worker = ground.worker().enter()
    assert worker.ask(38, wire.text(BIG.path)).error is None
    assert worker.rest() == BIG.nar[:cut], "bytes follow that are none of the archive's"
    assert worker.end() == 1 and "daemon" in worker.said(), worker.said()


cases.each(globals(), [(f"at_{cut}", cut) for cut in (0, 1, 24, 100, 500000, len(BIG.nar) - 1)],
           each_archive_that_the_daemon_leaves_unfinished_is_cut_short)


if __name__ == "__main__":
    main(globals())
