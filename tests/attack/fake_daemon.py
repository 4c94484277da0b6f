"""A Nix daemon of our own making. It remembers every byte that it was sent, which shows what a refusal has kept from it,
and it misbehaves as its script says. Where the script says nothing it is a small honest daemon with a store in memory."""
import os
import socket
import threading
import time

import wire

LIMIT = 60                      # seconds after which a silent gateway is given up on
PROBE_NAME = b"nix-gateway-probe"


class Cut(Exception):
    """The script wants the connection closed here."""


class Connection:
    """One gateway. `received` is every byte of it, `requests` what they mean, `ended` is set when it has closed."""

    def __init__(self, daemon, end):
        self.daemon = daemon
        self.end = end
        self.reader = wire.Reader(self.receive)
        self.received = self.reader.taken
        self.frame_sizes = []
        self.requests = []
        self.minor = None
        self.sent = 0
        self.greeted, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def receive(self, count):
        try:
            return self.end.recv(count)
        except ConnectionError:
            return b""

    def send(self, content):
        """As much of it as the script lets through; Cut where that was all."""
        left = None if self.daemon.cut is None else self.daemon.cut - self.sent
        piece = content if left is None else content[:max(left, 0)]
        self.sent += len(piece)         # before a test can have seen the last of it
        try:
            self.end.sendall(piece)
        except OSError as gone:
            raise wire.Ended("the gateway has closed") from gone
        if left is not None and left <= len(content):
            raise Cut

    def run(self):
        try:
            self.daemon.hello(self)
            self.greeted.set()
            while True:
                self.serve()
        except (wire.Ended, Cut, TimeoutError):
            pass
        except Exception as fault:      # the test is told: the gateway wrote what this daemon cannot read
            self.daemon.faults.append(f"{type(fault).__name__}: {fault}")
        finally:
            self.end.close()
            self.ended.set()

    def serve(self):
        request = wire.read_request(self.reader)
        self.requests.append(request)
        self.daemon.answers.get(request.op, answer_honestly)(self, request)
        self.content(request)

    def content(self, request):
        """The frames behind the head, read once."""
        if request.framed and request.content is None:
            request.content = self.reader.frames(self.frame_sizes)
        return request.content

    # --- what it may say ---

    def last(self, reply=b""):
        self.send(wire.u64(wire.LAST) + reply)

    def error(self, message):
        self.send(wire.error(message, self.minor))

    def log(self, line):
        self.send(wire.u64(wire.NEXT) + wire.text(line))

    def build_log(self, line, activity=7):
        self.send(wire.u64(wire.RESULT) + wire.u64(activity) + wire.u64(wire.BUILD_LOG_LINE) + wire.u64(1) + wire.u64(1)
                  + wire.text(line))

    def outstay(self):
        """Says nothing more until the gateway has closed."""
        while True:
            self.reader.read(1)

    def greet(self):
        """The handshake of an honest daemon."""
        daemon = self.daemon
        if self.reader.u64() != wire.CLIENT_MAGIC:
            raise wire.Garbage("no magic")
        self.send(wire.u64(wire.DAEMON_MAGIC) + wire.version(daemon.minor))
        self.minor = min(daemon.minor, self.reader.u64() & 0xff)
        if self.minor >= 38:
            self.features = self.reader.texts()
            self.send(wire.texts(daemon.features))
        if self.reader.u64() != 0:
            self.reader.u64()
        self.reader.u64()
        if self.minor >= 33:
            self.send(wire.text(daemon.version))
        if self.minor >= 35:
            self.send(wire.u64(daemon.trust))
        self.handshake = len(self.received)
        self.last()


class Stored:
    """A valid path of the store in memory."""

    def __init__(self, archive, references=(), deriver="", ca="", nar_hash=None, signatures=()):
        self.nar, self.references, self.deriver, self.ca = archive, list(references), deriver, ca
        self.signatures = signatures
        self.hash = nar_hash or wire.sha256(archive).hexdigest()

    def info(self):
        return wire.path_info(self.hash, len(self.nar), self.references, self.ca, self.deriver,
                              signatures=self.signatures)


