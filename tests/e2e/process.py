"""Children that cannot hang and cannot be left behind.

Everything the lab starts goes through here: a program that is waited for has a time limit, a server is remembered and
ended by its process id, and whatever a server has forked away is adopted by us and ended with it.
"""
import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


class Result:
    """What a program said and how it ended. `text` is both streams, for looking up a sentence wherever it stands."""

    def __init__(self, argv, status, stdout, stderr):
        self.argv = argv
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.text = stdout + stderr

    def __str__(self):
        command = " ".join(str(word) for word in self.argv)
        return f"$ {command}\nstatus {self.status}\nstdout: {self.stdout}\nstderr: {self.stderr}"


class TooSlow(AssertionError):
    """A program did not end in its time. It has been killed."""


def run(argv, env=None, stdin=b"", limit=60, cwd=None, pass_fds=()):
    """Runs a program to its end in a session of its own, so that a time-out also ends what it has started."""
    child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, start_new_session=True, pass_fds=pass_fds)
    try:
        stdout, stderr = child.communicate(stdin, timeout=limit)
    except subprocess.TimeoutExpired:
        kill_group(child.pid)
        stdout, stderr = last_words(child)
        raise TooSlow(f"not done after {limit} s\n{Result(argv, None, decode(stdout), decode(stderr))}")
    except BaseException:
        kill_group(child.pid)
        child.wait()
        raise
    return Result(argv, child.returncode, decode(stdout), decode(stderr))


def last_words(child):
    """What a killed child had said; given up on where something it left behind still holds its pipes."""
    try:
        return child.communicate(timeout=2)
    except subprocess.TimeoutExpired:
        return b"", b""


def decode(octets):
    return octets.decode("utf-8", "backslashreplace")


def kill_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def adopt_orphans():
    """Makes us the parent of every descendant whose own parent ends (Linux; elsewhere nothing to do it with)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_of(pid):
    """Empty where the system has no /proc to say it."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listing:
            return [int(child) for child in listing.read().split()]
    except OSError:
        return []


def own_children():
    """Process ids of our living children."""
    return children_of(os.getpid())


def descendants(pid):
    """What a child of ours has started, and what that has; the youngest last."""
    found = children_of(pid)
    for child in found:
        found += children_of(child)
    return found


def end_children(limit=5):
    """Ends every child of ours, the adopted ones too: politely first, then not. Only what we started is a child."""
    deadline = time.monotonic() + limit
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for pid in own_children():
            send(pid, sent)
        while own_children() and time.monotonic() < deadline:
            reap()
            time.sleep(0.02)
        deadline += limit


def send(pid, number):
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


class Server:
    """A program that runs until stop(). Its output goes to a file, which tells why it did not come up."""

    def __init__(self, argv, env, log):
        self.argv = argv
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          start_new_session=True)

    def wait_for(self, ready, limit=20):
        """Waits until ready() is true; the server's log is the error where that does not happen."""
        deadline = time.monotonic() + limit
        while not ready():
            if self.child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.argv[0]} did not come up:\n{self.said()}")
            time.sleep(0.02)

    def said(self):
        with open(self.log, encoding="utf-8", errors="backslashreplace") as log:
            return log.read()

    def stop(self, limit=5):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(limit)
            except subprocess.TimeoutExpired:
                pass
        kill_group(self.child.pid)
        self.child.wait()
