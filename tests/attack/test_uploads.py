#!/usr/bin/env python3
"""U1, U8 to U13, U17: archives that are none, sizes that lie, paths that are spelled oddly, and daemons that fail while
the client is still sending. Whatever goes wrong is told, drained, and the next request works."""
import os
import time

from ground import cases, main
import fake_daemon
import wire

GOOD = wire.Object("good", {"bin": {"run": ("x", b"#!/bin/sh\n")}, "link": "bin/run", "text": b"t" * 5000})
NEXT = wire.Object("next", b"what comes behind it")
HIDDEN = wire.Object("hidden", b"what nobody has announced")
BIG = wire.Object("big", os.urandom(1 << 20) * 4)
ACCOUNTS = (("untrusted", 2), ("trusted", 1))


# --- the ways in: each uploads one path and gives what became of it ---

class Way:
    """A way to upload: `send` writes the whole of it; `told` reads the refusal; `works` proves the session."""

    def __init__(self, start, send):
        self.start, self.send = start, send

    def refused(self, ground, archive, item, **lies):
        """The upload is refused with a sentence, and the session goes on with a good upload."""
        session = self.start(ground)
        self.send(session, archive, item, **lies)
        sentence = told(session)
        if item.path != NEXT.path:
            self.send(session, NEXT.nar, NEXT)
            stored(session)
        return session, sentence

    def accepted(self, ground, item):
        session = self.start(ground)
        self.send(session, item.nar, item)
        stored(session)
        return session


def told(session):
    """What the client is told where an upload fails: an ERROR, or 0 and a line on stderr."""
    if hasattr(session, "trust"):
        return session.is_refused(session.answer(), "")
    assert session.reader.u64() == 0
    session.waits_to_say("nix-gateway: ")
    return session.said()


def stored(session):
    if hasattr(session, "trust"):
        answer = session.answer()
        assert answer.error is None, answer.error
    else:
        assert session.reader.u64() == 1, session.said()


def worker(ground):
    return ground.worker().enter()


def serve(ground):
    return ground.serve().hello()


def by_39(session, archive, item, **lies):
    session.send(wire.u64(39) + item.add_nar(**lies) + wire.frames(archive, step=10000))


def by_44(session, archive, item, **lies):
    session.send(wire.u64(44) + wire.u64(0) * 2
                 + wire.frames(wire.u64(1) + item.item(archive=archive, **lies), step=10000))


def by_44_behind_another(session, archive, item, **lies):
    first = wire.Object("first", b"in front of it")
    session.send(wire.u64(44) + wire.u64(0) * 2
                 + wire.frames(wire.u64(2) + first.item() + item.item(archive=archive, **lies), step=777))


def by_serve_9(session, archive, item, path=None, **lies):
    head = wire.text(path or item.path) + item.info(**{"size": len(archive), **lies})
    session.send(wire.u64(9) + head + archive)


def by_serve_4(session, archive, item, path=None, magic=0x4558494e, **_lies):
    session.send(wire.u64(4) + wire.u64(1) + archive + wire.u64(magic) + wire.text(path or item.path)
                 + wire.texts(item.references) + wire.text("") + wire.u64(0) + wire.u64(0))


FRAMED = (("39", Way(worker, by_39)), ("44", Way(worker, by_44)), ("44_behind_another", Way(worker, by_44_behind_another)))
SERVE_9 = Way(serve, by_serve_9)
ALL = FRAMED + (("serve_9", SERVE_9),)


def each_good_path_is_stored(ground, case):
    way, trust = case
    ground.daemon.trust = trust
    session = way.accepted(ground, GOOD)
    way.send(session, NEXT.nar, NEXT)
    stored(session)
    assert ground.daemon.store[GOOD.path].nar == GOOD.nar and ground.daemon.store[NEXT.path].nar == NEXT.nar
    assert 44 not in ground.daemon.ops(), "many in one stream are counted differently by different daemons"
    assert session.end() == 0


cases.each(globals(), [(f"by_{name}_with_the_{label}_account", (way, trust)) for name, way in ALL
                       for label, trust in ACCOUNTS], each_good_path_is_stored)


def heads(ground):
    return [request.fields[0].decode() for request in ground.daemon.asked() if request.op == 39]


