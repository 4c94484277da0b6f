"""The wire, written a second time and independently of the gateway: whatever both agree on is not one author's error.

Encoders give bytes and check nothing, for an attacker writes what he likes. Decoders read from anything that has
`read(count)`, and are strict: what the gateway writes has to be right.
"""
import hashlib
import io
import struct

CLIENT_MAGIC, DAEMON_MAGIC = 0x6e697863, 0x6478696f
SERVE_CLIENT_MAGIC, SERVE_SERVER_MAGIC = 0x390c9deb, 0x5452eecb
NEXT, READ, WRITE, LAST, ERROR = 0x6f6c6d67, 0x64617461, 0x64617416, 0x616c7473, 0x63787470
START_ACTIVITY, STOP_ACTIVITY, RESULT = 0x53545254, 0x53544f50, 0x52534c54
BUILD_LOG_LINE = 101
STRUCTURED_ERRORS = 26
STORE = "/nix/store"


class Ended(Exception):
    """The other side has closed."""


class Garbage(AssertionError):
    """The other side has written what the protocol does not have."""


# --- encoders ---

def octets(value):
    return value if isinstance(value, bytes) else value.encode()


def u64(number):
    return struct.pack("<Q", number)


def text(value):
    value = octets(value)
    return u64(len(value)) + value + bytes(-len(value) % 8)


def texts(values):
    return u64(len(values)) + b"".join(text(value) for value in values)


def pairs(values):
    return u64(len(values)) + b"".join(text(name) + text(value) for name, value in values)


def frames(content, step=65536):
    """A framed stream, end and all."""
    pieces = [content[at:at + step] for at in range(0, len(content), step)]
    return b"".join(u64(len(piece)) + piece for piece in pieces) + u64(0)


def version(minor, major=1):
    return u64(major << 8 | minor)


def error(message, minor):
    """What a daemon says in the place of a reply."""
    if minor < STRUCTURED_ERRORS:
        return u64(ERROR) + text(message) + u64(1)
    return u64(ERROR) + text("Error") + u64(0) + text("Error") + text(message) + u64(0) + u64(0)


# --- archives ---

def words(*tokens):
    return b"".join(text(token) for token in tokens)


def node(value):
    """bytes: a file; ("x", bytes): an executable; str: a link; dict: a folder in order; list of pairs: one as given."""
    if isinstance(value, bytes):
        return words("(", "type", "regular", "contents", value, ")")
    if isinstance(value, tuple):
        return words("(", "type", "regular", "executable", "", "contents", value[1], ")")
    if isinstance(value, str):
        return words("(", "type", "symlink", "target", value, ")")
    items = sorted(value.items()) if isinstance(value, dict) else value
    entries = b"".join(entry(name, below) for name, below in items)
    return words("(", "type", "directory") + entries + words(")")


def entry(name, below):
    return words("entry", "(", "name", name, "node") + node(below) + words(")")


def nar(value):
    return words("nix-archive-1") + node(value)


# --- store paths ---

DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"


def nix32(digest):
    count = (len(digest) * 8 + 4) // 5
    number = int.from_bytes(digest, "little")
    return "".join(DIGITS[number >> 5 * at & 31] for at in range(count - 1, -1, -1))


def sha256(content):
    return hashlib.sha256(octets(content))


def fold(digest):
    out = bytearray(20)
    for at, byte in enumerate(digest):
        out[at % 20] ^= byte
    return bytes(out)


def store_path(kind, inner, name, store=None):
    store = store or STORE
    return f"{store}/{nix32(fold(sha256(f'{kind}:sha256:{inner}:{store}:{name}').digest()))}-{name}"


