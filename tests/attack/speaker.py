"""The attacker's end: a gateway of one's own as a child, spoken to byte by byte. Nothing here waits without a limit."""
import os
import select
import signal
import socket
import subprocess
import time

import wire

LIMIT = 10                      # seconds that any one thing may take


class TooSlow(AssertionError):
    """The gateway has not done in time what it has to do at once."""


class Session:
    """One gateway, started as sshd would. Its stderr goes to a file, or to a pipe that nobody empties by itself. `instead`
    are descriptors that take the place of its stdin and stdout, where they are not None."""

    def __init__(self, argv, env, log, sockets=False, log_pipe=False, instead=(None, None), close_fds=True):
        self.minor = None
        self.log = log
        self.status = None
        theirs = self.make_ends(sockets)
        self.log_end, stderr = os.pipe() if log_pipe else (None, os.open(log, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600))
        stdin, stdout = [given if other is None else other for given, other in zip(theirs, instead)]
        self.child = subprocess.Popen(argv, env=env, stdin=stdin, stdout=stdout, stderr=stderr, cwd="/",
                                      start_new_session=True, close_fds=close_fds)
        for end in {*theirs, stderr}:
            os.close(end)
        self.reader = wire.Reader(self.receive)
        self.limit = LIMIT

    def make_ends(self, sockets):
        if sockets:
            ours, theirs = socket.socketpair()
            self.socket = ours
            self.to = self.back = ours.fileno()
            fd = theirs.detach()
            os.set_blocking(self.to, False)
            return fd, os.dup(fd)
        self.socket = None
        stdin, self.to = os.pipe()
        self.back, stdout = os.pipe()
        os.set_blocking(self.to, False)
        return stdin, stdout

    # --- bytes ---

    def send(self, content, limit=None):
        """All of it, or Ended where the gateway takes no more."""
        until = time.monotonic() + (limit or self.limit)
        view = memoryview(content)
        while view:
            _, ready, _ = select.select([], [self.to], [], max(0, until - time.monotonic()))
            if not ready:
                raise TooSlow(f"{len(view)} bytes of {len(content)} were not taken")
            try:
                view = view[os.write(self.to, view[:1 << 16]):]
            except BlockingIOError:
                continue
            except OSError as gone:
                raise wire.Ended("the gateway takes no more") from gone

    def receive(self, count):
        ready, _, _ = select.select([self.back], [], [], self.limit)
        if not ready:
            raise TooSlow(f"nothing came for {self.limit} s; it said: {self.said()}")
        try:
            return os.read(self.back, count)
        except ConnectionResetError:
            return b""

    def is_silent(self, seconds=0.2):
        return not select.select([self.back], [], [], seconds)[0]

    def rest(self, leave=True):
        """Everything up to the end of the stream. Leaving first saves the seconds that the gateway gives a client to read
        its last words; without, the gateway has to end by itself."""
        if leave:
            self.half_close()
        out = bytearray()
        while True:
            piece = self.receive(1 << 16)
            if not piece:
                return bytes(out)
            out += piece

    # --- ends ---

    def half_close(self):
        if self.socket:
            self.socket.shutdown(socket.SHUT_WR)
        elif self.to is not None:
            os.close(self.to)
            self.to = None

    def vanish(self):
        """Both directions at once, as when a laptop is shut."""
        if self.socket:
            self.socket.close()
            self.socket = self.to = None
        else:
            self.half_close()
            if self.back is not None:
                os.close(self.back)
        self.back = None

    def end(self, limit=LIMIT):
        """Leaves, and gives the gateway's exit status; it has to end by itself."""
        if self.back is not None:
            self.vanish()
        return self.wait(limit)

    def wait(self, limit=LIMIT):
        """Its exit status without our leaving."""
        try:
            self.status = self.child.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TooSlow(f"the gateway was still running after {limit} s; it said: {self.said()}") from None
        self.vanish()
        return self.status

    def kill(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.status = self.child.wait()
        self.vanish()

    def said(self):
        if self.log_end is not None:
            return ""
        with open(self.log, encoding="utf-8", errors="backslashreplace") as log:
            return log.read()

    def waits_to_say(self, sentence, limit=LIMIT):
        """Until the sentence stands on stderr."""
        until = time.monotonic() + limit
        while sentence not in self.said():
            if time.monotonic() > until:
                raise TooSlow(f"no '{sentence}' in: {self.said()}")
            time.sleep(0.02)

    def status_kib(self, name):
        """Only where the system says it."""
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name))

    def peak_kib(self):
        """The most memory it has had so far."""
        return self.status_kib("VmHWM")

    def own_kib(self):
        """The memory that it shares with no other session."""
        return self.status_kib("RssAnon")