def is_not_whole(ground, item, archive):
    """The daemon was not given the archive to its end: it would have committed it."""
    for request in ground.daemon.asked():
        if request.op == 39 and request.fields[0].decode() == item.path:
            assert request.content != archive, request


# --- U1 ---

def each_repair_is_refused_and_the_path_stays_as_it_is(ground, case):
    """U1. Whatever the account and whatever the grant; and not a byte of it goes up."""
    (number, body), trust, grant = case
    ground.policy(grant)
    ground.daemon.trust = trust
    ground.daemon.add(GOOD)
    session = worker(ground)
    before = ground.daemon.heard()
    assert "repair" in session.refused(number, body)
    assert ground.daemon.heard() == before
    assert session.is_valid(GOOD.path) == 1 and ground.daemon.store[GOOD.path].nar == GOOD.nar
    assert ground.daemon.ops() == [1]


OTHER = wire.nar(b"another content")
REPAIRS = (("7", (7, wire.text("good") + wire.text("fixed:r:sha256") + wire.texts([]) + wire.u64(1) + wire.frames(OTHER))),
           ("39", (39, GOOD.add_nar(repair=1) + wire.frames(OTHER))),
           ("39_large", (39, BIG.add_nar(repair=1) + wire.frames(BIG.nar))),
           ("44", (44, wire.u64(1) + wire.u64(0) + wire.frames(wire.u64(1) + GOOD.item(archive=OTHER)))))
EVERYTHING = "operations = *\ntrust = full"
cases.each(globals(), [(f"by_{name}_with_the_{label}_account_and_{what}", (request, trust, grant))
                       for name, request in REPAIRS for label, trust in ACCOUNTS
                       for what, grant in (("the_usual_grant", ""), ("every_operation", EVERYTHING))],
           each_repair_is_refused_and_the_path_stays_as_it_is)


# --- U8: sizes ---

def smuggled():
    """An archive that another path is hidden behind, in the same number of bytes that the head announces."""
    carrier = wire.Object("carrier", b"short")
    return carrier, carrier.nar + wire.text(HIDDEN.path) + HIDDEN.info() + HIDDEN.nar


def each_path_hidden_behind_an_archive_is_not_seen(ground, way):
    """U8. The head's size covers more than the archive has."""
    carrier, whole = smuggled()
    session, sentence = way.refused(ground, whole, carrier, size=len(whole))
    assert HIDDEN.path not in heads(ground) and HIDDEN.path not in ground.daemon.store
    assert "bytes" in sentence, sentence
    assert session.end() == 0


def each_path_hidden_in_a_content_is_not_seen(ground, way):
    """U8, the other way round: the archive is longer than its head says, and what is over looks like a path."""
    inside = wire.text(HIDDEN.path) + HIDDEN.info() + HIDDEN.nar
    carrier = wire.Object("carrier", b"c" * 64 + inside)
    session, _sentence = way.refused(ground, carrier.nar, carrier, size=len(carrier.nar) - len(inside) - 16)
    assert HIDDEN.path not in heads(ground) and HIDDEN.path not in ground.daemon.store
    is_not_whole(ground, carrier, carrier.nar)
    assert session.end() == 0


cases.each(globals(), FRAMED, each_path_hidden_behind_an_archive_is_not_seen)
cases.each(globals(), FRAMED, each_path_hidden_in_a_content_is_not_seen)


def test_a_path_hidden_behind_an_archive_of_serve_is_not_seen(ground):
    """U8. There the announced bytes are drained, and all of them belong to the one path."""
    carrier, whole = smuggled()
    session, _sentence = SERVE_9.refused(ground, whole, carrier)
    assert HIDDEN.path not in heads(ground)
    assert session.end() == 0


def each_size_that_is_not_the_archives_is_refused(ground, case):
    way, change = case
    session, _sentence = way.refused(ground, GOOD.nar, GOOD, size=len(GOOD.nar) + change)
    assert session.end() == 0


cases.each(globals(), [(f"by_{name}_{change:+}", (way, change)) for name, way in FRAMED for change in (-8, -1, 1, 8, 4096)],
           each_size_that_is_not_the_archives_is_refused)


def each_serve_size_that_no_archive_has_ends_the_session(ground, size):
    """Nobody could say where the next command begins."""
    session = serve(ground)
    session.send(wire.u64(9) + wire.text(GOOD.path) + GOOD.info(size=size) + GOOD.nar)
    session.has_ended("no archive's size")
    assert heads(ground) == []


