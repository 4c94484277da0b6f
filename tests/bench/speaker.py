"""A client that speaks the worker protocol by itself: it asks what is to be measured, and costs next to nothing."""
import os
import select
import struct
import subprocess

CLIENT_MAGIC, DAEMON_MAGIC = 0x6E697863, 0x6478696F
MINOR = 38
LAST, ERROR, NEXT = 0x616C7473, 0x63787470, 0x6F6C6D67
START_ACTIVITY, STOP_ACTIVITY, RESULT = 0x53545254, 0x53544F50, 0x52534C54
IS_VALID_PATH, QUERY_PATH_INFO, NAR_FROM_PATH, ADD_TO_STORE_NAR, ADD_MULTIPLE_TO_STORE = 1, 26, 38, 39, 44
FRAME = 64 * 1024


class Refused(Exception):
    """The other side answered with an error; this is its text."""


def u64(number):
    return struct.pack("<Q", number)


def text(value):
    octets = value if isinstance(value, bytes) else value.encode()
    return u64(len(octets)) + octets + bytes(-len(octets) % 8)


def texts(values):
    return u64(len(values)) + b"".join(text(value) for value in values)


def framed(octets, frame=FRAME):
    """Whole frames, without the empty one that ends them."""
    view = memoryview(octets)
    return b"".join(u64(len(view[at:at + frame])) + view[at:at + frame] for at in range(0, len(view), frame))


class Speaker:
    """One session with the program that `argv` starts. Use it as `with Speaker(...) as speaker`, then greet()."""

    def __init__(self, argv, env, **how):
        self.child = subprocess.Popen(argv, env=env, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, bufsize=0, **how)
        self.up, self.down = self.child.stdin.fileno(), self.child.stdout.fileno()
        os.set_blocking(self.up, False)
        self.poll = select.poll()
        self.poll.register(self.up, select.POLLOUT)
        self.poll.register(self.down, select.POLLIN)
        self.rx, self.at = bytearray(), 0
        self.minor = 0

    def __enter__(self):
        return self

    def __exit__(self, *_unused):
        self.child.stdin.close()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()

    # Bytes.

    def fill(self):
        octets = os.read(self.down, 1 << 20)
        if not octets:
            raise EOFError("the other side has closed the connection")
        if self.at:
            del self.rx[:self.at]
            self.at = 0
        self.rx += octets

    def send(self, octets):
        """Both directions move: whatever the other side says meanwhile is kept, so that neither waits for the other."""
        view = memoryview(octets)
        while view:
            try:
                view = view[os.write(self.up, view):]
                continue
            except BlockingIOError:
                pass
            if any(fd == self.down and event & select.POLLIN for fd, event in self.poll.poll()):
                self.fill()

    def take(self, count):
        while len(self.rx) - self.at < count:
            self.fill()
        self.at += count
        return self.rx[self.at - count:self.at]

    def number(self):
        return struct.unpack("<Q", self.take(8))[0]

    def text(self):
        length = self.number()
        return bytes(self.take(length + -length % 8)[:length])

    def texts(self):
        return [self.text() for _ in range(self.number())]

    # Messages.

    def greet(self):
        self.send(u64(CLIENT_MAGIC))
        if self.number() != DAEMON_MAGIC:
            raise Refused("this is no worker protocol")
        self.minor = min(MINOR, self.number() & 0xFF)
        self.send(u64(0x100 + MINOR))
        if self.minor >= 38:
            self.send(texts([]))
            self.texts()
        self.send(u64(0) + u64(0))
        if self.minor >= 33:
            self.text()
        if self.minor >= 35:
            self.number()
        self.until_last()

    def until_last(self):
        while True:
            tag = self.number()
            if tag == LAST:
                return
            if tag == ERROR:
                self.error()
            self.log(tag)

    def error(self):
        self.text()
        self.number()
        self.text()
        message = self.text().decode(errors="backslashreplace")
        self.number()
        for _ in range(self.number()):
            self.number()
            self.text()
        raise Refused(message)

    def log(self, tag):
        if tag == NEXT:
            self.text()
        elif tag == START_ACTIVITY:
            self.take(24)
            self.text()
            self.fields()
            self.number()
        elif tag == STOP_ACTIVITY:
            self.number()
        elif tag == RESULT:
            self.take(16)
            self.fields()
        else:
            raise Refused(f"unknown message {tag:#x}")

    def fields(self):
        for _ in range(self.number()):
            if self.number() == 0:
                self.number()
            else:
                self.text()

    # Operations.

    def is_valid(self, path):
        self.send(u64(IS_VALID_PATH) + text(path))
        self.until_last()
        return self.number() == 1

    def path_info(self, path):
        """The size of the path's archive; None where the path is not valid."""
        self.send(u64(QUERY_PATH_INFO) + text(path))
        self.until_last()
        if self.number() != 1:
            return None
        self.text()
        self.text()
        self.texts()
        self.number()
        size = self.number()
        self.number()
        self.texts()
        self.text()
        return size

    def download(self, path, size):
        """Reads the archive, whose size is known, and keeps nothing of it."""
        self.send(u64(NAR_FROM_PATH) + text(path))
        self.until_last()
        while size > 0:
            if len(self.rx) == self.at:
                self.fill()
            step = min(size, len(self.rx) - self.at)
            self.at += step
            size -= step

    def upload(self, entry):
        """AddToStoreNar, unsigned: for accounts that the daemon trusts."""
        self.send(u64(ADD_TO_STORE_NAR) + entry.info + u64(0) + u64(1))
        for burst in entry.bursts():
            self.send(burst)
        self.send(u64(0))
        self.until_last()

    def upload_many(self, entries):
        """AddMultipleToStore, unsigned."""
        content = u64(len(entries)) + b"".join(entry.info + entry.archive for entry in entries)
        self.send(u64(ADD_MULTIPLE_TO_STORE) + u64(0) + u64(1))
        self.send(framed(content) + u64(0))
        self.until_last()