class Object:
    """A path with its archive, content-addressed and therefore one that everybody may upload."""

    def __init__(self, name, value, references=()):
        self.nar = nar(value)
        self.references = sorted(references)
        self.hash = sha256(self.nar).hexdigest()
        self.path = store_path(":".join(["source", *self.references]), self.hash, name)
        self.ca = "fixed:r:sha256:" + nix32(sha256(self.nar).digest())

    def info(self, **other):
        """The description that goes with it; `other` are the lies."""
        return path_info(**{"nar_hash": self.hash, "references": self.references, "size": len(self.nar), "ca": self.ca,
                            **other})

    def add_nar(self, path=None, repair=0, dont_check=0, **lies):
        """The head of AddToStoreNar."""
        return text(path or self.path) + self.info(**lies) + u64(repair) + u64(dont_check)

    def item(self, path=None, archive=None, **lies):
        """One path of AddMultipleToStore."""
        return text(path or self.path) + self.info(**lies) + (self.nar if archive is None else archive)


def path_info(nar_hash, size, references=(), ca="", deriver="", time=0, ultimate=0, signatures=()):
    return (text(deriver) + text(nar_hash) + texts(references) + u64(time) + u64(size) + u64(ultimate)
            + texts(signatures) + text(ca))


class FixedOutput:
    """A derivation whose only output is known by its hash: what clients send as BuildDerivation to any daemon."""

    def __init__(self, name="fetched", builder="builtin:fetchurl", system="builtin", url="http://127.0.0.1:1/the-file"):
        digest = sha256("the file").hexdigest()
        self.out = store_path("output:out", sha256(f"fixed:out:sha256:{digest}:").hexdigest(), name)
        self.environment = [("builder", builder), ("name", name), ("out", self.out), ("outputHash", digest),
                            ("outputHashAlgo", "sha256"), ("outputHashMode", "flat"), ("system", system), ("url", url)]
        env = ",".join(f'("{key}","{value}")' for key, value in self.environment)
        aterm = f'Derive([("out","{self.out}","sha256","{digest}")],[],[],"{system}","{builder}",[],[{env}])'
        self.text = aterm.encode()
        self.path = store_path("text", sha256(aterm).hexdigest(), name + ".drv")
        self.ca = "text:sha256:" + nix32(sha256(aterm).digest())
        self.basic = (u64(1) + text("out") + text(self.out) + text("sha256") + text(digest) + texts([]) + text(system)
                      + text(builder) + texts([]) + pairs(self.environment))


# --- decoders ---

class Reader:
    """Reads values from `source(count)`, which gives 1 to count bytes, or b"" at the end."""

    def __init__(self, source):
        self.source = source
        self.taken = bytearray()

    def read(self, count):
        out = bytearray()
        while len(out) < count:
            piece = self.source(min(count - len(out), 1 << 16))
            if not piece:
                raise Ended(f"after {len(self.taken)} bytes")
            out += piece
            self.taken += piece
        return bytes(out)

    def u64(self):
        return struct.unpack("<Q", self.read(8))[0]

    def text(self, most=1 << 26):
        length = self.u64()
        if length > most:
            raise Garbage(f"a string of {length} bytes")
        whole = self.read(length + -length % 8)
        if any(whole[length:]):
            raise Garbage("padding that is not zero")
        return whole[:length]

    def texts(self):
        return [self.text() for _ in range(self.count())]

    def count(self, most=1 << 22):
        number = self.u64()
        if number > most:
            raise Garbage(f"a list of {number} items")
        return number

    def pairs(self):
        return [(self.text(), self.text()) for _ in range(self.count())]

    def frames(self, sizes=None):
        """The content of a framed stream; the lengths of its frames are added to `sizes`."""
        out = bytearray()
        while True:
            size = self.u64()
            if size == 0:
                return bytes(out)
            if sizes is not None:
                sizes.append(size)
            out += self.read(size)

    def nar(self):
        """The bytes of one archive, to the end that its grammar says."""
        start = len(self.taken)
        self.expect("nix-archive-1")
        self.node()
        return bytes(self.taken[start:])

    def expect(self, word):
        found = self.text()
        if found != octets(word):
            raise Garbage(f"{found[:40]!r} for {word!r}")

    def node(self):
        self.expect("(")
        self.expect("type")
        kind = self.text()
        word = self.text()
        if kind == b"regular" and word == b"executable":
            self.expect("")
            word = self.text()
        if (kind, word) in ((b"regular", b"contents"), (b"symlink", b"target")):
            self.text(1 << 30)
            word = self.text()
        while kind == b"directory" and word == b"entry":
            for expected in ("(", "name"):
                self.expect(expected)
            self.text()
            self.expect("node")
            self.node()
            self.expect(")")
            word = self.text()
        if word != b")":
            raise Garbage(f"{word[:40]!r} in a node")


