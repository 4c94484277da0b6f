"""A recorded daemon: it says what was recorded, each answer when its question has come, in pieces as the test wants them.
It knows of its own words only where they end."""
import array
import fcntl
import termios
import time

import fake_daemon
import wire

WAIT = 0.05                     # seconds that a piece is given to be read before the next one follows

# Replies by letters as wire.REQUESTS; besides o: a flag, and a path's description where it is 1; r: a BuildResult;
# k: a list of these with their keys; a: an archive.
REPLIES = {1: "n", 7: "t" + wire.INFO, 9: "n", 10: "n", 11: "n", 19: "", 26: "o", 31: "l", 32: "l", 36: "r", 37: "n",
           38: "a", 39: "", 40: "lllnn", 41: "p", 43: "l", 46: "k"}


def read_optional_info(reader, _minor):
    if reader.u64() == 1:
        for letter in wire.INFO:
            wire.READERS[letter](reader)


def read_result(reader, minor):
    reader.u64()
    reader.text()
    if minor >= 29:
        reader.read(4 * 8)
    for _ in range(2 if minor >= 37 else 0):
        if reader.u64() == 1:
            reader.u64()
    if minor >= 28:
        reader.pairs()


def read_results(reader, minor):
    for _ in range(reader.count()):
        reader.text()
        read_result(reader, minor)


SPECIAL = {"o": read_optional_info, "r": read_result, "k": read_results, "a": lambda reader, _minor: reader.nar()}


class Said:
    """The recorded bytes, taken answer by answer."""

    def __init__(self, content):
        self.content = content
        self.reader = wire.reader_of(content)
        self.minor = min(38, content[8]) if len(content) > 8 else 0

    def take(self, read):
        """What read() goes over; all that is left where the recording ends in the middle of it."""
        start = len(self.reader.taken)
        try:
            read()
        except wire.Ended:
            return start, len(self.content)
        return start, len(self.reader.taken)

    def hello(self):
        return self.take(self.read_hello)

    def read_hello(self):
        self.reader.read(16)
        if self.minor >= 38:
            self.reader.texts()
        if self.minor >= 33:
            self.reader.text()
        if self.minor >= 35:
            self.reader.u64()
        wire.read_loop(self.reader, self.minor)

    def answer(self, number):
        return self.take(lambda: self.read_answer(number))

    def read_answer(self, number):
        if wire.read_loop(self.reader, self.minor).error is None:
            for letter in REPLIES[number]:
                if letter in SPECIAL:
                    SPECIAL[letter](self.reader, self.minor)
                else:
                    wire.READERS[letter](self.reader)


def queued(fd, question):
    count = array.array("i", [0])
    fcntl.ioctl(fd, question, count)
    return count[0]


def until_read(fd, question):
    """Until the other side has taken what was written, for a while: it need not."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until and queued(fd, question) > 0:
        time.sleep(0.0002)


def say(send, fd, question, pieces):
    """The pieces, each read before the next one comes."""
    for piece in pieces:
        send(piece)
        until_read(fd, question)


class Playback:
    """Makes a fake daemon play `content`. `cuts` are the places where what it says is cut; behind `end` it hangs up."""

    def __init__(self, content, cuts=(), end=None):
        self.said = Said(content)
        self.cuts, self.end = cuts, end

    def install(self, daemon):
        daemon.greets = self.greet
        daemon.answers = {number: self.answer for number in wire.REQUESTS}

    def greet(self, connection):
        """All at once: the gateway says the rest of its own part when it has heard the version."""
        self.speak(connection, self.said.hello())
        connection.minor = self.said.minor
        connection.reader.read(16)
        if self.said.minor >= 38:
            connection.reader.texts()
        connection.reader.read(16)

    def answer(self, connection, request):
        connection.content(request)
        self.speak(connection, self.said.answer(request.op))

    def speak(self, connection, span):
        start, stop = span
        if self.end is not None:
            stop = min(stop, self.end)
        places = [start, *(cut for cut in self.cuts if start < cut < stop), stop]
        pieces = [self.said.content[a:b] for a, b in zip(places, places[1:])]
        try:
            say(connection.end.sendall, connection.end.fileno(), termios.TIOCOUTQ, pieces)
        except OSError as gone:
            raise wire.Ended("the gateway has closed") from gone
        if stop == self.end:
            raise fake_daemon.Cut