cases.each(globals(), [(str(size), size) for size in (0, 8, 88, len(GOOD.nar) + 1, len(GOOD.nar) - 7, 1 << 40, (1 << 64) - 8)],
           each_serve_size_that_no_archive_has_ends_the_session)


def each_bytes_behind_the_archive_are_refused(ground, number):
    """U8: in the frames, behind the last path. For a single upload they would be some daemons' next request."""
    extra = wire.u64(39) + HIDDEN.add_nar()
    session = worker(ground)
    body = {39: GOOD.add_nar() + wire.frames(GOOD.nar + extra),
            44: wire.u64(0) * 2 + wire.frames(wire.u64(1) + GOOD.item() + HIDDEN.item())}[number]
    session.is_refused(session.ask(number, body), "")
    assert HIDDEN.path not in heads(ground)
    assert session.is_valid(HIDDEN.path) == 0


cases.each(globals(), (("39", 39), ("44", 44)), each_bytes_behind_the_archive_are_refused)


def each_count_of_44_that_is_not_the_number_of_paths_is_refused(ground, count):
    session = worker(ground)
    session.send(wire.u64(44) + wire.u64(0) * 2 + wire.frames(wire.u64(count) + GOOD.item()))
    answer = session.answer()
    assert answer.error is not None and answer.error.startswith("nix-gateway: "), answer.error
    assert session.end() in (0, 1)


cases.each(globals(), [(str(count), count) for count in (0, 2, 1000, 1000000, 1 << 32, (1 << 64) - 1)],
           each_count_of_44_that_is_not_the_number_of_paths_is_refused)


def test_a_count_of_no_paths_is_fine(ground):
    session = worker(ground)
    assert session.ask(44, wire.u64(0) * 2 + wire.frames(wire.u64(0))).error is None
    assert session.is_valid(GOOD.path) == 0 and heads(ground) == []


def each_size_over_what_is_allowed_is_refused_at_the_head(ground, way):
    """U13. Before a byte of the archive has come."""
    session = worker(ground)
    size = 1 << 40
    if way == 39:
        session.send(wire.u64(39) + GOOD.add_nar(size=size))
    else:
        session.send(wire.u64(44) + wire.u64(0) * 2 + wire.u64(1 << 20)
                     + wire.u64(1) + wire.text(GOOD.path) + GOOD.info(size=size))
    session.is_refused(session.answer(), GOOD.path)
    assert heads(ground) == [], "the daemon was told of it"


cases.each(globals(), (("by_39", 39), ("by_44", 44)), each_size_over_what_is_allowed_is_refused_at_the_head)


# --- U9 to U12: archives ---

def deep(levels):
    return (wire.words("nix-archive-1") + wire.words("(", "type", "directory", "entry", "(", "name", "a", "node") * levels
            + wire.node(b"bottom") + wire.words(")", ")") * levels)


