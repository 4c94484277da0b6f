#!/usr/bin/env python3
"""S10, G1 to G4: what holds the process that listens to a client, seen from outside. What each forbidden call comes to is
seen from inside, by the unit test of the sandbox."""
import os
import signal
import subprocess
import sys
import time

from ground import HERE, SERVE, SERVE_WRITE, WORKER, cases, main
import place
import speaker
import wire

PATH = "/nix/store/" + "0" * 32 + "-thing"
NOBODY = 65534
SEEMS_BARE = [sys.executable, os.path.join(HERE, "no_seccomp.py")]


def policy(ground, sandbox, grant=""):
    """The usual one, with one more line in [gateway]."""
    ground.policy(grant)
    with open(ground.policy_path, encoding="ascii") as file:
        text = file.read()
    with open(ground.policy_path, "w", encoding="ascii") as file:
        file.write(text.replace("[gateway]\n", f"[gateway]\nsandbox = {sandbox}\n", 1))


def proc(session, name):
    with open(f"/proc/{session.child.pid}/{name}", encoding="ascii") as file:
        return dict(line.split(":", 1) if ":" in line else (line[:26].strip(), line[26:]) for line in file)


def start_behind(ground, prefix, kind, command, **how):
    """A gateway that `prefix` runs, as ground.start does."""
    def prefixed(argv, env, log, **more):
        return kind(prefix + argv, env, log, **more)

    return ground.start(prefixed, command, **how)


def is_held(session):
    status, limits = proc(session, "status"), proc(session, "limits")
    assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1", status
    for name, most in (("Max core file size", 0), ("Max processes", 0), ("Max open files", 8),
                       ("Max address space", 512 << 20)):
        soft, hard = limits[name].split()[:2]
        assert soft == hard == str(most), (name, soft, hard)


def need_to_see_files():
    cases.need(place.is_private(), "needs root: the files of such a process are hidden from its own user")


def open_files(session):
    folder = f"/proc/{session.child.pid}/fd"
    return {int(name): os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)}


def test_g1_a_worker_session_is_held_before_the_client_says_hello(ground):
    session = ground.worker()
    wait_until_held(session)
    is_held(session)
    session.enter()
    assert session.is_valid(PATH) == 0
    is_held(session)
    need_to_see_files()
    others = {number: name for number, name in open_files(session).items() if number > 2}
    assert sorted(name.split(":")[0] for name in others.values()) == sorted(["socket", ground.audit]), others


def wait_until(holds, what, limit=speaker.LIMIT):
    until = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.01)


def wait_until_held(session):
    wait_until(lambda: proc(session, "status")["Seccomp"].strip() == "2", "it does not confine itself")


def each_serve_session_is_held(ground, write):
    session = ground.serve(write=write)
    wait_until_held(session)
    session.hello()
    assert session.valid(PATH) == []
    is_held(session)
    need_to_see_files()
    spools = [name for name in open_files(session).values() if name.endswith("(deleted)")]
    assert len(spools) == (1 if write else 0), open_files(session)


cases.each(globals(), [("that_reads", False), ("that_writes", True)], each_serve_session_is_held)


def test_g1_a_refusal_is_told_by_a_process_that_is_held(ground):
    """Somebody nobody knows speaks to a parser too."""
    ground.policy("expires = 2020-01-01")
    session = ground.worker()
    wait_until_held(session)
    is_held(session)
    answer = session.hello()
    assert "expired" in answer.error, answer.error
    assert session.rest() == b"" and session.end() == 1


def test_g1_the_audit_says_what_holds(ground):
    ground.worker().enter().end()
    assert ground.records("session-start")[-1]["sandbox"] == "seccomp+landlock"


def each_command_is_refused_where_it_cannot_be_held(ground, case):
    kind, command = case
    policy(ground, "require")
    session = start_behind(ground, SEEMS_BARE, kind, command)
    assert session.rest() == b"", "it listened to the client, or told it something in its protocol"
    assert session.wait() == 1, session.status
    assert "the process cannot be confined: seccomp: " in session.said(), session.said()
    assert "sandbox = require" in session.said(), session.said()
    assert all(connection.received == b"" for connection in ground.daemon.connections)
    assert "sandbox = require" in ground.records("denied")[-1]["reason"]


cases.each(globals(), [("worker", (speaker.Worker, WORKER)), ("serve", (speaker.Serve, SERVE)),
                       ("serve_write", (speaker.Serve, SERVE_WRITE))], each_command_is_refused_where_it_cannot_be_held)


def test_g4_require_serves_where_it_can_be_had(ground):
    policy(ground, "require")
    session = ground.worker().enter()
    assert session.is_valid(PATH) == 0
    is_held(session)