def reader_of(content):
    return Reader(io.BytesIO(content).read)


class Answer:
    """One stderr loop: what was logged, and whether it ended well. `error` is the message, as text, or None."""

    def __init__(self, log, failure):
        self.log = log
        self.error = failure

    def lines(self):
        return [fields[0] for tag, fields in self.log if tag == NEXT]


def read_fields(reader):
    kinds = {0: reader.u64, 1: reader.text}
    return [kinds[reader.u64()]() for _ in range(reader.count(64))]


LOG_MESSAGES = {
    NEXT: lambda reader: [reader.text()],
    START_ACTIVITY: lambda reader: [reader.u64(), reader.u64(), reader.u64(), reader.text(), read_fields(reader),
                                    reader.u64()],
    STOP_ACTIVITY: lambda reader: [reader.u64()],
    RESULT: lambda reader: [reader.u64(), reader.u64(), read_fields(reader)],
}


def read_error(reader, minor):
    """What follows the tag."""
    if minor < STRUCTURED_ERRORS:
        message = reader.text()
        reader.u64()
        return message.decode()
    reader.expect("Error")
    reader.u64()
    reader.text()
    message = reader.text()
    if reader.u64() != 0:
        raise Garbage("an error with a position")
    for _ in range(reader.count(256)):
        reader.u64()
        reader.text()
    return message.decode("utf-8", "backslashreplace")


def read_loop(reader, minor):
    log = []
    while True:
        tag = reader.u64()
        if tag == LAST:
            return Answer(log, None)
        if tag == ERROR:
            return Answer(log, read_error(reader, minor))
        if tag not in LOG_MESSAGES:
            raise Garbage(f"tag {tag:#x}")
        log.append((tag, LOG_MESSAGES[tag](reader)))


# --- requests ---

INFO = "ttlnnnlt"               # deriver, hash, references, time, size, ultimate, signatures, content address
# The fields of a worker request: t text, n number, l list of texts, p list of pairs, o outputs, F frames follow.
REQUESTS = {
    1: "t", 3: "t", 4: "t", 5: "t", 6: "t", 7: "ttlnF", 8: "ttl", 9: "ln", 10: "t", 11: "t", 12: "t", 13: "", 14: "",
    16: "tn", 18: "t", 19: "n" * 12 + "p", 20: "nlnnnnn", 21: "t", 22: "t", 23: "", 24: "", 25: "l", 26: "t", 27: "",
    28: "t", 29: "t", 30: "p", 31: "ln", 32: "l", 33: "t", 34: "", 35: "nn", 36: "tolttlpn", 37: "tl", 38: "t",
    39: "t" + INFO + "nnF", 40: "l", 41: "t", 42: "t", 43: "t", 44: "nnF", 45: "tF", 46: "ln", 47: "tt", 48: "",
    49: "l", 50: "l", 1001: "ttF",
}


def read_outputs(reader):
    return [tuple(reader.text() for _ in range(4)) for _ in range(reader.count(64))]


READERS = {"t": Reader.text, "n": Reader.u64, "l": Reader.texts, "p": Reader.pairs, "o": read_outputs}


class Request:
    """A worker request as it came in; `content` is what its frames held."""

    def __init__(self, number, fields, framed):
        self.op, self.fields, self.framed = number, fields, framed
        self.content = None

    def __eq__(self, other):
        return (self.op, self.fields, self.content) == (other.op, other.fields, other.content)

    def __repr__(self):
        return f"op {self.op} {self.fields} content {None if self.content is None else len(self.content)}"


def read_request(reader):
    """The head of the next request."""
    number = reader.u64()
    if number not in REQUESTS:
        raise Garbage(f"operation {number}")
    spec = REQUESTS[number]
    return Request(number, [READERS[letter](reader) for letter in spec if letter != "F"], spec.endswith("F"))
