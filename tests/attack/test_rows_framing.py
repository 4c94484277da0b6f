#!/usr/bin/env python3
"""H1 to H6, R0 and F1 to F12: the handshake and the frames, with every daemon that is here and an account in and out of its
trusted-users. What is refused has not reached the daemon by a byte, and the next session finds it as it was."""
import os
import time

import cases
import fake_daemon
import process
import rows
import wire
from lab import own_system
from test_framing import HUGE, SMALL_KIB, UNKNOWN
from test_handshake import FOREIGN, STRANGE
from test_rows_builds import Derivation

NAMES = globals()
GARBAGE = wire.u64(2) + wire.texts([]) + wire.u64(0) * 5
TERMINAL = b"\x1b]0;x\x07\x1b[2J\xff\xfe and 100%"


def thing():
    return wire.Object("thing", {"a": b"the content of it", "b": ("x", b"2" * 200)})


def big():
    return wire.Object("big", bytes(range(256)) * 4096)


def nothing():
    return f"{wire.STORE}/{'1' * 32}-nothing"


def ends(session, sentence=""):
    """By itself, with status 1 and the sentence, or without one where the client has left."""
    rest = session.rest()
    assert session.wait(8) == 1 and sentence in session.said(), session.said()
    return rest


# --- H: the handshake ---

@rows.each(NAMES, rows.ANY, FOREIGN)
def each_h1_other_protocol_ends_the_session(spot, said):
    for session in (spot.worker(), spot.serve()):
        if said == wire.u64(wire.SERVE_CLIENT_MAGIC) and session is spot.sessions[1]:
            continue
        session.send(said)
        assert ends(session, "does not speak the Nix") == b""
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_h1_word_cut_short_ends_the_session(spot):
    for cut in range(8):
        session = spot.worker()
        session.send(wire.u64(wire.CLIENT_MAGIC)[:cut])
        assert ends(session) == b""
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_h2_older_client_is_told_which_it_needs(spot):
    for minor in (10, 20, 21, 25, 31):
        session = spot.worker()
        session.is_refused(session.hello(minor), f"worker protocol 1.{minor}; Nix 2.4")
        assert ends(session, "Nix 2.4") == b""
    old = spot.serve()
    old.send(wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(1, 2))
    ends(old, "nix-gateway: ")
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_h3_strange_version_ends_the_session(spot):
    for number in STRANGE:
        session = spot.worker()
        session.send(wire.u64(wire.CLIENT_MAGIC) + wire.u64(int(number, 16)) + wire.u64(0) * 3)
        assert len(ends(session, "unknown version")) == 16
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_h4_unknown_feature_is_not_said_back(spot):
    words = ["provenance", "zzz", "realisation-with-path-not-hash", "versionedAddToStoreMultiple", "", "\0", "a" * 128]
    if spot.fake:
        spot.fake.features = words
    session = spot.worker().enter(features=words)
    assert not set(session.features) & {wire.octets(word) for word in words}, session.features
    assert session.is_valid(nothing()) == 0
    if spot.fake:
        assert spot.fake.the_connection().features == []


@rows.each(NAMES, rows.ANY, (("trust_none", "none"), ("trust_signed", "signed\ntrusted-public-keys = x:" + "A" * 43 + "="),
                             ("trust_full", "full")))
def each_h5_client_is_told_the_truth(spot, trust):
    """Not trusted, whatever the daemon thinks of our account; but for a key with full trust what the daemon thinks, which
    those below 1.35 do not say and have to be asked."""
    spot.policy(f"trust = {trust}")
    for minor in (35, 38):
        session = spot.worker().enter(minor)
        assert session.trust == (1 if trust == "full" and spot.trusted else 2), session.trust
        assert session.is_valid(nothing()) == 0


@rows.each(NAMES, rows.ANY)
def each_h6_affinity_stays_here(spot):
    for affinity, reserve in ((7, 0), (0, 1), ((1 << 64) - 1, (1 << 64) - 1)):
        session = spot.worker().enter(affinity=affinity, reserve=reserve)
        assert session.is_valid(nothing()) == 0
    for connection in spot.fake.connections if spot.fake else ():
        heard = bytes(connection.received[:40])
        assert heard == wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3, heard


def trickled(session, content, until):
    """Says one byte a second, so that it is never silent."""
    for byte in content:
        if time.monotonic() > until or session.child.poll() is not None:
            return
        session.send(bytes([byte]))
        time.sleep(1)


