#!/usr/bin/env python3
"""U9 to U12: archives that are none, by every way to upload one."""
from ground import cases, main
from uploads import ALL, GOOD, NEXT, is_not_whole, serve, worker
import wire


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


if __name__ == "__main__":
    main(globals())
