"""What the tests of misbehaving daemons share: requests of every form of answer, and messages that have no place."""
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


def greeting_bytes(minor):
    """How much such a daemon says up to its first LAST, where we do not ask for our trust."""
    return (16 + (8 if minor >= 38 else 0) + (16 if minor >= 33 else 0) + (8 if minor >= 35 else 0)) + 8


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
