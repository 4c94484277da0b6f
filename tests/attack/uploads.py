"""The ways to upload a path, and what became of it: what the tests of uploads share."""
import os

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


def heads(ground):
    return [request.fields[0].decode() for request in ground.daemon.asked() if request.op == 39]


def is_not_whole(ground, item, archive):
    """The daemon was not given the archive to its end: it would have committed it."""
    for request in ground.daemon.asked():
        if request.op == 39 and request.fields[0].decode() == item.path:
            assert request.content != archive, request