class Daemon:
    """The listening socket and the script.

    `answers` maps an operation's number to a function (connection, request) that takes the honest answer's place;
    `greets` likewise for the handshake; after `cut` bytes the daemon hangs up.
    """

    def __init__(self, path):
        self.path = path
        self.minor, self.version, self.trust, self.features = 38, "2.34.8", 2, ()
        self.answers, self.greets, self.cut = {}, None, None
        self.store, self.outputs = {}, {}
        self.connections, self.faults = [], []
        self.listener = None

    def hello(self, connection):
        if self.greets:
            self.greets(connection)
        else:
            connection.greet()

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, args=[self.listener], daemon=True).start()
        return self

    def accept(self, listener):
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            end.settimeout(LIMIT)
            connection = Connection(self, end)
            self.connections.append(connection)
            connection.thread.start()

    def stop(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            os.unlink(self.path)
            self.listener = None
        for connection in self.connections:
            try:
                connection.end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def add(self, item, **more):
        """Makes a wire.Object valid."""
        self.store[item.path] = Stored(item.nar, item.references, ca=item.ca, **more)
        return item

    def add_derivation(self, derivation):
        """Makes the .drv of a wire.FixedOutput valid; its output is not."""
        self.store[derivation.path] = Stored(wire.nar(derivation.text), ca=derivation.ca)
        self.outputs[derivation.path] = [("out", derivation.out)]
        return derivation

    # --- what it has heard ---

    def the_connection(self):
        assert len(self.connections) == 1, f"{len(self.connections)} connections"
        return self.connections[0]

    def asked(self):
        """The requests of all connections, but for what the gateway asks to learn our trust, and its own settings."""
        return [request for connection in self.connections for request in own_questions_left_out(connection.requests)]

    def ops(self):
        return [request.op for request in self.asked()]

    def heard(self):
        """How many bytes came after the handshakes."""
        for connection in self.connections:
            assert connection.greeted.wait(5), "the handshake goes on"
        return sum(len(connection.received) - connection.handshake for connection in self.connections)

    def said_goodbye(self, limit=2):
        """Whether the gateway closes its connection within the time."""
        return self.the_connection().ended.wait(limit)

    def await_op(self, number, limit=5):
        """Until a request of that number has come in; gives the connection."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            for connection in self.connections:
                if any(request.op == number for request in connection.requests):
                    return connection
            time.sleep(0.005)
        raise AssertionError(f"operation {number} never came; {self.ops()}")


def own_questions_left_out(requests):
    kept, probed = [], False
    for request in requests:
        if request.op == 7 and request.fields[0] == PROBE_NAME:
            probed = True
        elif request.op == 37 and probed:
            probed = False
        elif request.op != 19:
            kept.append(request)
    return kept


# --- the honest daemon ---

def answer_honestly(connection, request):
    HONEST[request.op](connection, request)


def done(connection, _request):
    connection.last(wire.u64(1))


def is_valid(connection, request):
    connection.last(wire.u64(request.fields[0].decode() in connection.daemon.store))


def path_info(connection, request):
    found = connection.daemon.store.get(request.fields[0].decode())
    connection.last(wire.u64(0) if found is None else wire.u64(1) + found.info())


def valid_paths(connection, request):
    connection.last(wire.texts([path for path in request.fields[0] if path.decode() in connection.daemon.store]))


def nar_from_path(connection, request):
    found = connection.daemon.store.get(request.fields[0].decode())
    if found is None:
        connection.error(f"path '{request.fields[0].decode()}' is not valid")
    else:
        connection.last(found.nar)


def is_archive(content):
    """A real daemon notices when it is given a part of one."""
    reader = wire.reader_of(content)
    try:
        reader.nar()
    except (wire.Ended, wire.Garbage, RecursionError):
        return False
    return len(reader.taken) == len(content)


def add_to_store(connection, request):
    name, method, references = request.fields[0].decode(), request.fields[1], request.fields[2]
    content = connection.content(request)
    archive = content if method.startswith(b"fixed:r:") else wire.nar(content)
    if not is_archive(archive):
        connection.error("unexpected end-of-file")
        return
    kind = "source" if method.startswith(b"fixed:r:") else "text"
    path = wire.store_path(":".join([kind, *[ref.decode() for ref in references]]), wire.sha256(content).hexdigest(), name)
    stored = connection.daemon.store[path] = Stored(archive, references)
    connection.last(wire.text(path) + stored.info())


def add_to_store_nar(connection, request):
    content = connection.content(request)
    fields = request.fields
    if (wire.sha256(content).hexdigest().encode(), len(content)) != (fields[2], fields[5]) or not is_archive(content):
        connection.error(f"hash mismatch importing path '{fields[0].decode()}'")
        return
    connection.daemon.store[fields[0].decode()] = Stored(content, fields[3], fields[1], fields[8])
    connection.last()


def add_signatures(connection, _request):
    if connection.daemon.trust == 1:
        connection.last(wire.u64(1))
    else:
        connection.error("you are not privileged to add signatures")


def output_map(connection, request):
    connection.last(wire.pairs(connection.daemon.outputs.get(request.fields[0].decode(), [])))


def build_result(minor, status=0, message=""):
    """A BuildResult without outputs, as a daemon writes it."""
    times = wire.u64(1) + wire.u64(0) * 3 + (wire.u64(0) * 2 if minor >= 37 else b"")
    return wire.u64(status) + wire.text(message) + times + wire.u64(0)


def build_derivation(connection, _request):
    connection.last(build_result(connection.minor))


def build_with_results(connection, request):
    results = [wire.text(target) + build_result(connection.minor) for target in request.fields[0]]
    connection.last(wire.u64(len(results)) + b"".join(results))


def nothing(connection, _request):
    connection.last(wire.u64(0))


def missing(connection, _request):
    connection.last(wire.u64(0) * 5)


def end_of_loop(connection, _request):
    connection.last()


HONEST = {1: is_valid, 7: add_to_store, 9: done, 10: done, 11: done, 19: end_of_loop, 26: path_info, 30: nothing,
          31: valid_paths, 32: nothing, 36: build_derivation, 37: add_signatures, 38: nar_from_path,
          39: add_to_store_nar, 40: missing, 41: output_map, 46: build_with_results}