def test_r0_a_client_that_does_not_say_hello_is_let_go(lab):
    """No daemon has a part in it."""
    with rows.Spot(lab, rows.FAKE, False) as spot:
        let_go_without_hello(spot)


def let_go_without_hello(spot):
    """Silent, stuck, or slow: half a minute for each, and a little more for one that has just said a byte."""
    began = time.monotonic()
    sessions = [spot.worker(), spot.worker(), spot.serve(), spot.serve()]
    sessions[1].send(wire.u64(wire.CLIENT_MAGIC)[:4])
    sessions[3].send(wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(7, 2)[:4])
    spot.policy("expires = 2020-01-01")
    sessions += [spot.worker(), spot.worker()]          # refused, and waited for all the same to be told
    for session in sessions[4:]:
        session.waits_to_say("expired")
    sessions[5].send(wire.u64(wire.CLIENT_MAGIC)[:4])
    spot.policy()
    sessions.append(spot.worker())
    sessions[6].limit = 60
    trickled(sessions[6], (wire.u64(wire.CLIENT_MAGIC) + wire.version(38)) * 3, began + 36)
    for number, session in enumerate(sessions):
        assert session.wait(max(1, began + 40 - time.monotonic())) == 1, number
        assert ("expired" if number in (4, 5) else "nix-gateway: ") in session.said(), (number, session.said())
    assert time.monotonic() - began > 28
    spot.is_untouched()


# --- F1 to F4, F7: what a field says ---

HEADS = {
    "name_of_8": lambda: wire.u64(8), "content_of_8": lambda: wire.u64(8) + wire.text("n"), "path_of_1": lambda: wire.u64(1),
    "references_of_7": lambda: wire.u64(7) + wire.text("n") + wire.text("text:sha256"),
    "signatures_of_39": lambda: wire.u64(39) + wire.text(thing().path) + wire.path_info(thing().hash, 1)[:-16],
    "value_of_19": lambda: wire.u64(19) + wire.u64(0) * 12 + wire.u64(1) + wire.text("timeout"),
    "environment_of_36": lambda: (wire.u64(36) + wire.text(thing().path + ".drv") + wire.u64(0) * 2 + wire.text("s")
                                  + wire.text("b") + wire.u64(0)),
    "path_of_44": lambda: wire.u64(44) + wire.u64(0) * 2 + wire.u64(16) + wire.u64(1),
}


@rows.each(NAMES, rows.ANY, HEADS.items())
def each_f1t_huge_length_is_refused(spot, head):
    for claim in (1 << 40, 3 << 30, (1 << 64) - 1):
        session = spot.worker().enter()
        session.send(head() + wire.u64(claim) + b"x" * 1000)
        answer = session.answer()
        assert answer.error is not None and answer.error.startswith("nix-gateway: "), answer.error
        assert session.peak_kib() < SMALL_KIB, session.peak_kib()
        assert ends(session, "nix-gateway: ") == b""
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_f2t_padding_that_is_not_zero_ends_the_session(spot):
    path = wire.octets(nothing())
    for at in range(-len(path) % 8):
        padding = bytearray(-len(path) % 8)
        padding[at] = 1
        session = spot.worker().enter()
        session.send(wire.u64(1) + wire.u64(len(path)) + path + padding)
        session.has_ended("padded")
        serve = spot.serve().hello()
        serve.send(wire.u64(3) + wire.u64(len(path)) + path + padding)
        serve.has_ended("padded")
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_f3t_boolean_is_0_or_1(spot):
    heads = (wire.u64(44), wire.u64(44) + wire.u64(0), wire.u64(39) + wire.text(thing().path) + thing().info(),
             wire.u64(31) + wire.texts([nothing()]),
             wire.u64(7) + wire.text("n") + wire.text("text:sha256") + wire.texts([]))
    for head in heads:
        for number in (2, 1 << 32, (1 << 64) - 1):
            session = spot.worker().enter()
            session.send(head + wire.u64(number) + wire.u64(0))
            session.has_ended("neither 0 nor 1")
    for number in (2, 1 << 32):
        serve = spot.serve().hello()
        serve.send(wire.u64(1) + wire.u64(number) + wire.u64(0) + wire.texts([nothing()]))
        serve.has_ended("neither 0 nor 1")
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_f4t_unknown_operation_ends_the_session(spot):
    for number in UNKNOWN:
        session = spot.worker().enter()
        session.send(wire.u64(number) + wire.text(nothing()) + GARBAGE)
        session.has_ended("not known")
    session = spot.worker().enter()
    session.refused(1001, wire.text(nothing()) * 2 + wire.frames(GARBAGE), "AddToStoreScanning")
    session.end()
    for number in (0, 10, 11, 99, (1 << 32) + 1, (1 << 64) - 1):
        serve = spot.serve().hello()
        serve.send(wire.u64(number) + wire.texts([nothing()]))
        serve.has_ended("not known")
    spot.is_untouched()


