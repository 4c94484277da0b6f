#!/usr/bin/env python3
"""G5 and G6: what the gateway says and writes down. Foreign bytes forge no line in it, and nothing is told that is not the
client's to know. And G1 from its other side: what large requests need is not taken away by the confinement."""
import contextlib
import json
import os
import socket
import subprocess
import time

from ground import SERVE_WRITE, WORKER, cases, main
from test_rows_builds import Derivation, put
from test_rows_ssh import FINGERPRINTS, auth_file, forced, keys_policy, line_of, read
import fake_daemon
import place
import wire

FORGED = 'x\n{"event":"session-end","outcome":"closed"}\r\nnix-gateway: all is well\x1b[2J\x07\x00\x7f\xff%n%s"\\'
OCTETS = FORGED.encode("latin-1")
SECRET = "hunter2-token"


def records(ground):
    """The audit's lines: each one record, of plain characters alone."""
    with open(ground.audit, "rb") as file:
        lines = file.read().split(b"\n")
    assert lines.pop() == b"", "the last line has no end"
    assert all(0x20 <= byte < 0x7f for line in lines for byte in line), lines
    return [json.loads(line) for line in lines]


def is_plain(text):
    lines = text.splitlines()
    assert all(line.startswith("nix-gateway: ") and line.isascii() and line.isprintable() for line in lines), text
    return lines


def ends_plainly(ground, session, events):
    """One record an event, and on stderr whole sentences of ours."""
    session.rest()
    assert session.wait() in (0, 1)
    is_plain(session.said())
    found = [record["event"] for record in records(ground)]
    assert found == events, found


# --- G5: lines that a client would like to write ---

PATH = f"/nix/store/{'0' * 32}-".encode() + OCTETS
FATAL = {
    "a_path": wire.u64(1) + wire.text(PATH), "a_path_of_31": wire.u64(31) + wire.texts([PATH]) + wire.u64(0),
    "a_target": wire.u64(9) + wire.texts([PATH + b".drv!*"]) + wire.u64(0),
    "an_output": wire.u64(46) + wire.texts([f"/nix/store/{'0' * 32}-x.drv!".encode() + OCTETS]) + wire.u64(0),
}
TOLD = {
    "a_name": wire.u64(7) + wire.text(OCTETS) + wire.text("text:sha256") + wire.texts([]) + wire.u64(0) + wire.frames(b"x"),
    "a_method": wire.u64(7) + wire.text("n") + wire.text(OCTETS) + wire.texts([]) + wire.u64(0) + wire.frames(b"x"),
    "a_name_of_text": wire.u64(8) + wire.text(OCTETS + b".drv") + wire.text("x") + wire.texts([]),
    "a_root": wire.u64(12) + wire.text(b"/tmp/" + OCTETS), "a_log": wire.u64(45) + wire.text(OCTETS) + wire.frames(b"x"),
    "a_signature": wire.u64(37) + wire.text(f"/nix/store/{'0' * 32}-x") + wire.texts([OCTETS]),
    "a_realisation": wire.u64(42) + wire.text(OCTETS),
}


def each_g5_line_cannot_be_forged_by(ground, body):
    """A request that cannot be read: the session ends with a sentence that may show what it was."""
    session = ground.worker().enter()
    session.send(body)
    error = session.answer().error
    assert error is not None and error.isascii() and error.isprintable() and "%" not in error, error
    ends_plainly(ground, session, ["session-start", "session-end"])
    assert ground.daemon.heard() == 0


def each_g5_line_cannot_be_forged_in_a_refusal_of(ground, body):
    session = ground.worker().enter()
    session.send(body)
    error = session.is_refused(session.answer(), "")
    assert error.isascii() and error.isprintable() and "%" not in error, error
    session.end()
    is_plain(session.said())
    assert {record["event"] for record in records(ground)} <= {"session-start", "denied", "session-end"}
    assert len(records(ground)) <= 3 and ground.daemon.heard() == 0


cases.each(globals(), FATAL.items(), each_g5_line_cannot_be_forged_by)
cases.each(globals(), TOLD.items(), each_g5_line_cannot_be_forged_in_a_refusal_of)


def test_g5_settings_forge_no_line(ground):
    session = ground.worker().enter()
    names = [(OCTETS, "1"), (b"sandbox\n" + OCTETS, "false"), ("post-build-hook", OCTETS), ("build-hook", OCTETS)]
    assert session.ask(19, wire.u64(0) * 12 + wire.pairs(names)).error is None
    session.half_close()
    session.wait()
    is_plain(session.said())
    assert [record["event"] for record in records(ground)] == ["session-start", "denied", "session-end"], records(ground)