def test_g4_auto_goes_on_with_less_and_says_so(ground):
    policy(ground, "auto")
    session = start_behind(ground, SEEMS_BARE, speaker.Worker, WORKER).enter()
    assert session.is_valid(PATH) == 0
    session.end()
    assert ground.records("session-start")[-1]["sandbox"] in ("landlock", "none")


def test_g4_off_is_off_and_says_so(ground):
    policy(ground, "off")
    session = ground.worker().enter()
    assert proc(session, "status")["Seccomp"].strip() == "0"
    session.end()
    assert ground.records("session-start")[-1]["sandbox"] == "off"


BRIDGE = """#!{python}
import os, socket, subprocess, sys, threading
daemon = socket.socket(socket.AF_UNIX)
daemon.connect({socket!r})
helper = subprocess.Popen(["sleep", "600"])
with open({note!r}, "w") as note:
    note.write(f"{{os.getpid()}} {{helper.pid}}")
def up():
    while piece := os.read(0, 65536):
        daemon.sendall(piece)
    {at_end}
threading.Thread(target=up, daemon=True).start()
while piece := daemon.recv(65536):
    os.write(1, piece)
"""


def a_daemon_of_its_own(ground, at_end):
    """A nix-daemon --stdio that passes on to the fake one, and has a helper beside it. `at_end`: what it does when its
    input ends. Gives the file that will hold the two numbers."""
    folder = os.path.join(ground.folder, f"nix-{len(os.listdir(ground.folder))}")
    os.mkdir(folder, 0o755)
    note = os.path.join(folder, "note")
    for name in ("nix-daemon", "nix-store"):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(BRIDGE.format(python=sys.executable, socket=ground.daemon.path, note=note, at_end=at_end))
        os.chmod(os.path.join(folder, name), 0o755)
    ground.policy()
    with open(ground.policy_path, encoding="ascii") as file:
        text = file.read()
    with open(ground.policy_path, "w", encoding="ascii") as file:
        file.write(text.replace(f"daemon = {ground.daemon.path}", f"daemon = stdio\nnix = {folder}"))
    return note


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def each_child_ends_with_its_session(ground, case):
    """From inside: the whole process group of the daemon that was started for it, however that takes the end."""
    at_end, vanishes = case
    note = a_daemon_of_its_own(ground, at_end)
    session = ground.worker().enter()
    assert session.is_valid(PATH) == 0
    is_held(session)
    with open(note, encoding="ascii") as file:
        pids = [int(word) for word in file.read().split()]
    assert len(pids) == 2 and all(map(is_alive, pids)), pids
    if vanishes:
        session.send(wire.u64(1) + wire.u64(len(PATH)))
    assert session.end(3) == (1 if vanishes else 0), session.status
    wait_until(lambda: not any(map(is_alive, pids)), f"{pids} live on", 1)


def test_g1_a_child_ends_with_a_session_that_is_killed(ground):
    """Nobody is left to end it, and it does not mind that its input has."""
    note = a_daemon_of_its_own(ground, "threading.Event().wait()")
    session = ground.worker().enter()
    assert session.is_valid(PATH) == 0
    with open(note, encoding="ascii") as file:
        child, helper = (int(word) for word in file.read().split())
    os.kill(session.child.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(child), f"{child} lives on", 2)
    os.kill(helper, signal.SIGKILL)
    ground.sessions.remove(session)


cases.each(globals(), [("that_leaves_by_itself", ("os._exit(0)", False)), ("that_stays", ("threading.Event().wait()", False)),
                       ("in_the_middle_of_a_request", ("threading.Event().wait()", True))],
           each_child_ends_with_its_session)


def is_readable(pid):
    """For another process of the same user."""
    reader = subprocess.run(["sh", "-c", f": < /proc/{pid}/mem"], user=NOBODY, group=NOBODY, extra_groups=[],
                            capture_output=True, cwd="/", check=False)
    return reader.returncode == 0


def test_s10_no_other_session_of_the_account_reads_its_memory(ground):
    cases.need(place.is_private(), "needs root, to be somebody else")
    with subprocess.Popen(["sleep", "60"], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/") as open_to_all:
        readable = is_readable(open_to_all.pid)
        open_to_all.kill()
    cases.need(readable, "this system keeps even ordinary processes of one user apart")
    ground.policy()
    with open(ground.policy_path, encoding="ascii") as file:
        text = file.read()
    with open(ground.policy_path, "w", encoding="ascii") as file:
        file.write(text.replace(f"audit = {ground.audit}", "audit = stderr"))
    os.chmod(ground.folder, 0o755)
    ground.daemon.start()
    os.chmod(ground.daemon.path, 0o666)
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    session = start_behind(ground, drop, speaker.Worker, WORKER).enter()
    assert session.is_valid(PATH) == 0
    assert proc(session, "status")["Uid"].split() == [str(NOBODY)] * 4
    assert not is_readable(session.child.pid)


if __name__ == "__main__":
    main(globals())
