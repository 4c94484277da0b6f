#!/usr/bin/env python3
"""Writes those seeds of tests/corpus/fuzz_session that hold signatures: no fuzzer forges one. Each is called

  believed-N-WHAT         N: how many paths the daemon has to add for the sake of a signature by a key of the grant

which tests/fuzz/run --check demands of the target. To be run again when tests/fuzz/stances.h has other keys.

  signed_seeds.py
"""
import glob
import os
import sys

import signing
import wire

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPUS = os.path.join(TESTS, "corpus", "fuzz_session")
STANCES = os.path.join(TESTS, "fuzz", "stances.h")
wire.STORE = "/srv/store"
# Valid paths of the model's store.
THERE, *OTHERS = [f"{wire.STORE}/{base}" for base in (
    "22222222222222222222222222222222-there", "11111111111111111111111111111111-liars.drv",
    "bbbbbbbb000000000000000000000001-built", "492vk7dm46w2l63d08xqb9x89yjnd91x-plain.drv",
    "2g8ij8zwpnrydwrk4dsrxzx1279lg4v5-built.drv")]

# Keys for these seeds alone: whoever reads this can sign with them.
KEY, SIGN = signing.signer(wire.sha256("the first key of nix-gateway's fuzzed sessions").digest())
OTHER_KEY, OTHER_SIGN = signing.signer(wire.sha256("the second key of nix-gateway's fuzzed sessions").digest())
STRANGER = signing.signer(wire.sha256("the key of a stranger to nix-gateway's fuzzed sessions").digest())[1]

# The first of the five bytes before a session (tests/fuzz/fuzz_session.c); the stances by their places in stances.h.
EVERY, SIGNED, OVER_SERVE = 4, 5, 8


def first(item, **other):
    """`other`: what is signed in the place of what the item says."""
    return SIGN("fuzz-1", signing.fingerprint(item, **other))


def second(item):
    return OTHER_SIGN("fuzz-2", signing.fingerprint(item))


def strangers(item):
    """By nobody's key; and by one of the grant's that signs as the other."""
    return [STRANGER("fuzz-1", signing.fingerprint(item)), STRANGER("good-1", signing.fingerprint(item)),
            OTHER_SIGN("fuzz-1", signing.fingerprint(item))]


class Signed(signing.Unsigned):
    def __init__(self, name, value=b"x", references=(), to_itself=False):
        super().__init__(name, value, references)
        if to_itself:
            self.references = sorted([*self.references, self.path])


LEAF = Signed("leaf")
TREE = Signed("tree", {"bin": {"run": ("x", b"y")}, "link": "bin"}, [LEAF.path, THERE], to_itself=True)
WIDE = Signed("wide", b"x", [THERE, *OTHERS])
ADDRESSED = wire.Object("addressed", b"z")
PLAIN = Signed("plain")
ABOVE = Signed("above", b"w", [PLAIN.path])
DERIVATION = wire.FixedOutput("f")
DERIVER = wire.FixedOutput("d").path


def drv():
    """A derivation that says nothing of its address."""
    item = Signed("unused.drv", DERIVATION.text)
    item.path = DERIVATION.path
    return item


DRV = drv()


def about_another():
    """Whatever a signature covers, signed as it is not."""
    return [first(LEAF, path=TREE.path), first(LEAF, size=len(LEAF.nar) + 8), first(LEAF, size=len(LEAF.nar) + (1 << 32)),
            first(LEAF, nar_hash=TREE.hash), first(LEAF, references=[THERE]), first(TREE)]


def fewer_references():
    return [first(WIDE, references=kept) for kept in (WIDE.references[:-1], WIDE.references[1:], WIDE.references[::-1], [])]


# --- whole sessions ---

def header(grant, minor, trusted):
    return bytes([grant, minor - 32 + 7 * trusted, 3, 255, 0])


def worker(*requests, grant=SIGNED, minor=38, trusted=True):
    features = wire.texts([]) if minor == 38 else b""
    return (header(grant, minor, trusted) + wire.u64(wire.CLIENT_MAGIC) + wire.version(minor) + features + wire.u64(0) * 2
            + b"".join(requests))