class Worker(Session):
    """A client of the worker protocol."""

    def hello(self, minor=38, features=(), affinity=None, reserve=0, twice=False):
        """The whole handshake; gives the loop that closes it. `twice`: the version sent as some releases did."""
        self.send(wire.u64(wire.CLIENT_MAGIC) + wire.version(minor) * (2 if twice else 1))
        magic, theirs = self.reader.u64(), self.reader.u64()
        assert magic == wire.DAEMON_MAGIC and theirs >> 8 == 1, (magic, theirs)
        self.minor = min(minor, theirs & 0xff)
        if self.minor >= 38:
            self.send(wire.texts(features))
            self.features = self.reader.texts()
        if minor >= 14:
            self.send(wire.u64(0) if affinity is None else wire.u64(1) + wire.u64(affinity))
        if minor >= 11:
            self.send(wire.u64(reserve))
        self.version = self.reader.text().decode() if self.minor >= 33 else None
        self.trust = self.reader.u64() if self.minor >= 35 else None
        return wire.read_loop(self.reader, self.minor)

    def enter(self, minor=38, **how):
        """A handshake that has to succeed; gives self."""
        answer = self.hello(minor, **how)
        assert answer.error is None, answer.error
        return self

    def answer(self):
        return wire.read_loop(self.reader, self.minor)

    def ask(self, number, body=b""):
        self.send(wire.u64(number) + body)
        return self.answer()

    def refused(self, number, body=b"", sentence="may not"):
        """The request is refused, with a sentence for people."""
        return self.is_refused(self.ask(number, body), sentence)

    def is_refused(self, answer, sentence="may not"):
        assert answer.error is not None, "it was not refused"
        assert answer.error.startswith("nix-gateway: ") and sentence in answer.error, answer.error
        assert "\n" not in answer.error and "%" not in answer.error, answer.error
        return answer.error

    def is_valid(self, path):
        """IsValidPath: the proof that a session goes on."""
        answer = self.ask(1, wire.text(path))
        assert answer.error is None, answer.error
        return self.reader.u64()

    def has_ended(self, sentence, error=True, leave=True):
        """The gateway ends the session: an error where one is due, the sentence on stderr, and status 1."""
        if error:
            answer = self.answer()
            assert answer.error is not None and sentence in answer.error, f"{answer.error}: no '{sentence}'"
        assert self.rest(leave) == b""
        assert self.end() == 1, self.status
        assert sentence in self.said(), self.said()


class Serve(Session):
    """A client of the serve protocol, which has no errors on the stream."""

    def hello(self, minor=7):
        self.send(wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(minor, 2))
        assert self.reader.u64() == wire.SERVE_SERVER_MAGIC
        theirs = self.reader.u64()
        assert theirs >> 8 == 2, hex(theirs)
        self.minor = min(minor, theirs & 0xff)
        return self

    def ask(self, number, body=b""):
        """The reply follows; gives the reader."""
        self.send(wire.u64(number) + body)
        return self.reader

    def valid(self, *paths, lock=0, substitute=0):
        """QueryValidPaths: the proof that a session goes on."""
        return self.ask(1, wire.u64(lock) + wire.u64(substitute) + wire.texts(paths)).texts()

    def build_options(self, keep_failed=0, repeats=0, silent=0, timeout=0):
        options = [silent, timeout, 0, repeats, 0] + ([keep_failed] if self.minor >= 7 else [])
        return b"".join(wire.u64(option) for option in options)

    def result(self):
        """A BuildResult: its status, its message, and how many outputs it names."""
        status, message = self.reader.u64(), self.reader.text().decode()
        self.reader.read(4 * 8)
        outputs = self.reader.pairs() if self.minor >= 6 else []
        return status, message, len(outputs)

    def has_ended(self, sentence):
        assert self.rest() == b""
        assert self.end() == 1, self.status
        assert sentence in self.said(), self.said()