W = wire.words
BROKEN = {
    "u9_10000_folders": deep(10000),
    "u9_64_folders_and_a_file": deep(64),
    "u10_names_out_of_order": wire.nar([("b", b"1"), ("a", b"2")]),
    "u10_a_name_twice": wire.nar([("a", b"1"), ("a", b"2")]),
    "u10_a_link_then_a_folder_of_its_name": wire.nar([("a", "/etc"), ("a", {"passwd": b"x"})]),
    "u10_dot": wire.nar([(".", b"1")]),
    "u10_dot_dot": wire.nar([("..", b"1")]),
    "u10_empty_name": wire.nar([("", b"1")]),
    "u10_slash": wire.nar([("a/b", b"1")]),
    "u10_absolute": wire.nar([("/etc", b"1")]),
    "u10_nul": wire.nar([("a\0b", b"1")]),
    "u10_long_name": wire.nar([("n" * 256, b"1")]),
    "u10_empty_target": wire.nar(""),
    "u10_nul_in_a_target": wire.nar("a\0b"),
    "u10_long_target": wire.nar("t" * 4096),
    "u11_content_of_almost_2_to_64": W("nix-archive-1", "(", "type", "regular", "contents") + wire.u64((1 << 64) - 8) + b"x" * 64,
    "u11_content_that_wraps": W("nix-archive-1", "(", "type", "regular", "contents") + wire.u64((1 << 64) - 1) + b"x" * 64,
    "u11_content_longer_than_the_archive": W("nix-archive-1", "(", "type", "regular", "contents") + wire.u64(1 << 30) + b"x" * 64,
    "u11_word_of_2_to_40": wire.u64(1 << 40) + b"nix-archive-1" + bytes(83),
    "u12_case_hack": wire.nar([("a~nix~case~hack~1", b"1")]),
    "u12_case_hack_below": wire.nar({"d": [("a~nix~case~hack~1", b"1")]}),
    "other_magic": W("nix-archive-2") + wire.node(b"1"),
    "contents_twice": W("nix-archive-1", "(", "type", "regular", "contents", "a", "contents", "b", ")"),
    "executable_behind": W("nix-archive-1", "(", "type", "regular", "contents", "a", "executable", "", ")"),
    "executable_with_a_word": W("nix-archive-1", "(", "type", "regular", "executable", "x", "contents", "a", ")"),
    "no_contents": W("nix-archive-1", "(", "type", "regular", ")") + bytes(32),
    "no_type": W("nix-archive-1", "(", ")") + bytes(64),
    "type_twice": W("nix-archive-1", "(", "type", "regular", "type", "directory", ")"),
    "unknown_type": W("nix-archive-1", "(", "type", "socket", ")") + bytes(40),
    "node_before_name": W("nix-archive-1", "(", "type", "directory", "entry", "(", "node") + wire.node(b"") + W("name", "a", ")", ")"),
    "entry_without_node": W("nix-archive-1", "(", "type", "directory", "entry", "(", "name", "a", ")", ")"),
    "padding_of_the_content": wire.nar(b"abc").replace(b"abc\0\0\0\0\0", b"abc\0\0\0\0\1"),
    "padding_of_a_word": wire.nar(b"abc").replace(b"archive-1\0\0\0", b"archive-1\0\0\1"),
    "nothing_but_zeros": bytes(112),
    "all_ones": b"\xff" * 112,
}


def each_broken_archive_is_refused(ground, case):
    """The daemon never has the whole of it, and both sides stay in step."""
    way, broken = case
    broken = broken + bytes(-len(broken) % 8)
    carrier = wire.Object("carrier", b"")
    carrier.nar, carrier.hash = broken, wire.sha256(broken).hexdigest()
    session, sentence = way.refused(ground, broken, reseal(carrier))
    assert "archive" in sentence or carrier.path in sentence, sentence
    is_not_whole(ground, carrier, broken)
    assert NEXT.path in ground.daemon.store
    assert session.end() == 0


def reseal(item):
    """The path and content address that these bytes would have: nothing else about them is wrong."""
    item.path = wire.store_path("source", item.hash, "carrier")
    item.ca = "fixed:r:sha256:" + wire.nix32(bytes.fromhex(item.hash))
    return item


cases.each(globals(), [(f"{what}_by_{name}", (way, broken)) for what, broken in BROKEN.items() for name, way in ALL],
           each_broken_archive_is_refused)


def each_broken_archive_of_an_export_stream_ends_the_session(ground, broken):
    """What is behind it cannot be found."""
    session = serve(ground)
    session.send(wire.u64(4) + wire.u64(1) + broken + bytes(-len(broken) % 8))
    session.has_ended("archive")
    assert ground.daemon.ops() == []


cases.each(globals(), [(what, broken) for what, broken in BROKEN.items() if "longer_than" not in what],
           each_broken_archive_of_an_export_stream_ends_the_session)


def each_broken_archive_of_op_7_is_refused(ground, broken):
    session = worker(ground)
    head = wire.text("n") + wire.text("fixed:r:sha256") + wire.texts([]) + wire.u64(0)
    session.is_refused(session.ask(7, head + wire.frames(broken)), "archive")
    assert session.ask(7, head + wire.frames(GOOD.nar)).error is None
    assert session.reader.text().endswith(b"-n")


cases.each(globals(), BROKEN.items(), each_broken_archive_of_op_7_is_refused)


def each_archive_cut_short_is_refused(ground, cut):
    session = worker(ground)
    session.is_refused(session.ask(39, GOOD.add_nar() + wire.frames(GOOD.nar[:cut])), "archive")
    assert session.is_valid(GOOD.path) == 0