def serve(*requests, grant=SIGNED):
    return (header(grant | OVER_SERVE, 38, True) + wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(7, 2)
            + b"".join(requests))


def add_one(item, *signatures, dont_check=1, **more):
    return (wire.u64(39) + item.add_nar(dont_check=dont_check, signatures=signatures, **more) + wire.frames(item.nar))


def add_many(*items, dont_check=1):
    content = wire.u64(len(items)) + b"".join(item.item(signatures=signatures) for item, signatures in items)
    return wire.u64(44) + wire.u64(0) + wire.u64(dont_check) + wire.frames(content)


def add_by_serve(item, *signatures):
    return wire.u64(9) + wire.text(item.path) + item.info(signatures=signatures) + item.nar


def import_one(item, signature):
    return (wire.u64(4) + wire.u64(1) + item.nar + wire.u64(0x4558494e) + wire.text(item.path)
            + wire.texts(item.references) + wire.text("") + wire.u64(1) + wire.text(signature) + wire.u64(0))


def is_valid(item):
    return wire.u64(1) + wire.text(item.path)


def are_valid(*items):
    return wire.u64(1) + wire.u64(0) * 2 + wire.texts([item.path for item in items])


SEEDS = {
    "believed-1-nar": worker(add_one(LEAF, first(LEAF)), is_valid(LEAF)),
    "believed-2-nar-references": worker(add_one(LEAF, second(LEAF), deriver=DERIVER, time=7, ultimate=1),
                                        add_one(TREE, *strangers(TREE), first(TREE), second(TREE), "no signature")),
    "believed-1-nar-of-a-copy": worker(add_one(LEAF, first(LEAF), dont_check=0), minor=32, trusted=False),
    "believed-1-nar-drv": worker(add_one(DRV, first(DRV))),
    "believed-2-multiple": worker(add_many((LEAF, [first(LEAF)]), (TREE, [second(TREE)])), is_valid(TREE)),
    # What is addressed is nobody's to believe; what refers to an unsigned path is not stored, whoever has signed it.
    "believed-1-multiple-mixed": worker(add_many((LEAF, [*strangers(LEAF), first(LEAF)]),
                                                 (ADDRESSED, [*strangers(ADDRESSED), first(ADDRESSED)]),
                                                 (PLAIN, []), (ABOVE, [first(ABOVE)]))),
    "believed-1-multiple-of-a-copy": worker(add_many((LEAF, [first(LEAF)]), dont_check=0), minor=34),
    "believed-2-serve": serve(add_by_serve(LEAF, first(LEAF)), add_by_serve(TREE, *strangers(TREE), second(TREE)),
                              are_valid(LEAF, TREE)),
    # An export has a place for a signature, which nobody has ever read.
    "believed-0-serve-import": serve(import_one(LEAF, first(LEAF)), are_valid(LEAF)),
    # Keys that stand in a grant without trust = signed.
    "believed-0-without-trust": worker(add_one(LEAF, first(LEAF)), is_valid(LEAF), grant=EVERY),
    "believed-0-strangers": worker(add_one(LEAF, *strangers(LEAF)), add_one(TREE, *strangers(TREE))),
    "believed-0-about-another": worker(add_one(LEAF, *about_another())),
    "believed-0-fewer-references": worker(add_one(WIDE, *fewer_references())),
    "believed-1-wide": worker(add_one(WIDE, *fewer_references(), first(WIDE))),
}


def main():
    with open(STANCES, encoding="ascii") as file:
        stances = file.read()
    for key in (f"fuzz-1:{KEY}", f"fuzz-2:{OTHER_KEY}"):
        if f'"{key}"' not in stances:
            sys.exit(f"there is no {key} in {STANCES}")
    for old in glob.glob(os.path.join(CORPUS, "believed-*")):
        os.unlink(old)
    for name, content in SEEDS.items():
        with open(os.path.join(CORPUS, name), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    main()