@rows.each(NAMES, rows.ANY)
def each_f7t_list_without_end_is_refused_at_its_count(spot):
    heads = (wire.u64(31), wire.u64(9), wire.u64(46), wire.u64(40), wire.u64(32), wire.u64(20) + wire.u64(0))
    for head in heads:
        session = spot.worker().enter()
        session.send(head + wire.u64(10**7) + wire.text(nothing()) * 1000)
        session.has_ended("nix-gateway: ")
    serve = spot.serve().hello()
    serve.send(wire.u64(1) + wire.u64(0) * 2 + wire.u64(10**7) + wire.text(nothing()) * 1000)
    serve.has_ended("more items than are allowed")
    spot.is_untouched()


# --- F5, F6: what comes when ---

@rows.each(NAMES, rows.ANY)
def each_f5t_request_behind_a_refusal_is_judged_by_itself(spot):
    """All in one write: each is answered in its turn and by its own right, and nothing of the refused ones went up."""
    spot.policy("operations = query upload")
    denied = f"{nothing()}.drv"
    first = (wire.u64(9) + wire.texts([denied + "!*"]) + wire.u64(0) + wire.u64(20) + GARBAGE
             + wire.u64(46) + wire.texts([denied + "!*"]) + wire.u64(0)
             + wire.u64(37) + wire.text(nothing()) + wire.texts(["x:y"])
             + wire.u64(45) + wire.text(denied.rsplit("/", 1)[1]) + wire.frames(wire.u64(20) + GARBAGE))
    session = spot.worker().enter()
    session.send(first)
    for name in ("BuildPaths", "CollectGarbage", "BuildPathsWithResults", "AddSignatures", "AddBuildLog"):
        session.is_refused(session.answer(), name)
    if spot.fake:
        assert spot.fake.heard() == 0, spot.fake.ops()
    session.send((wire.u64(20) + GARBAGE) * 1000 + wire.u64(1) + wire.text(nothing()))
    for _ in range(1000):
        session.is_refused(session.answer(), "CollectGarbage")
    assert session.answer().error is None and session.reader.u64() == 0
    assert not spot.fake or spot.fake.ops() == [1]
    assert session.end() == 0
    spot.is_well()


@rows.each(NAMES, rows.ANY)
def each_f5t_upload_that_is_refused_hides_no_request(spot):
    """The frames of a refused upload are content and nothing else, whatever they spell."""
    spot.policy("operations = query")
    hidden = (wire.u64(20) + GARBAGE) * 50
    session = spot.worker().enter()
    session.send(wire.u64(39) + thing().add_nar() + wire.frames(hidden, step=100) + wire.u64(1) + wire.text(nothing()))
    session.is_refused(session.answer(), "AddToStoreNar")
    assert session.answer().error is None and session.reader.u64() == 0
    assert not spot.fake or spot.fake.ops() == [1]
    serve = spot.serve().hello()
    serve.send(wire.u64(9) + wire.text(thing().path) + thing().info(size=len(hidden)) + hidden)
    assert serve.reader.u64() == 0 and serve.valid(nothing()) == []
    spot.is_well()


@rows.each(NAMES, rows.ANY)
def each_f6t_giant_frame_is_cut_up(spot):
    item = big()
    session = spot.worker().enter()
    assert session.ask(39, item.add_nar() + wire.frames(item.nar, step=1 << 31)).error is None
    assert session.is_valid(item.path) == 1
    if spot.fake:
        sizes = spot.fake.the_connection().frame_sizes
        assert max(sizes) <= 65536 and sum(sizes) == len(item.nar), max(sizes)
    assert session.ask(38, wire.text(item.path)).error is None and session.reader.nar() == item.nar
    assert session.peak_kib() < SMALL_KIB, session.peak_kib()


