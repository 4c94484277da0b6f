#!/usr/bin/env python3
"""What fails around a session: the disk of its records, and the daemon at any moment; and two hundred sessions at once."""
import json
import os
import resource
import subprocess
import threading
import time

import cases
import place
from ground import main
from misbehaviour import ASKED, DRV, PATH, TARGETS, ends, is_told, prepare
import fake_daemon
import uploads
import wire

SENTENCE = "this builder cannot write its audit record"


# --- a full disk ---

def each_session_whose_start_finds_no_room_is_refused(ground, serve):
    ground.audit, kept = "/dev/full", ground.audit
    try:
        ground.policy()
        if serve:
            session = ground.serve()
            session.send(wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(7, 2))
            assert ends(session, f"{SENTENCE} (/dev/full: No space left on device)") == b"", "it was made welcome"
        else:
            session = ground.worker()
            answer = session.hello()
            assert answer.error is not None and f"{SENTENCE} (/dev/full: " in answer.error, answer.error
            assert ends(session, SENTENCE) == b""
    finally:
        ground.audit = kept
    assert ground.daemon.ops() == [], ground.daemon.ops()


cases.each(globals(), (("of_serve", True), ("of_a_worker", False)), each_session_whose_start_finds_no_room_is_refused)


class Disk:
    """A file system of a few pages in memory, with the audit file on it."""

    def __init__(self, ground):
        cases.need(place.is_private(), "needs root and a mount namespace, for a disk that can be full")
        self.ground, self.kept = ground, ground.audit
        self.folder = os.path.join(ground.folder, "disk")
        os.makedirs(self.folder, exist_ok=True)

    def __enter__(self):
        place.mount("-t", "tmpfs", "-o", "size=16k", "disk", self.folder)
        self.ground.audit = os.path.join(self.folder, "audit.jsonl")
        self.ground.policy()
        return self

    def fill(self):
        """Nothing is left but what the audit file's last page still holds."""
        with open(os.path.join(self.folder, "filler"), "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(os.path.join(self.folder, "filler"))

    def records(self):
        with open(self.ground.audit, encoding="utf-8") as file:
            return file.read()

    def __exit__(self, *_unused):
        self.ground.leave()
        subprocess.run(["umount", self.folder], check=True, timeout=20)
        self.ground.audit = self.kept


def deny_until_it_ends(worker):
    """Requests that are refused, each with its record, until one finds no room. Gives its answer."""
    for _ in range(100):
        answer = worker.ask(20, wire.u64(0) + wire.texts([]) + wire.u64(0) * 5)
        assert answer.error is not None
        if SENTENCE in answer.error:
            return answer
        assert worker.is_valid(PATH) == 0
    raise AssertionError("a full disk takes every record")


def test_the_next_request_that_needs_a_record_ends_the_session(ground):
    with Disk(ground) as disk:
        worker = ground.worker().enter()
        disk.fill()
        assert worker.is_valid(PATH) == 0, "it needs no record"
        assert "No space left on device" in deny_until_it_ends(worker).error
        assert ends(worker, SENTENCE) == b""
        assert 20 not in ground.daemon.ops()


def test_a_record_that_the_disk_has_cut_spoils_no_other(ground):
    with Disk(ground) as disk:
        worker = ground.worker().enter()
        disk.fill()
        deny_until_it_ends(worker)
        ends(worker, SENTENCE)
        torn = disk.records()
        assert not torn.endswith("\n"), "nothing was cut: this shows nothing"
        disk.free()
        ground.worker().enter().end()
        after = disk.records()[len(torn):]
        assert after.startswith("\n"), after
        assert [json.loads(line)["event"] for line in after.splitlines()[1:]] == ["session-start", "session-end"], after


# --- a daemon that dies ---

BIG = wire.Object("big", os.urandom(3000))


def each_daemon_that_dies_in_an_upload_ends_the_session(ground, case):
    """Behind the head, after each of many numbers of bytes of the content."""
    name, way = case
    size = 8 + len(BIG.nar) + 8         # one frame and the end
    for taken in sorted({0, 1, 7, 8, 9, *range(40, size, 97), size - 9, size - 8, size - 1, size}):
        ground.reset()

        def die(connection, _request, taken=taken):
            connection.reader.read(taken)
            raise fake_daemon.Cut
        ground.daemon.answers[39] = die
        session = way.start(ground)
        try:
            way.send(session, BIG.nar, BIG)
        except wire.Ended:
            pass
        if name == "serve_9":
            assert ends(session, "daemon") in (b"", wire.u64(0)), taken
        else:
            is_told(session, "daemon")
        assert session.said().count("nix-gateway: ") == 1, session.said()


cases.each(globals(), [(name, (name, way)) for name, way in uploads.ALL if name != "44_behind_another"],
           each_daemon_that_dies_in_an_upload_ends_the_session)


# --- a client that leaves a build ---

def each_build_whose_client_leaves_is_on_record(ground, case):
    """While it runs, and when the daemon has begun to say how it went."""
    number, last = case
    there = threading.Event()
    prepare(ground, number)

    def build(connection, _request):
        connection.log("building")
        if last:
            connection.last()
        there.set()
        connection.outstay()
    ground.daemon.answers[number] = build
    worker = ground.worker().enter()
    worker.send(wire.u64(number) + ASKED[number])
    assert there.wait(5)
    time.sleep(0.1)
    worker.vanish()
    assert worker.wait(5) == 1
    builds = [(record["drv"], record["outcome"]) for record in ground.records("build")]
    assert builds == [(DRV, "aborted")], builds


cases.each(globals(), [(f"{number}_{moment}", (number, last)) for number in (9, 36, 46)
                       for moment, last in (("while_it_runs", False), ("behind_its_last_word", True))],
           each_build_whose_client_leaves_is_on_record)


def each_daemon_that_dies_in_a_build_is_told_once(ground, lines):
    prepare(ground, 46)

    def die(connection, _request):
        for line in range(lines):
            connection.log(f"line {line}\n")
        raise fake_daemon.Cut
    ground.daemon.answers[46] = die
    worker = ground.worker().enter()
    worker.send(wire.u64(46) + TARGETS)
    is_told(worker, "the Nix daemon has closed the connection")
    assert worker.said().count("nix-gateway: ") == 1, worker.said()


cases.each(globals(), [(f"behind_{lines}_lines", lines) for lines in (0, 1, 1000)],
           each_daemon_that_dies_in_a_build_is_told_once)


# --- many at once ---

SESSIONS = 200


def test_200_sessions_at_once(ground):
    """All of them are in the middle of a build before the first may end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 16 * SESSIONS)), hard))
    prepare(ground, 46)
    go = threading.Event()

    def answer(connection, request):
        go.wait(60)
        fake_daemon.build_with_results(connection, request)
    ground.daemon.answers[46] = answer
    ground.daemon.start()
    workers = [ground.worker() for _ in range(SESSIONS)]
    for worker in workers:
        worker.limit = 60
        worker.enter()
        worker.send(wire.u64(46) + TARGETS)
    for _ in range(600):
        if sum(1 for op in ground.daemon.ops() if op == 46) == SESSIONS:
            break
        go.wait(0.1)
    assert ground.daemon.ops().count(46) == SESSIONS, "not all of them build"
    go.set()
    for worker in workers:
        answer = worker.answer()
        assert answer.error is None, answer.error
        assert worker.reader.read(8) == wire.u64(1) and worker.reader.text().decode() == f"{DRV}!*"
    for worker in workers:
        worker.vanish()
    assert [worker.wait(30) for worker in workers] == [0] * SESSIONS


if __name__ == "__main__":
    main(globals())
