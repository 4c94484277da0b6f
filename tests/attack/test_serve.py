#!/usr/bin/env python3
"""The serve protocol towards the client, the worker protocol upstream: each command as the fake daemon sees it, what a
refusal looks like where the stream has no errors, and whose log goes where."""
import os
import time

from ground import cases, main
import fake_daemon
import wire

BASE = wire.Object("base", b"at the bottom")
VALID = wire.Object("valid", {"a": b"1", "b": "a"}, references=[BASE.path])
OTHER = wire.Object("other", b"not here")
FOD = wire.FixedOutput()
DRV = FOD.path
SMALL_KIB = 16 * 1024


def ready(ground, minor=7, **how):
    ground.daemon.add(BASE)
    ground.daemon.add(VALID)
    ground.daemon.add_derivation(FOD)
    return ground.serve(**how).hello(minor)


def asked(ground, *numbers):
    """The requests upstream of these operations, with their fields."""
    return [(request.op, request.fields) for request in ground.daemon.asked() if request.op in numbers]


def octets(*paths):
    return [path.encode() for path in paths]


# --- what each command becomes ---

def test_valid_paths_is_a_query_of_valid_paths(ground):
    serve = ready(ground)
    assert serve.valid(VALID.path, OTHER.path) == octets(VALID.path)
    assert asked(ground, 11, 31) == [(31, [octets(VALID.path, OTHER.path), 0])]
    assert serve.end() == 0 and serve.said() == ""