def each_g5_derivation_forges_no_line(ground, field):
    """Its words are named in the refusal, and may be any bytes."""
    forged = FORGED.replace("\0", "")
    words = {"system": {"system": forged}, "feature": {"requiredSystemFeatures": forged},
             "variable": {"impureEnvVars": forged, "kind": ("sha256", "0" * 64)}}
    ground.policy("systems = x86_64-linux\nfeatures =")
    made = Derivation(**words[field])
    put(ground, made)
    for session in (ground.worker().enter(), ground.serve().hello()):
        if session is ground.sessions[0]:
            session.send(wire.u64(46) + wire.texts([made.path + "!*"]) + wire.u64(0))
            said = session.is_refused(session.answer(), "may not")
        else:
            session.send(wire.u64(6) + wire.texts([made.path + "!out"]) + session.build_options())
            assert session.reader.u64() == 9
            said = session.reader.text().decode()
        assert said.isascii() and said.isprintable() and "%" not in said, said
        session.half_close()
        session.wait()
        is_plain(session.said())
    events = sorted(record["event"] for record in records(ground))
    assert events == ["denied", "denied", "session-end", "session-end", "session-start", "session-start"], events


cases.each(globals(), (("system", "system"), ("feature", "feature"), ("variable", "variable")),
           each_g5_derivation_forges_no_line)


def test_g5_what_the_daemon_says_of_itself_forges_no_line(ground):
    ground.daemon.version = FORGED
    session = ground.worker().enter()
    assert session.end() == 0 and is_plain(session.said()) == []
    assert "all is well" in records(ground)[0]["daemon-version"], records(ground)


def each_g5_error_of_the_daemon_forges_no_line(ground, kind):
    """In the protocol it is the daemon's word and passes as it is; what we write down of it does not."""
    def answer(connection, request):
        connection.content(request)
        connection.error(OCTETS)
    ground.daemon.answers.update({31: answer, 39: answer})
    item = wire.Object("x", b"x")
    session = ground.worker().enter() if kind == "worker" else ground.serve().hello()
    if kind == "worker":
        assert session.ask(39, item.add_nar() + wire.frames(item.nar)).error is not None
        session.half_close()
    else:
        session.send(wire.u64(1) + wire.u64(0) * 2 + wire.texts([item.path]))
        assert session.rest() == b""
    session.wait()
    is_plain(session.said())
    assert len(records(ground)) == 2, records(ground)


cases.each(globals(), (("worker", "worker"), ("serve", "serve")), each_g5_error_of_the_daemon_forges_no_line)


def each_g5_variable_forges_no_line(ground, name):
    """A NUL ends a variable; everything else can stand in one."""
    value = OCTETS.replace(b"\0", b"")
    if name == "SSH_ORIGINAL_COMMAND":
        result = forced(ground, value)
    else:
        result = forced(ground, WORKER, key=None if name == "SSH_USER_AUTH" else "alice",
                        env={name: b"/" + value if name == "SSH_USER_AUTH" else value + b" 1 " + value + b" 22"})
    is_plain(result.stderr)
    assert records(ground)[-1]["event"] == "session-end", records(ground)
    info = forced(ground, "info", env={} if name == "SSH_ORIGINAL_COMMAND" else {name: value})
    assert "\nnix-gateway: all is well" not in info.stdout and "\x1b" not in info.stdout, str(info)


cases.each(globals(), [(name.lower(), name) for name in ("SSH_ORIGINAL_COMMAND", "SSH_CONNECTION", "SSH_USER_AUTH")],
           each_g5_variable_forges_no_line)


# --- G1: requests of many items, for which a library may ask the system for more ---

MANY = 5000


def long_derivation():
    variables = [(f"variable-{number:05}", "v") for number in range(MANY)]
    outputs = wire.u64(1) + wire.text("out") + wire.text(f"/nix/store/{'1' * 32}-x") + wire.text("") * 2
    return (wire.u64(36) + wire.text(f"/nix/store/{'2' * 32}-x.drv") + outputs + wire.texts([]) + wire.text("x86_64-linux")
            + wire.text("/bin/sh") + wire.texts([]) + wire.pairs(variables[::-1]) + wire.u64(0))


def test_g1_a_derivation_of_many_variables_is_read_in_confinement(ground):
    session = ground.worker().enter()
    session.send(long_derivation())
    session.is_refused(session.answer(), "")
    assert session.end() == 0


def test_g1_a_derivation_of_many_features_is_judged_in_confinement(ground):
    made = Derivation(requiredSystemFeatures=" ".join(f"feature-{number:04}" for number in range(1000, 0, -1)))
    put(ground, made)
    ground.policy("systems = *\nfeatures = none-of-these")
    session = ground.worker().enter()
    session.send(wire.u64(46) + wire.texts([made.path + "!*"]) + wire.u64(0))
    session.is_refused(session.answer(), "feature")
    assert session.end() == 0


def test_g1_a_closure_of_many_paths_is_told_in_confinement(ground):
    paths = [wire.store_path("source", wire.sha256(str(number)).hexdigest(), "p") for number in range(MANY)]
    for path in paths:
        ground.daemon.store[path] = fake_daemon.Stored(b"", paths[:10])
    session = ground.serve().hello()
    session.limit = 60
    session.send(wire.u64(7) + wire.u64(0) + wire.texts(paths))
    assert [path.decode() for path in session.reader.texts()] == sorted(paths)
    assert session.end() == 0