@rows.each(NAMES, rows.ANY)
def each_f6t_giant_frame_that_never_comes_is_not_believed(spot):
    item = wire.Object("never", b"n" * 200000)
    for size in (1 << 31, (1 << 32) - 1):
        session = spot.worker().enter()
        session.send(wire.u64(39) + item.add_nar() + wire.u64(size) + item.nar[:100000])
        assert session.is_silent(0.3) and session.peak_kib() < SMALL_KIB, session.peak_kib()
        session.vanish()
        assert session.wait(3) == 1
    for size in HUGE[:1] + HUGE[2:]:
        session = spot.worker().enter()
        session.send(wire.u64(39) + item.add_nar() + wire.u64(size) + item.nar[:1000])
        session.has_ended("more than")
    session = spot.worker().enter()
    assert session.is_valid(item.path) == 0


# --- F8, F12: what the daemon says; only the fake one lies ---

NO_PLACE = (("read", wire.u64(wire.READ) + wire.u64(32768)), ("write", wire.u64(wire.WRITE) + wire.text("bulk")),
            ("read_of_all", wire.u64(wire.READ) + wire.u64((1 << 64) - 1)), ("no_tag", wire.u64(0)))


@rows.each(NAMES, rows.ANY[:1], NO_PLACE)
def each_f8t_message_without_a_place_ends_the_session(spot, said):
    """Where the daemon is asked, where it is uploaded to, where it builds, and in what we ask for ourselves."""
    item = thing()
    spot.fake.add(big())

    def answer(connection, _request):
        connection.send(wire.u64(wire.NEXT) + wire.text("so far") + said)
        connection.outstay()
    requests = {1: wire.text(nothing()), 31: wire.texts([nothing()]) + wire.u64(0), 26: wire.text(nothing()),
                39: item.add_nar() + wire.frames(item.nar), 38: wire.text(big().path), 10: wire.text(nothing()),
                46: wire.texts([nothing()]) + wire.u64(0)}
    for number, body in requests.items():
        spot.fake.answers = {number: answer}
        session = spot.worker().enter()
        session.send(wire.u64(number) + body)
        error = session.answer().error
        assert error is not None and "broke the protocol" in error, (number, error)
        assert ends(session, "broke the protocol") == b""
        assert spot.fake.connections[-1].ended.wait(2), "the daemon is still held"


def mangle(spot, how):
    """Makes `big` a path of which the daemon cannot give the whole archive, and gives it."""
    item = wire.Object("broken", {"a": b"a" * 300000, "b": b"b" * 300000})
    session = spot.worker().enter()
    assert session.ask(39, item.add_nar() + wire.frames(item.nar)).error is None and session.end() == 0
    if spot.fake:
        cut = item.nar.rindex(wire.text("entry"))

        def answer(connection, _request):
            more = {"corrupt": b"\xff" * 64 + item.nar[cut + 64:], "error": wire.error("gone", 38)}
            connection.last(item.nar[:cut] + more.get(how, b""))
            raise fake_daemon.Cut
        spot.fake.answers[38] = answer
    else:
        place = os.path.join(item.path, "b")
        os.chmod(item.path, 0o755)
        os.unlink(place)
        os.mkfifo(place)                # what no archive can hold, behind what it can
    return item


def is_cut_short(archive):
    """What has come could only have gone on as an archive; no other message stands in it."""
    try:
        wire.reader_of(archive).nar()
    except wire.Ended:
        return wire.u64(wire.ERROR) not in archive
    return False


@rows.each(NAMES, rows.ANY[:1], (("that_is_cut", "cut"), ("that_is_corrupt", "corrupt")))
@rows.each(NAMES, rows.ANY, (("with_an_error", "error"),))
def each_f12t_archive_that_breaks_is_cut_short(spot, how):
    """What the client has of it is its beginning, and then the session is over: it can take nothing else for the rest."""
    item = mangle(spot, how)
    session = spot.worker().enter()
    answer = session.ask(38, wire.text(item.path))
    if answer.error is None:
        rest = session.rest()
        assert item.nar.startswith(rest) or not spot.fake, "bytes follow that are none of the archive's"
        assert b"a" * 1000 in rest and is_cut_short(rest), len(rest)
    assert session.wait(8) == 1 and session.said().startswith("nix-gateway: "), session.said()
    serve = spot.serve().hello()
    serve.send(wire.u64(3) + wire.text(item.path))
    assert is_cut_short(serve.rest())
    assert serve.wait(8) == 1 and "nix-gateway: " in serve.said(), serve.said()
    spot.is_well()


# --- F9 to F11: what runs ---