def each_refused_upload_is_read_to_its_end_however_long_it_is(ground, grant):
    """There is no way to tell such a client to stop."""
    ground.policy(grant)
    serve = ready(ground)
    size = 300 << 20
    serve.send(wire.u64(9) + wire.text(OTHER.path.replace("other", "unsigned")) + OTHER.info(size=size, ca=""))
    piece = bytes(1 << 20)
    for _ in range(size // len(piece)):
        serve.send(piece)
    assert serve.reader.u64() == 0
    serve.waits_to_say("nix-gateway: alice may not ")
    assert serve.valid(VALID.path) == octets(VALID.path) and serve.end() == 0


cases.each(globals(), (("by_the_grant", "operations = query"), ("for_want_of_a_signature", "")),
           each_refused_upload_is_read_to_its_end_however_long_it_is)


def test_a_path_with_many_signatures_and_references_is_described(ground):
    """Others have put them there, and they must not be able to end sessions by it."""
    signatures = [f"key-{number:03}:{'A' * 300}==" for number in range(200)]
    references = sorted(wire.Object(f"r{number}", b"r").path for number in range(12000))
    ground.daemon.store[OTHER.path] = fake_daemon.Stored(OTHER.nar, references, signatures=signatures)
    serve = ready(ground)
    reader = serve.ask(2, wire.texts([OTHER.path]))
    assert reader.text() == OTHER.path.encode() and reader.text() == b"" and reader.texts() == octets(*references)
    assert reader.read(16) and reader.text() and reader.text() == b"" and reader.texts() == octets(*signatures)
    assert reader.text() == b"" and serve.end() == 0
    worker = ground.worker().enter()
    assert worker.ask(26, wire.text(OTHER.path)).error is None
    assert worker.reader.u64() == 1 and worker.reader.text() == b"" and worker.reader.text()
    assert worker.reader.texts() == octets(*references) and worker.reader.read(24)
    assert worker.reader.texts() == octets(*signatures) and worker.reader.text() == b""
    assert worker.end() == 0


def test_valid_paths_with_a_lock_takes_temp_roots_first(ground):
    serve = ready(ground)
    assert serve.valid(VALID.path, OTHER.path, lock=1) == octets(VALID.path)
    assert [number for number, _fields in asked(ground, 11, 31)] == [11, 11, 31]
    assert [fields[0] for number, fields in asked(ground, 11)] == octets(VALID.path, OTHER.path)


def each_path_info_is_in_the_words_of_this_protocol(ground, minor):
    serve = ready(ground, minor)
    reader = serve.ask(2, wire.texts([VALID.path, OTHER.path, BASE.path]))
    for item in (VALID, BASE):
        assert reader.text() == item.path.encode()
        assert reader.text() == b"" and reader.texts() == octets(*item.references)
        assert reader.u64() == len(item.nar) and reader.u64() == len(item.nar)
        assert reader.text() == b"sha256:" + wire.nix32(bytes.fromhex(item.hash)).encode()
        assert reader.text() == item.ca.encode() and reader.texts() == []
    assert reader.text() == b"", "the path that is not valid is left out"
    assert [fields[0] for _number, fields in asked(ground, 26)] == octets(VALID.path, OTHER.path, BASE.path)
    assert serve.valid(BASE.path) == octets(BASE.path)


cases.each(globals(), [(f"2_{minor}", minor) for minor in (5, 6, 7)], each_path_info_is_in_the_words_of_this_protocol)


def test_a_dump_is_the_archive_alone(ground):
    serve = ready(ground)
    assert serve.ask(3, wire.text(VALID.path)).nar() == VALID.nar
    assert serve.valid(BASE.path) == octets(BASE.path)
    assert (38, octets(VALID.path)) in asked(ground, 38)


def test_a_dump_of_nothing_says_so_and_ends(ground):
    serve = ready(ground)
    serve.ask(3, wire.text(OTHER.path))
    serve.has_ended(OTHER.path)
    assert asked(ground, 38) == []


def test_a_closure_is_found_by_references(ground):
    serve = ready(ground)
    assert serve.ask(7, wire.u64(0) + wire.texts([VALID.path])).texts() == sorted(octets(VALID.path, BASE.path))
    assert {number for number, _fields in asked(ground, 26, 7, 41)} == {26}
    assert serve.valid(BASE.path) == octets(BASE.path)


def test_a_closure_with_outputs_asks_for_them(ground):
    serve = ready(ground)
    output = wire.Object("out", b"the output")
    ground.daemon.add(output)
    ground.daemon.outputs[DRV] = [("out", output.path), ("dev", OTHER.path)]
    paths = serve.ask(7, wire.u64(1) + wire.texts([DRV])).texts()
    assert paths == sorted(octets(DRV, output.path)), paths
    assert serve.ask(7, wire.u64(0) + wire.texts([DRV])).texts() == octets(DRV)


def test_a_closure_that_is_not_whole_ends_with_a_sentence(ground):
    serve = ready(ground)
    serve.ask(7, wire.u64(0) + wire.texts([OTHER.path]))
    serve.has_ended(OTHER.path)


def test_an_upload_is_one_add_to_store_nar(ground):
    serve = ready(ground)
    serve.ask(9, wire.text(OTHER.path) + OTHER.info(time=99, ultimate=1) + OTHER.nar)
    assert serve.reader.u64() == 1
    assert serve.valid(OTHER.path) == octets(OTHER.path)
    (_number, fields), = asked(ground, 39)
    assert fields[0] == OTHER.path.encode() and fields[4] == 0 and fields[6] == 0 and fields[9] == 0, fields
    assert ground.daemon.store[OTHER.path].nar == OTHER.nar


def exported(item, more=1, signature=None):
    end = wire.u64(0) if signature is None else wire.u64(1) + wire.text(signature)
    return (wire.u64(more) + item.nar + wire.u64(0x4558494e) + wire.text(item.path) + wire.texts(item.references)
            + wire.text("") + end)


def importing(ground):
    """An export stream has no content address: its paths are believed only where everything is."""
    ground.policy("trust = full")
    ground.daemon.trust = 1
    return ground.serve().hello()


def test_an_import_is_one_add_to_store_nar_per_path(ground):
    serve = importing(ground)
    serve.ask(4, exported(BASE) + exported(VALID, signature="old") + wire.u64(0))
    assert serve.reader.u64() == 1, serve.said()
    assert [fields[0] for _number, fields in asked(ground, 39)] == octets(BASE.path, VALID.path)
    for item in (BASE, VALID):
        stored = ground.daemon.store[item.path]
        assert stored.nar == item.nar and stored.references == octets(*item.references)
    assert serve.valid(BASE.path) == octets(BASE.path)


def test_an_import_of_nothing_is_fine(ground):
    serve = importing(ground)
    serve.ask(4, wire.u64(0))
    assert serve.reader.u64() == 1 and asked(ground, 39) == []


def test_an_import_of_a_large_path_takes_little_memory(ground):
    serve = importing(ground)
    large = wire.Object("large", os.urandom(1 << 20) * 64)
    serve.send(wire.u64(4) + exported(large) + wire.u64(0), limit=60)
    assert serve.reader.u64() == 1, serve.said()
    assert serve.peak_kib() < SMALL_KIB, serve.peak_kib()


def test_an_import_of_what_the_grant_does_not_believe_is_answered_by_0(ground):
    serve = ready(ground)
    serve.ask(4, exported(OTHER) + wire.u64(0))
    assert serve.reader.u64() == 0
    serve.waits_to_say(OTHER.path)
    assert serve.valid(BASE.path) == octets(BASE.path) and asked(ground, 39) == []


def each_broken_export_stream_ends_the_session(ground, stream):
    serve = importing(ground)
    serve.ask(4, stream)
    serve.rest()
    assert serve.end() == 1 and "nix-gateway: " in serve.said(), serve.said()
    assert asked(ground, 39) == []


cases.each(globals(), {
    "begins_with_2": wire.u64(2) + BASE.nar,
    "a_newer_format": wire.u64(0x324f4952414e) + bytes(64),
    "another_magic": wire.u64(1) + BASE.nar + wire.u64(0x4558494f) + wire.text(BASE.path) + wire.u64(0) * 3,
    "an_odd_path": wire.u64(1) + BASE.nar + wire.u64(0x4558494e) + wire.text(BASE.path + "/") + wire.u64(0) * 3,
    "a_strange_end": wire.u64(1) + BASE.nar + wire.u64(0x4558494e) + wire.text(BASE.path) + wire.u64(0) + wire.text("")
                     + wire.u64(2),
    "references_without_end": wire.u64(1) + BASE.nar + wire.u64(0x4558494e) + wire.text(BASE.path) + wire.u64(1 << 40),
}.items(), each_broken_export_stream_ends_the_session)


# --- builds ---

def each_target_of_a_build_is_translated(ground, case):
    target, upstream = case
    serve = ready(ground)
    serve.ask(6, wire.texts([target]) + serve.build_options())
    assert serve.reader.u64() == 0, serve.said()
    (number, fields), = asked(ground, 9, 46)
    assert fields == [octets(upstream), 0], (number, fields)
    assert serve.valid(BASE.path) == octets(BASE.path)


cases.each(globals(), (("a_bare_drv_means_all", (DRV, f"{DRV}!*")), ("an_output", (f"{DRV}!out", f"{DRV}!out")),
                       ("a_bare_path", (OTHER.path, OTHER.path))), each_target_of_a_build_is_translated)


def each_failing_build_is_told_by_status_9(ground, minor):
    """Status 1, which Nix itself sends, is success to its clients, and leaves the message in the stream."""
    serve = ready(ground, minor)
    for number in (9, 46):
        ground.daemon.answers[number] = lambda connection, _request: connection.error("builder failed with exit code 7")
    serve.ask(6, wire.texts([f"{DRV}!out"]) + serve.build_options())
    assert serve.reader.u64() == 9
    assert "exit code 7" in serve.reader.text().decode()
    assert serve.valid(BASE.path) == octets(BASE.path)


cases.each(globals(), [(f"2_{minor}", minor) for minor in (5, 6, 7)], each_failing_build_is_told_by_status_9)


def each_derivation_is_built(ground, minor):
    serve = ready(ground, minor)
    serve.ask(8, wire.text(DRV) + FOD.basic + serve.build_options(timeout=5))
    assert serve.result() == (0, "", 0)
    (number, fields), = asked(ground, 36, 46)
    assert number == 46 or fields[0] == DRV.encode() and fields[-1] == 0, fields
    assert serve.valid(BASE.path) == octets(BASE.path)


cases.each(globals(), [(f"2_{minor}", minor) for minor in (5, 6, 7)], each_derivation_is_built)


def each_failing_derivation_is_told_in_its_result(ground, case):
    answer, status, message = case
    serve = ready(ground)
    ground.daemon.answers[36] = answer
    serve.ask(8, wire.text(DRV) + FOD.basic + serve.build_options())
    result = serve.result()
    assert result[0] == status and message in result[1], result
    assert serve.valid(BASE.path) == octets(BASE.path)


def fails_with(status):
    return lambda connection, _request: connection.last(fake_daemon.build_result(connection.minor, status, "it broke"))


cases.each(globals(), (("permanent_failure", (fails_with(3), 3, "it broke")),
                       ("a_status_of_newer_daemons", (fails_with(15), 9, "it broke")),
                       ("an_error", (lambda connection, _request: connection.error("it broke"), 9, "it broke"))),
           each_failing_derivation_is_told_in_its_result)


# --- logs ---

def test_the_log_of_a_build_goes_to_stderr(ground):
    """And nowhere else: on stdout it would be taken for the reply."""
    def building(connection, request):
        connection.log("a line by itself\n")
        connection.log("one without its end")
        connection.build_log(b"from the builder \xff\x1b[1m")
        connection.send(wire.u64(wire.START_ACTIVITY) + wire.u64(1) + wire.u64(3) + wire.u64(105) + wire.text("building it")
                        + wire.u64(0) + wire.u64(0))
        connection.send(wire.u64(wire.RESULT) + wire.u64(1) + wire.u64(105) + wire.u64(4)
                        + (wire.u64(0) + wire.u64(1)) * 4)
        fake_daemon.build_derivation(connection, request)
    serve = ready(ground)
    ground.daemon.answers[36] = building
    serve.ask(8, wire.text(DRV) + FOD.basic + serve.build_options())
    assert serve.result()[0] == 0
    assert serve.end() == 0
    with open(serve.log, "rb") as log:
        assert log.read() == b"a line by itself\none without its end\nfrom the builder \xff\x1b[1m\n"


def test_a_long_log_is_complete_and_in_order_before_the_result(ground):
    lines = [b"line %d" % number for number in range(20000)]

    def building(connection, request):
        for line in lines:
            connection.build_log(line)
        fake_daemon.build_derivation(connection, request)
    serve = ready(ground)
    ground.daemon.answers[36] = building
    serve.ask(8, wire.text(DRV) + FOD.basic + serve.build_options())
    assert serve.result()[0] == 0
    assert serve.end() == 0
    with open(serve.log, "rb") as log:
        assert log.read().splitlines() == lines


def test_a_log_that_nobody_takes_holds_the_build_up_and_is_not_kept(ground):
    def building(connection, _request):
        while True:
            connection.build_log(b"z" * 100)
    serve = ready(ground, log_pipe=True)
    ground.daemon.answers[36] = building
    serve.ask(8, wire.text(DRV) + FOD.basic + serve.build_options())
    time.sleep(1)
    sent = ground.daemon.the_connection().sent
    time.sleep(0.5)
    assert ground.daemon.the_connection().sent == sent and serve.peak_kib() < SMALL_KIB, (sent, serve.peak_kib())
    serve.vanish()
    assert ground.daemon.said_goodbye(2), "the build goes on without its client"


# --- refusals ---

WRITES = {
    4: lambda serve: exported(OTHER) + wire.u64(0),
    6: lambda serve: wire.texts([f"{DRV}!out"]) + serve.build_options(),
    8: lambda serve: wire.text(DRV) + FOD.basic + serve.build_options(),
    9: lambda serve: wire.text(OTHER.path) + OTHER.info() + OTHER.nar,
}


def read_refusal(serve, number):
    """What the stream has for it; None where it has nothing."""
    if number in (1, 9):
        return serve.reader.u64() == 0
    if number == 2:
        return serve.reader.text() == b""
    if number == 6:
        return serve.reader.u64() == 9 and serve.reader.text() != b""
    if number == 8:
        status, message, outputs = serve.result()
        return status == 9 and message != "" and outputs == 0
    return None


def is_refused(ground, serve, number, sentence):
    """Refused, on stderr in any case; the session goes on where the stream allows it. Nothing went up."""
    if number in (3, 4, 5, 7):
        serve.has_ended(sentence)
    else:
        assert read_refusal(serve, number), serve.said()
        serve.waits_to_say(sentence)
    assert ground.daemon.heard() == 0


def each_write_is_refused_without_write(ground, number):
    serve = ready(ground, write=False)
    serve.ask(number, WRITES[number](serve))
    is_refused(ground, serve, number, f"nix-gateway: {NAMES[number]} needs nix-store --serve --write")
    if number != 4:
        assert serve.valid(BASE.path) == octets(BASE.path)


cases.each(globals(), [(str(number), number) for number in WRITES], each_write_is_refused_without_write)


def test_reading_needs_no_write(ground):
    serve = ready(ground, write=False)
    assert serve.valid(VALID.path, substitute=1) == octets(VALID.path)
    assert asked(ground, 31) == [(31, [octets(VALID.path), 0])], "substituting is writing"
    assert serve.ask(3, wire.text(VALID.path)).nar() == VALID.nar
    assert serve.ask(7, wire.u64(0) + wire.texts([BASE.path])).texts() == octets(BASE.path)
    assert serve.end() == 0


COMMANDS = {
    1: ("build upload download substitute", lambda serve: wire.u64(0) * 2 + wire.texts([VALID.path])),
    2: ("build upload download substitute", lambda serve: wire.texts([VALID.path])),
    3: ("query build upload substitute", lambda serve: wire.text(VALID.path)),
    4: ("query build download substitute", WRITES[4]),
    6: ("query upload download substitute", WRITES[6]),
    7: ("build upload download substitute", lambda serve: wire.u64(0) + wire.texts([VALID.path])),
    8: ("query upload download substitute", WRITES[8]),
    9: ("query build download substitute", WRITES[9]),
}


def each_command_that_is_not_granted_is_refused(ground, number):
    grant, body = COMMANDS[number]
    ground.policy(f"operations = {grant}")
    serve = ready(ground)
    serve.ask(number, body(serve))
    is_refused(ground, serve, number, f"nix-gateway: alice may not use {NAMES[number]} (allowed: {grant})")
    if number in (6, 8, 9):
        assert serve.valid(BASE.path) == octets(BASE.path), "the session is out of step"


NAMES = {1: "QueryValidPaths", 2: "QueryPathInfos", 3: "DumpStorePath", 4: "ImportPaths", 6: "BuildPaths",
         7: "QueryClosure", 8: "BuildDerivation", 9: "AddToStoreNar"}
cases.each(globals(), [(NAMES[number], number) for number in COMMANDS], each_command_that_is_not_granted_is_refused)


def test_an_export_is_refused(ground):
    serve = ready(ground)
    serve.ask(5, wire.u64(0) + wire.texts([VALID.path]))
    is_refused(ground, serve, 5, "ExportPaths")


def each_unknown_command_ends_the_session(ground, number):
    serve = ready(ground)
    serve.ask(number, wire.texts([VALID.path]))
    serve.has_ended("not known")
    assert ground.daemon.ops() == []


cases.each(globals(), [(str(number), number) for number in (0, 10, 44, 1 << 32, (1 << 32) + 1, (1 << 64) - 1)],
           each_unknown_command_ends_the_session)


def each_huge_length_takes_no_memory(ground, body):
    for claim in (1 << 40, 3 << 30, (1 << 64) - 1):
        serve = ready(ground)
        serve.send(body + wire.u64(claim))
        serve.waits_to_say("nix-gateway: ")
        assert serve.peak_kib() < SMALL_KIB, serve.peak_kib()
        assert serve.rest() == b"" and serve.wait() == 1


cases.each(globals(), {
    "paths_of_1": wire.u64(1) + wire.u64(0) * 2,
    "path_of_2": wire.u64(2) + wire.u64(1),
    "path_of_3": wire.u64(3),
    "targets_of_6": wire.u64(6),
    "target_of_6": wire.u64(6) + wire.u64(1),
    "paths_of_7": wire.u64(7) + wire.u64(0),
    "outputs_of_8": wire.u64(8) + wire.text(DRV),
    "hash_of_9": wire.u64(9) + wire.text(VALID.path) + wire.text(""),
}.items(), each_huge_length_takes_no_memory)


def each_boolean_is_0_or_1(ground, head):
    for number in (2, 256, 1 << 32, (1 << 64) - 1):
        serve = ready(ground)
        serve.send(head + wire.u64(number))
        serve.waits_to_say("neither 0 nor 1")
        assert serve.rest() == b"" and serve.wait() == 1
    assert ground.daemon.ops() == []


cases.each(globals(), {"lock": wire.u64(1), "substitute": wire.u64(1) + wire.u64(0), "include_outputs": wire.u64(7),
                       "keep_failed": wire.u64(6) + wire.texts([DRV]) + wire.u64(0) * 5,
                       "ultimate": wire.u64(9) + wire.text(VALID.path) + wire.text("") + wire.text(VALID.hash)
                       + wire.texts([]) + wire.u64(0) + wire.u64(len(VALID.nar))}.items(), each_boolean_is_0_or_1)


def test_a_session_byte_by_byte(ground):
    serve = ready(ground)
    stream = (wire.u64(1) + wire.u64(0) * 2 + wire.texts([VALID.path]) + wire.u64(9) + wire.text(OTHER.path) + OTHER.info()
              + OTHER.nar + wire.u64(3) + wire.text(OTHER.path))
    for byte in stream:
        serve.send(bytes([byte]))
    assert serve.reader.texts() == octets(VALID.path)
    assert serve.reader.u64() == 1
    assert serve.reader.nar() == OTHER.nar
    assert serve.end() == 0


def each_client_that_leaves_ends_its_build(ground, leave):
    def building(connection, _request):
        connection.outstay()
    serve = ready(ground)
    ground.daemon.answers[36] = building
    serve.ask(8, wire.text(DRV) + FOD.basic + serve.build_options())
    ground.daemon.await_op(36)
    getattr(serve, leave)()
    assert ground.daemon.said_goodbye(1), "the build goes on without its client"
    assert serve.wait(5) == 1


cases.each(globals(), (("altogether", "vanish"), ("by_half", "half_close")), each_client_that_leaves_ends_its_build)


def test_a_client_that_leaves_in_an_upload_takes_it_along(ground):
    serve = ready(ground)
    big = wire.Object("big", os.urandom(1 << 20))
    serve.send(wire.u64(9) + wire.text(big.path) + big.info() + big.nar[:500000])
    ground.daemon.await_op(39)
    serve.vanish()
    assert ground.daemon.said_goodbye(1) and serve.wait(2) == 1
    assert big.path not in ground.daemon.store


if __name__ == "__main__":
    main(globals())
