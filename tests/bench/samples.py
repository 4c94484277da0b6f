"""What is copied: one big file, and a closure of many small ones. Made up here, so that nothing has to be built."""
import hashlib
import os

from speaker import framed, text, texts, u64

ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"
BLOCK = 1 << 20
FAN_OUT = 8             # references of a path in the closure: a tree of this width
SMALL = 200             # bytes of a small file


def store_path(store, name):
    digest = hashlib.sha256(name.encode()).digest()
    return f"{store}/{''.join(ALPHABET[octet % 32] for octet in digest)}-{name}"


def path_info(path, digest, size, references):
    """The fields of a path: no deriver, no signature, no content address."""
    return (text(path) + text("") + text(digest) + texts(sorted(references)) + u64(0) + u64(size) + u64(0) + texts([]) +
            text(""))


def file_head(size):
    words = ("nix-archive-1", "(", "type", "regular", "contents")
    return b"".join(text(word) for word in words) + u64(size)


class Small:
    """A path that is one small file."""

    def __init__(self, store, name, references):
        self.path = store_path(store, name)
        content = (name.encode() + b" ") * (SMALL // len(name))
        self.archive = file_head(len(content)) + content + bytes(-len(content) % 8) + text(")")
        self.size = len(self.archive)
        self.info = path_info(self.path, hashlib.sha256(self.archive).hexdigest(), self.size, references)

    def bursts(self):
        yield framed(self.archive)


class Big:
    """A path that is one file of `mib` MiB. Only one block of it is ever in memory."""

    def __init__(self, store, name, mib):
        self.path = store_path(store, name)
        self.mib, self.block = mib, os.urandom(BLOCK)
        self.head, self.tail = file_head(mib * BLOCK), text(")")
        self.size = len(self.head) + mib * BLOCK + len(self.tail)
        seen = hashlib.sha256(self.head)
        for _ in range(mib):
            seen.update(self.block)
        seen.update(self.tail)
        self.info = path_info(self.path, seen.hexdigest(), self.size, [])

    def bursts(self):
        yield framed(self.head)
        body = framed(self.block)
        for _ in range(self.mib):
            yield body
        yield framed(self.tail)


def closure(store, count):
    """`count` small paths, each behind those it refers to; the last one's closure is all of them."""
    paths = [store_path(store, f"small-{number}") for number in range(count)]
    entries = [Small(store, f"small-{number}", paths[FAN_OUT * number + 1:FAN_OUT * number + FAN_OUT + 1])
               for number in range(count)]
    return entries[::-1]