cases.each(globals(), [(f"at_{cut}", cut) for cut in (0, 1, 8, 24, 100, len(GOOD.nar) - 8, len(GOOD.nar) - 1)],
           each_archive_cut_short_is_refused)


# --- U17: paths ---

ODD = {
    "two_slashes": GOOD.path.replace("/store/", "/store//"),
    "dot": GOOD.path.replace("/store/", "/store/./"),
    "dot_dot": GOOD.path.replace("/store/", "/store/../store/"),
    "slash_at_the_end": GOOD.path + "/",
    "below_it": GOOD.path + "/bin/run",
    "upper_case": GOOD.path[:11] + GOOD.path[11:43].upper() + GOOD.path[43:],
    "no_dash": GOOD.path[:43] + GOOD.path[44:],
    "letter_of_no_hash": GOOD.path[:11] + "e" + GOOD.path[12:],
    "short_hash": GOOD.path[:11] + GOOD.path[12:],
    "no_name": GOOD.path[:44],
    "name_with_a_blank": GOOD.path + " x",
    "name_with_a_newline": GOOD.path + "\n",
    "name_with_nul": GOOD.path + "\0",
    "name_with_a_dot_in_front": GOOD.path[:44] + ".." + GOOD.path[44:],
    "name_too_long": GOOD.path[:44] + "n" * 212,
    "another_store": GOOD.path.replace("/nix/store", "/tmp/store"),
    "no_store": GOOD.path[11:],
    "the_store_itself": "/nix/store",
    "not_ascii": GOOD.path + "é",
}


def each_odd_path_ends_the_session(ground, case):
    """U17. Daemons would take some of them for the same path, and others not."""
    spelled, place = case
    session = worker(ground)
    session.send({"of_39": wire.u64(39) + GOOD.add_nar(path=spelled),
                  "of_44": wire.u64(44) + wire.u64(0) * 2 + wire.frames(wire.u64(1) + GOOD.item(path=spelled)),
                  "as_reference": wire.u64(39) + GOOD.add_nar(references=[spelled]),
                  "as_deriver": wire.u64(39) + GOOD.add_nar(deriver=spelled),
                  "of_26": wire.u64(26) + wire.text(spelled)}[place])
    session.has_ended("is not a store path")
    assert ground.daemon.ops() == []


cases.each(globals(), [(f"{what}_{place}", (spelled, place)) for what, spelled in ODD.items()
                       for place in ("of_39", "of_44", "as_reference", "as_deriver", "of_26")],
           each_odd_path_ends_the_session)


def each_odd_path_of_serve_ends_the_session(ground, spelled):
    session = serve(ground)
    session.send(wire.u64(9) + wire.text(spelled) + GOOD.info() + GOOD.nar)
    session.has_ended("is not a store path")
    assert ground.daemon.ops() == []


cases.each(globals(), ODD.items(), each_odd_path_of_serve_ends_the_session)


def each_hash_in_another_form_ends_the_session(ground, form):
    session = worker(ground)
    session.send(wire.u64(39) + GOOD.add_nar(nar_hash=form))
    session.has_ended("narHash")
    assert ground.daemon.ops() == []


FORMS = (("with_its_name", "sha256:" + GOOD.hash), ("upper_case", GOOD.hash.upper()), ("short", GOOD.hash[:-1]),
         ("nix32", wire.nix32(bytes.fromhex(GOOD.hash))), ("empty", ""))
cases.each(globals(), FORMS, each_hash_in_another_form_ends_the_session)


def each_bound_of_a_head_is_kept(ground, lies):
    session = worker(ground)
    session.send(wire.u64(39) + GOOD.add_nar(**lies))
    session.has_ended("allowed")
    assert ground.daemon.ops() == []


cases.each(globals(), (("17_signatures", {"signatures": ["k:" + "A" * 86 + "=="] * 17}),
                       ("a_signature_of_257_bytes", {"signatures": ["k" * 257]}),
                       ("10001_references", {"references": [GOOD.path] * 10001}),
                       ("a_content_address_of_257_bytes", {"ca": "c" * 257})), each_bound_of_a_head_is_kept)


# --- early errors and failing daemons ---

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