def build_of(session, script, name):
    """Uploads a derivation that runs `script`, and that nobody has built before; gives it."""
    made = Derivation(name=name, system=own_system(), args=("-c", f"{script} # {os.urandom(8).hex()}"))
    head = wire.text(name + ".drv") + wire.text("text:sha256") + wire.texts([]) + wire.u64(0)
    assert session.ask(7, head + wire.frames(made.text)).error is None
    assert session.reader.text().decode() == made.path
    session.reader.read(len(wire.text("")))
    session.reader.text(), session.reader.texts(), session.reader.read(3 * 8), session.reader.texts(), session.reader.text()
    return made


def log_of(answer):
    """The lines of a build's log."""
    return [fields[-1][0] for tag, fields in answer.log if tag == wire.RESULT and fields[1] == wire.BUILD_LOG_LINE]


@rows.each(NAMES, rows.REAL)
def each_f9t_log_passes_as_it_is(spot):
    """Escapes are the terminal's business at the client; what they cannot do is leave their line, or be without bound."""
    octal = "".join(f"\\{byte:03o}" for byte in TERMINAL).replace("%", "%%")
    long = "i=0; l=xxxxxxxxxxxxxxxx; while [ $i -lt 13 ]; do l=$l$l; i=$((i+1)); done; printf '%s\\n' $l"
    session = spot.worker().enter()
    made = build_of(session, f"printf '{octal}\\n'; {long}; echo end; echo > $out", "loud")
    session.limit = 30
    answer = session.ask(46, wire.texts([made.path + "!*"]) + wire.u64(0))
    assert answer.error is None, answer.error
    lines = log_of(answer)
    assert TERMINAL in lines and b"end" in lines, [line[:80] for line in lines]
    sizes = [len(line) for line in lines]
    assert max(sizes) <= 64 * 1024 < sum(sizes), sizes
    assert session.reader.u64() == 1


@rows.each(NAMES, rows.ANY)
def each_f10t_client_that_vanishes_in_an_upload_leaves_no_lock(spot):
    """The next one that uploads the very path does not wait."""
    item = wire.Object("locked", os.urandom(1 << 20))
    for count in (0, 100, 500000):
        session = spot.worker().enter()
        session.send(wire.u64(39) + item.add_nar() + wire.u64(len(item.nar)) + item.nar[:count])
        time.sleep(0.3)
        began = time.monotonic()
        session.vanish()
        assert session.wait(2) == 1
        if spot.fake:
            assert spot.fake.connections[-1].ended.wait(1)
        other = spot.worker().enter()
        other.send(wire.u64(44) + wire.u64(0) * 2 + wire.frames(wire.u64(1) + item.item(archive=item.nar[:1000]))[:500])
        other.vanish()
        assert time.monotonic() - began < 3
    last = spot.worker().enter()
    assert last.ask(39, item.add_nar() + wire.frames(item.nar)).error is None and last.is_valid(item.path) == 1


def sleepers(spot, seconds):
    """Processes below the daemon that wait so long."""
    found = []
    for pid in process.descendants(spot.lab.daemon.server.child.pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += [pid] if f"sleep\0{seconds}" in file.read().decode("latin-1") else []
        except OSError:
            pass
    return found


def send_ahead(session):
    """More than the gateway reads ahead, so that the end of the stream stands behind what it does not read."""
    try:
        session.send((wire.u64(1) + wire.text(nothing())) * 20000, limit=1)
    except AssertionError as slow:
        assert "were not taken" in str(slow), slow


LEAVES = tuple((f"{leave}_over_{kind}{'_having_sent_ahead' if ahead else ''}", (leave, kind == "sockets", ahead))
               for leave in ("vanish", "half_close") for kind in ("pipes", "sockets") for ahead in (False, True))


@rows.each(NAMES, rows.REAL, LEAVES)
def each_f11t_build_ends_with_its_client(spot, case):
    """The builder's own process is gone."""
    leave, sockets, ahead = case
    session = spot.worker(sockets=sockets).enter()
    made = build_of(session, "echo > $out; exec /bin/sleep 4711", "long")
    session.send(wire.u64(46) + wire.texts([made.path + "!*"]) + wire.u64(0))
    until = time.monotonic() + 20
    while not sleepers(spot, 4711):
        assert time.monotonic() < until, "the build does not begin"
        time.sleep(0.05)
    if ahead:
        send_ahead(session)
    getattr(session, leave)()
    assert session.wait(4) == 1
    while sleepers(spot, 4711):
        assert time.monotonic() < until, "the build goes on"
        time.sleep(0.05)
    spot.is_well()


if __name__ == "__main__":
    cases.main(globals())