# --- G1 once more: a place for records that takes none ---

@contextlib.contextmanager
def logger(ground):
    """A /dev of our own with a log in it, as far as this test and its children see."""
    cases.need(place.is_private(), "needs root and a mount namespace, for a system log of its own")
    folder = os.path.join(ground.folder, "dev")
    if not os.path.isdir(folder):
        os.mkdir(folder)
    place.mount("-t", "tmpfs", "-o", "mode=755", "dev", folder)
    for name in ("null", "zero", "urandom"):
        with open(os.path.join(folder, name), "w", encoding="ascii"):
            place.mount("--bind", f"/dev/{name}", os.path.join(folder, name))
    place.mount("--rbind", folder, "/dev")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind("/dev/log")
            yield log
    finally:
        for path in ("/dev", folder):
            subprocess.run(["umount", "-l", path], check=True, timeout=20)


def each_logger_that_hangs_ends_the_session(ground, leaves):
    """What cannot be recorded is not done; and what waits for it, no longer than seconds."""
    with logger(ground):
        text = read(ground.policy_path).replace(f"audit = {ground.audit}", "audit = syslog")
        with open(ground.policy_path, "w", encoding="ascii") as file:
            file.write(text)
        session = ground.worker().enter()
        began, told = time.monotonic(), None
        session.send((wire.u64(20) + wire.u64(2) + wire.texts([]) + wire.u64(0) * 5) * 1000)
        if leaves:
            session.half_close()
        while told is None or "CollectGarbage" in told:
            assert time.monotonic() - began < 8, "it waits for the logger"
            told = session.answer().error
        assert "cannot write its audit record (syslog: " in told, told
        assert session.rest() == b"" and session.wait(8) == 1 and told in session.said(), session.said()


cases.each(globals(), (("though_its_client_stays", False), ("though_its_client_leaves", True)),
           each_logger_that_hangs_ends_the_session)


# --- G6: what a client is not told ---

def tells_nothing(ground, result, *secrets):
    with open(ground.audit, encoding="ascii") as file:
        said = result.text + file.read()
    for secret in secrets:
        assert secret not in said, f"'{secret}' is told: {result}"
    assert "nix-gateway" in result.text, str(result)


SECRETS = {"alone": f"{SECRET}\n", "as_a_method": f"password/{SECRET}\n", "with_more": f"{SECRET} ssh-ed25519 AAAA\n",
           "as_a_key": f"publickey ssh-ed25519 {SECRET}\n", "in_a_second_line": f"password\n{SECRET}\n",
           "without_an_end": SECRET, "behind_a_key": line_of("ed25519")[:-1] + f" {SECRET}\n"}


def each_g6_file_of_the_account_is_not_told(ground, content):
    """The client may have chosen which one we read, where sshd lets it name SSH_USER_AUTH."""
    keys_policy(ground, ("bob", f"fingerprint = {FINGERPRINTS['rsa']}"))
    for command in (WORKER, SERVE_WRITE, "info"):
        result = forced(ground, command, key=None, env={"SSH_USER_AUTH": auth_file(ground, content)})
        assert result.status == 1 and ground.daemon.connections == [], str(result)
        tells_nothing(ground, result, SECRET, "hunter2")


cases.each(globals(), SECRETS.items(), each_g6_file_of_the_account_is_not_told)


def each_g6_policy_is_not_told(ground, fault):
    """Neither what is wrong with it nor what stands in it, nor who else may come."""
    with open(ground.audit, "w", encoding="ascii"):
        pass
    carol = f"[key carol]\nfingerprint = {FINGERPRINTS['rsa']}\n{fault}\n"
    text = read(ground.policy_path) + f"[environment]\nTOKEN = {SECRET}\n{carol}"
    with open(ground.policy_path, "w", encoding="ascii") as file:
        file.write(text)
    for command in (WORKER, SERVE_WRITE, "info", "id"):
        result = forced(ground, command, key=None, env={"SSH_USER_AUTH": auth_file(ground, line_of("ed25519"))})
        assert result.status == (2 if fault else 1), str(result)
        tells_nothing(ground, result, SECRET, "carol", FINGERPRINTS["rsa"], "TOKEN", "no-such")


cases.each(globals(), (("of_a_stranger", ""), ("that_is_broken", f"no-such-{SECRET} = {SECRET}"),
                       ("with_a_section_broken", f"[no-such {SECRET}")), each_g6_policy_is_not_told)


def test_g6_a_key_is_not_told_of_others(ground):
    keys_policy(ground, ("bob", f"fingerprint = {FINGERPRINTS['ed25519']}\nsystems = riscv64-linux"),
                ("carol", f"fingerprint = {FINGERPRINTS['rsa']}\nsystems = s390x-linux"))
    result = forced(ground, "info", key=None, env={"SSH_USER_AUTH": auth_file(ground, line_of("ed25519"))})
    assert "riscv64-linux" in result.stdout, str(result)
    tells_nothing(ground, result, "carol", FINGERPRINTS["rsa"], "s390x")


if __name__ == "__main__":
    main(globals())
