#!/usr/bin/env python3
"""U1, U8, U13, U17: uploads that replace, sizes that lie, paths that are spelled oddly. Whatever is refused is told and
drained, and the next request works."""
from ground import cases, main
from uploads import (ACCOUNTS, ALL, BIG, FRAMED, GOOD, HIDDEN, NEXT, SERVE_9, heads, is_not_whole, serve, stored, worker)
import wire


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


if __name__ == "__main__":
    main(globals())
