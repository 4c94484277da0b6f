#!/usr/bin/env python3
"""S1 to S3, S6 to S9 and I1 to I6: what the program makes of its start. Whatever is refused here ends with one sentence,
with no byte of a protocol where none was asked for, and the daemon has not even been called."""
import base64
import os
import pty
import stat
import struct

from ground import HERE, SERVE_WRITE, WORKER, cases, main
from test_commands import REFUSED
from test_identity import HOSTILE
import process
import wire

CORPUS = os.path.join(os.path.dirname(HERE), "corpus", "ssh")
HELLO = wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3
SERVED = "it serves nix-daemon --stdio"
NOT_OURS = 12345                # a uid that nobody has


# --- how it is started ---

def forced(ground, command, key="alice", stdin=HELLO, env=(), **how):
    """As a ForceCommand."""
    named = [] if key is None else ["--key", key]
    variables = {"PATH": "/usr/bin:/bin", "SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 22", **dict(env)}
    if command is not None:
        variables["SSH_ORIGINAL_COMMAND"] = command
    return start(ground, [ground.gateway, "serve", *named, "--policy", ground.policy_path], variables, stdin, **how)


def login(ground, command, stdin=HELLO):
    """As the account's shell, with the client's own command. The policy is the one at its usual place, if any: what is asked
    for decides before it does."""
    return start(ground, [ground.gateway, "-c", command], {"SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 22"}, stdin)


def start(ground, argv, env, stdin, **how):
    if ground.daemon.listener is None:
        ground.daemon.start()
    return process.run(argv, env=env, stdin=stdin, limit=20, cwd="/", **how)


def is_refused(ground, result, sentence, status=1, stdout=""):
    said = [line for line in result.stderr.splitlines() if line.startswith("nix-gateway: ")]
    assert result.status == status and len(said) == 1 and sentence in said[0], str(result)
    assert result.stdout == stdout, str(result)
    assert said[0].isascii() and said[0].isprintable(), str(result)
    assert ground.daemon.connections == [], "the daemon was called"


def is_told(ground, result, sentence, status=1):
    """The same where the worker protocol was asked for: its client is told in the protocol as well."""
    reader = wire.reader_of(result.stdout.encode("latin-1", "backslashreplace"))
    assert sentence in result.stdout and result.stdout.startswith("oixd"), str(result)
    assert reader.u64() == wire.DAEMON_MAGIC
    is_refused(ground, result, sentence, status, result.stdout)


# --- S1, S2, S3, S8: what is asked for ---

def each_s1_command_is_not_run(ground, command):
    is_refused(ground, forced(ground, command), "this builder")


def each_s1_command_of_a_login_shell_is_not_run(ground, command):
    """Nothing of it is run by whatever else a shell would do with it, either: there is no policy here, so status 2."""
    result = login(ground, command)
    assert result.status in (1, 2) and result.stdout == "" and "nix-gateway: " in result.stderr, str(result)
    assert ground.daemon.connections == []


S1 = tuple(command for command in REFUSED if "\n" not in command) + (
    "nix-daemon --stdio & id", "nix-daemon --stdio || id", "nix-daemon --stdio;", "nix-daemon --stdio #",
    "nix-daemon --stdio < /etc/passwd",
    "id; nix-daemon --stdio", "sh -c 'nix-daemon --stdio'", "env nix-daemon --stdio", "sudo nix-daemon --stdio",
    "nix-daemon --stdio -- --serve", "nix-store --write --serve", "nix-store --serve --write --write",
    "nix-store --serve=--write", "nix --extra-experimental-features x daemon --stdio", "nix daemon --stdio --force-trusted",
    "nix-daemon.sh --stdio", "../nix-daemon/ --stdio", "NIX_REMOTE=local nix-daemon --stdio", "-c info", "--help",
    "nix-gateway serve", "nix-gateway serve --key bob", "/bin/sh", "rsync --server . .", "git-upload-pack x")
LABELS = [(f"{number}", command) for number, command in enumerate(S1, 1)]
cases.each(globals(), LABELS, each_s1_command_is_not_run)
cases.each(globals(), [(label, command) for label, command in LABELS if not command.startswith("nix-gateway serve")],
           each_s1_command_of_a_login_shell_is_not_run)

S2 = {
    "newline": "nix-daemon --stdio\nid", "newline_at_the_end": "nix-daemon --stdio\n", "newline_alone": "\n",
    "return": "nix-daemon --stdio\r", "tab": "nix-daemon\t--stdio", "escape": "nix-daemon\x1b --stdio",
    "delete": "nix-daemon --stdio\x7f",
    "substitution": "nix-daemon $(id)", "backticks": "nix-daemon --stdio `id`", "variable": "nix-daemon --stdio $HOME",
    "braces": "nix-daemon --{stdio,x}", "star": "nix-daemon --std*", "tilde": "~/nix-daemon --stdio",
    "two_spaces": "nix-daemon  --stdio", "space_in_front": " nix-daemon --stdio", "space_behind": "nix-daemon --stdio ",
    "space_alone": " ", "600_bytes": "nix-daemon --stdio" + "x" * 582, "513_bytes": "nix-daemon --stdio" + " " * 495,
    "100000_bytes": "nix-daemon --stdio " + "x" * 100000, "many_words": "nix-daemon" + " --stdio" * 40,
    "open_quote": "nix-daemon '--stdio", "double_quotes": 'nix-daemon "--stdio"',
    "quoted_semicolon": "nix-daemon '--stdio;id'", "quoted_whole": "'nix-daemon --stdio'",
    "escaped_space": "nix-daemon\\ --stdio", "escaped_semicolon": "nix-daemon --stdio\\;id",
    "backslash_at_the_end": "nix-daemon --stdio\\", "empty_word": "nix-daemon --stdio ''", "empty_quotes": "''",
    "not_utf_8": b"nix-daemon --stdio\xff", "latin": b"nix-d\xe4mon --stdio", "full_width": "nix\uff0ddaemon --stdio",
    "minus_sign": "nix-daemon \u2212\u2212stdio", "no_break_space": "nix-daemon\u00a0--stdio",
}


def each_s2_trick_is_refused(ground, command):
    is_refused(ground, forced(ground, command), "this builder")
    if command.strip(b" " if isinstance(command, bytes) else " "):
        assert login(ground, command).stdout == "" and ground.daemon.connections == []


cases.each(globals(), S2.items(), each_s2_trick_is_refused)


def test_s2_an_empty_command_is_no_protocol(ground):
    """Who asks for nothing is told who they are."""
    result = forced(ground, "")
    assert result.stdout.startswith("nix-gateway") and "oixd" not in result.stdout, str(result)


def each_s2_quoting_of_clients_is_understood(ground, command):
    """The refusals above are not for every command: a real one is served in every quoting that clients use."""
    result = forced(ground, command)
    assert result.stdout.startswith("oixd") and len(ground.daemon.connections) == 1, str(result)


cases.each(globals(), (("plain", WORKER), ("quoted", "'nix-daemon' '--stdio'"),
                       ("in_a_folder", "/opt/nix/bin/nix-daemon --stdio"), ("new_command", "nix daemon --stdio"),
                       ("escaped", "nix\\-daemon --stdio")), each_s2_quoting_of_clients_is_understood)

STORES = ("local", "local?root=/tmp/x", "'local?root=/tmp/x'", "daemon", "auto", "''", "unix:///tmp/x", "/tmp/x",
          "file:///tmp/x", "ssh-ng://elsewhere", "https://cache.example.org")


def each_s3_other_store_is_refused(ground, store):
    for command in (WORKER, "nix daemon --stdio", SERVE_WRITE, "nix-store --serve"):
        result = forced(ground, f"{command} --store {store}")
        said = "may not use another store (allowed: none)"
        (is_refused if "serve" in command else is_told)(ground, result, said)


cases.each(globals(), [(str(number), store) for number, store in enumerate(STORES, 1)], each_s3_other_store_is_refused)


def each_s3_store_at_another_place_is_refused(ground, command):
    is_refused(ground, forced(ground, command), "this builder")


cases.each(globals(), (("joined", "nix-daemon --stdio --store=local"), ("in_front", "nix-daemon --store local --stdio"),
                       ("before", "nix --store local daemon --stdio"), ("twice", "nix-daemon --stdio --store a --store b"),
                       ("without_a_value", "nix-daemon --stdio --store"), ("short", "nix-daemon --stdio -store local"),
                       ("of_info", "info --store local"), ("in_the_middle", "nix-store --serve --store local --write")),
           each_s3_store_at_another_place_is_refused)


def each_s8_sftp_is_refused(ground, command):
    """What sshd puts into SSH_ORIGINAL_COMMAND for the subsystem."""
    init = struct.pack(">IBI", 5, 1, 3)
    is_refused(ground, forced(ground, command, stdin=init), SERVED)
    assert login(ground, command, stdin=init).stdout == "" and ground.daemon.connections == []


cases.each(globals(), (("by_path", "/usr/lib/openssh/sftp-server"), ("by_another_path", "/usr/libexec/sftp-server -e"),
                       ("internal", "internal-sftp"), ("by_name", "sftp-server")), each_s8_sftp_is_refused)


# --- S6, S9: what is inherited ---

def fake_nix(ground, script):
    """A Nix of our own, started as nix-daemon --stdio."""
    folder = os.path.join(ground.folder, "fake")
    os.makedirs(folder, exist_ok=True)
    dump = os.path.join(ground.folder, "dump")
    if os.path.exists(dump):
        os.unlink(dump)
    for name in ("nix-daemon", "nix-store"):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n" + script.format(dump=dump) + "\n")
        os.chmod(path, 0o755)
    return folder, dump


def stdio_policy(ground, folder, relay="filter"):
    with open(ground.policy_path, "w", encoding="ascii") as file:
        file.write(f"[gateway]\nnix = {folder}\ndaemon = stdio\naudit = {ground.audit}\n"
                   f"[key alice]\nsystems = *\nfeatures = *\nrelay = {relay}\n")


def read(path):
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        return file.read()


def dumped(ground, dump, env):
    if os.path.exists(dump):
        os.unlink(dump)
    result = forced(ground, WORKER, env=env)
    assert os.path.exists(dump), str(result)
    return sorted(line for line in read(dump).splitlines() if not line.startswith(("PWD=", "_=", "OLDPWD=")))


def each_s6_variable_of_the_client_ends_here(ground, relay):
    """The daemon that we start is given the fixed list, whatever we were given."""
    folder, dump = fake_nix(ground, "/usr/bin/env > {dump}.new; mv {dump}.new {dump}")
    stdio_policy(ground, folder, relay)
    quiet = dumped(ground, dump, {})
    more = ("NIX_DAEMON_SOCKET_PATH", "_NIX_TRACE_BUILT_OUTPUTS", "NIX_USER_CONF_FILES", "GLIBC_TUNABLES", "TZ", "CDPATH",
            "SSH_USER_AUTH", "MALLOC_PERTURB_", "NIX_SSHOPTS", "LOCPATH", "DYLD_INSERT_LIBRARIES")
    loud = dumped(ground, dump, {**HOSTILE, **{name: "/elsewhere" for name in more}})
    assert quiet == loud, f"{quiet}\n{loud}"
    names = {line.split("=", 1)[0] for line in loud}
    assert names - {"NIX_SSL_CERT_FILE"} == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG"}, names


cases.each(globals(), (("with_filter", "filter"), ("with_exec", "exec")), each_s6_variable_of_the_client_ends_here)

LIST = "ls -l /proc/self/fd > {dump}.new; mv {dump}.new {dump}"


def each_s9_descriptor_of_another_ends_here(ground, relay):
    """Of what sshd or a careless parent left open nothing reaches the daemon."""
    folder, dump = fake_nix(ground, LIST)
    stdio_policy(ground, folder, relay)
    with open(os.path.join(ground.folder, "marker"), "w", encoding="ascii") as marker:
        left = [os.dup2(marker.fileno(), number) for number in (7, 63, 255, 1000)]
        result = forced(ground, WORKER, pass_fds=left + [marker.fileno()])
        for number in left:
            os.close(number)
    assert os.path.exists(dump), str(result)
    held = dict(line.split()[-3::2] for line in read(dump).splitlines() if " -> " in line)
    assert set(held) <= {"0", "1", "2", "3"} and held["1"] == f"{dump}.new", held
    assert not held.get("3") or held["3"].startswith("/proc/"), held    # what ls itself has opened


cases.each(globals(), (("with_filter", "filter"), ("with_exec", "exec")), each_s9_descriptor_of_another_ends_here)


def each_s9_session_holds_its_own_descriptors_alone(ground, kind):
    """Its own: the three, the daemon's socket, the audit file, and for serve a spool without a name."""
    marker = os.open(ground.policy_path, os.O_RDONLY)
    os.set_inheritable(marker, True)
    try:
        session = ground.worker(close_fds=False).enter() if kind == "worker" else ground.serve(close_fds=False).hello()
        if kind == "serve":
            session.valid()
    finally:
        os.close(marker)
    folder = f"/proc/{session.child.pid}/fd"
    held = {int(number): os.readlink(os.path.join(folder, number)) for number in os.listdir(folder)}
    more = sorted(what.split(":")[0] for number, what in held.items() if number > 2)
    wanted = [ground.audit, "socket"]
    if kind == "serve":
        spool = [what for what in more if what.startswith(("/tmp/", "/var/tmp/"))]
        assert len(spool) == 1 and spool[0].endswith("(deleted)"), held
        wanted += spool
    assert more == sorted(wanted), held


cases.each(globals(), (("worker", "worker"), ("serve", "serve")), each_s9_session_holds_its_own_descriptors_alone)


# --- S7 ---

def each_s7_terminal_is_refused(ground, which):
    """A terminal on either side changes bytes; nothing of the protocol is said to it."""
    ours, theirs = pty.openpty()
    try:
        instead = [theirs if end in which else None for end in ("in", "out")]
        for session in (ground.worker(instead=instead), ground.serve(instead=instead)):
            assert session.wait(10) == 1 and "a terminal would garble" in session.said(), session.said()
        os.set_blocking(ours, False)
        try:
            assert os.read(ours, 100) == b""
        except BlockingIOError:
            pass
    finally:
        os.close(ours)
        os.close(theirs)
    assert ground.daemon.connections == []


cases.each(globals(), (("as_stdin", ("in",)), ("as_stdout", ("out",)), ("as_both", ("in", "out"))),
           each_s7_terminal_is_refused)


# --- I1 to I5: who is calling ---

def public(name):
    """TYPE and blob of a key of the corpus."""
    kind, text = read(os.path.join(CORPUS, name + ".pub")).split()[:2]
    return kind, base64.b64decode(text)


FINGERPRINTS = dict(line.split() for line in read(os.path.join(CORPUS, "fingerprints")).splitlines())


def line_of(name):
    kind, blob = public(name)
    return f"publickey {kind} {base64.b64encode(blob).decode()}\n"


def auth_file(ground, content, mode=0o600):
    """What sshd writes for ExposeAuthInfo."""
    path = os.path.join(ground.folder, "auth")
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w", encoding="ascii") as file:
        file.write(content)
    os.chmod(path, mode)
    return path


def keys_policy(ground, *sections):
    """A policy of keys that are known by what sshd says of them."""
    ground.policy()
    text = read(ground.policy_path).split("[key alice]")[0]
    with open(ground.policy_path, "w", encoding="ascii") as file:
        file.write(text + "".join(f"[key {name}]\n{lines}\n" for name, lines in sections))


def as_caller(ground, path, key=None, command=WORKER):
    return forced(ground, command, key=key, env={} if path is None else {"SSH_USER_AUTH": path})


def is_taken_for(ground, path, name):
    result = as_caller(ground, path, command="info")
    assert f"key          {name}\n" in result.stdout, str(result)
    for connection in ground.daemon.connections:        # info asks the daemon how it is
        assert connection.ended.wait(2)
    ground.daemon.connections.clear()


BOB = ("bob", f"fingerprint = {FINGERPRINTS['ed25519']}")


def forge(ground, how):
    """A file that would make its reader bob, but for one thing."""
    path = auth_file(ground, line_of("ed25519"))
    other = os.path.join(ground.folder, "other")
    if os.path.lexists(other):
        os.unlink(other)
    if how == "link":
        os.symlink(path, other)
        return other
    if how == "second_name":
        os.link(path, other)
    elif how == "other_owner":
        os.chown(path, NOT_OURS, -1)
    elif how == "missing":
        return other
    elif how == "pipe":
        os.mkfifo(other, 0o600)
        return other
    elif how == "relative":
        return os.path.relpath(path, "/")
    elif how == "behind_a_file":
        return path + "/x"
    elif how.startswith("mode_"):
        os.chmod(path, int(how[5:], 8))
    return {"folder": ground.folder, "zeros": "/dev/zero", "nothing": "", "environment": "/proc/self/environ",
            "stdin": "/dev/stdin", "standard_input": "/proc/self/fd/0"}.get(how, path)


FORGED = ("link", "second_name", "other_owner", "missing", "pipe", "relative", "behind_a_file", "mode_644", "mode_640",
          "mode_700", "mode_400", "mode_4600", "mode_666", "folder", "zeros", "nothing", "environment", "stdin", "standard_input")


def each_i1_forged_file_is_refused(ground, how):
    keys_policy(ground, BOB)
    is_taken_for(ground, auth_file(ground, line_of("ed25519")), "bob")
    path = forge(ground, how)
    is_told(ground, as_caller(ground, path), "SSH_USER_AUTH")


def each_i1_forged_file_does_not_rename_a_key_of_the_forced_command(ground, how):
    keys_policy(ground, BOB, ("alice", ""))
    result = as_caller(ground, forge(ground, how), key="alice", command="info")
    assert "key          alice\n" in result.stdout, str(result)


cases.each(globals(), [(how, how) for how in FORGED], each_i1_forged_file_is_refused)
cases.each(globals(), [(how, how) for how in ("mode_644", "link", "whole")],
           each_i1_forged_file_does_not_rename_a_key_of_the_forced_command)


def test_i1_no_file_is_no_identity(ground):
    keys_policy(ground, BOB)
    is_told(ground, as_caller(ground, None), "ExposeAuthInfo")


def each_i2_key_gets_its_own_section(ground, name):
    others = [other for other in FINGERPRINTS if FINGERPRINTS[other] != FINGERPRINTS[name]]
    distinct = {FINGERPRINTS[other]: other for other in others}
    sections = [(f"k-{other}", f"fingerprint = {fingerprint}") for fingerprint, other in distinct.items()]
    keys_policy(ground, *sections, ("mine", f"fingerprint = {FINGERPRINTS[name]}"))
    is_taken_for(ground, auth_file(ground, line_of(name)), "mine")
    keys_policy(ground, *sections)
    result = as_caller(ground, auth_file(ground, line_of(name)))
    is_told(ground, result, f"this SSH key ({FINGERPRINTS[name]}) is not in this builder's policy")


cases.each(globals(), [(name, name) for name in FINGERPRINTS if name != "ed25519-host"], each_i2_key_gets_its_own_section)


def test_i2_a_fingerprint_that_is_nearly_right_is_another_key(ground):
    right = FINGERPRINTS["ed25519"]
    digits = right[len("SHA256:"):]
    near = [right[:-1] + ("A" if right[-1] != "A" else "E")]
    near += ["SHA256:" + digits[:at] + chr(ord(digits[at]) ^ 0x20) + digits[at + 1:] for at in range(len(digits) - 1)
             if digits[at].isalpha()]
    for number, fingerprint in enumerate(near):
        keys_policy(ground, ("bob", f"fingerprint = {fingerprint}"))
        result = as_caller(ground, auth_file(ground, line_of("ed25519")))
        is_told(ground, result, "is not in this builder's policy")
    assert number > 20


AUTHORITY = f"certificate-authority = {FINGERPRINTS['ca']}\n"
CARD = {"by_key_id": "key-id = alice@laptop", "by_principal": "principal = alice",
        "by_both": "key-id = alice@laptop\nprincipal = alice"}


def each_i3_certificate_of_another_authority_is_refused(ground, words):
    """The same key with the same words in its certificate; only who has signed it differs."""
    keys_policy(ground, ("alice", AUTHORITY + words))
    is_taken_for(ground, auth_file(ground, line_of("ed25519-cert-1")), "alice")
    result = as_caller(ground, auth_file(ground, line_of("ed25519-cert-ca-rsa")))
    is_told(ground, result, "is not in this builder's policy")


def each_i3_plain_key_is_no_certificate(ground, words):
    keys_policy(ground, ("alice", AUTHORITY + words))
    for name in ("ed25519", "ca", "ed25519-cert-0"):
        is_told(ground, as_caller(ground, auth_file(ground, line_of(name))), "is not in this builder's policy")


def test_i3_an_authority_whose_own_key_calls_is_not_what_it_has_signed(ground):
    keys_policy(ground, ("alice", AUTHORITY + "principal = alice"), ("ca", f"fingerprint = {FINGERPRINTS['ca']}"))
    is_taken_for(ground, auth_file(ground, line_of("ca")), "ca")
    is_taken_for(ground, auth_file(ground, line_of("ed25519-cert-1")), "alice")


cases.each(globals(), CARD.items(), each_i3_certificate_of_another_authority_is_refused)
cases.each(globals(), CARD.items(), each_i3_plain_key_is_no_certificate)

MANY = {
    "two_keys": line_of("ed25519") + line_of("rsa"), "the_same_twice": line_of("ed25519") * 2,
    "a_password_behind": line_of("ed25519") + "password\n", "a_password_before": "password\n" + line_of("ed25519"),
    "a_password_alone": "password\n", "keyboard": "keyboard-interactive/pam\n", "host": "hostbased ssh-ed25519 AAAA\n",
    "nothing": "", "an_empty_line_behind": line_of("ed25519") + "\n", "an_empty_line_before": "\n" + line_of("ed25519"),
    "no_newline": line_of("ed25519")[:-1], "a_return": line_of("ed25519")[:-1] + "\r\n",
    "a_nul": line_of("ed25519")[:-1] + "\0\n",
    "a_key_in_one_line_with_another": line_of("ed25519")[:-1] + " " + line_of("rsa"), "capitals": line_of("ed25519").upper(),
    "a_blank_in_front": " " + line_of("ed25519"), "another_kind": line_of("ed25519").replace("ssh-ed25519", "ssh-rsa"),
}


def each_i4_file_of_more_or_other_lines_is_refused(ground, content):
    keys_policy(ground, BOB)
    is_told(ground, as_caller(ground, auth_file(ground, content)), ": ")


cases.each(globals(), MANY.items(), each_i4_file_of_more_or_other_lines_is_refused)


def refused_blob(ground, kind, blob):
    text = f"publickey {kind} {base64.b64encode(blob).decode()}\n"
    result = as_caller(ground, auth_file(ground, text), command="info")
    is_refused(ground, result, "")
    return result


def each_i5_certificate_cut_at_any_byte_is_refused(ground, name):
    keys_policy(ground, ("alice", AUTHORITY + "principal = alice"), BOB)
    kind, blob = public(name)
    for cut in range(len(blob)):
        refused_blob(ground, kind, blob[:cut])


cases.each(globals(), [(name, name) for name in ("ed25519-cert-3", "sk-ecdsa-cert")],
           each_i5_certificate_cut_at_any_byte_is_refused)


def test_i5_a_certificate_whose_lengths_lie_is_refused(ground):
    keys_policy(ground, ("alice", AUTHORITY + "principal = alice"))
    kind, blob = public("ed25519-cert-1")
    for at in range(0, len(blob) - 4):
        if struct.unpack(">I", blob[at:at + 4])[0] > len(blob):
            continue            # no length
        for lie in (0xffffffff, 0x80000000, len(blob), len(blob) + 1):
            changed = blob[:at] + struct.pack(">I", lie) + blob[at + 4:]
            if changed == blob:
                continue
            text = f"publickey {kind} {base64.b64encode(changed).decode()}\n"
            result = as_caller(ground, auth_file(ground, text), command="info")
            assert result.status in (0, 1) and (result.status == 0) == ("key          alice" in result.stdout), str(result)
            for connection in ground.daemon.connections:
                connection.ended.wait(2)
            ground.daemon.connections.clear()


def test_i5_an_oversized_certificate_is_refused(ground):
    keys_policy(ground, ("alice", AUTHORITY + "principal = alice"))
    kind, blob = public("ed25519-cert-1")
    for more in (1, 1000, 48 * 1024, 1 << 20):
        refused_blob(ground, kind, blob + b"\0" * more)
        refused_blob(ground, kind, b"\0" * more + blob)
    name = struct.pack(">I", len(kind)) + kind.encode()
    refused_blob(ground, kind, name + struct.pack(">I", 40 * 1024) + b"n" * 40 * 1024 + blob[len(name):])


# --- I6 ---

def loosen(ground, how):
    """The policy as somebody else could change it. Gives the path to name."""
    folder, path = os.path.join(ground.folder, "open"), ground.policy_path
    os.makedirs(folder, exist_ok=True)
    inside = os.path.join(folder, "policy.ini")
    if os.path.lexists(inside):
        os.unlink(inside)
    if how.startswith("mode_"):
        os.chmod(path, int(how[5:], 8))
    elif how == "other_owner":
        os.chown(path, NOT_OURS, -1)
    elif how == "pipe":
        os.mkfifo(inside, 0o600)
        return inside
    elif how == "folder":
        return folder
    elif how == "device":
        return "/dev/zero"
    else:
        with open(inside, "w", encoding="ascii") as file:
            file.write(read(path))
        os.chown(folder, NOT_OURS if how.endswith("of_another") else 0, -1)
        modes = {"folder_of_a_group": 0o775, "folder_of_another": 0o755, "sticky_folder_of_another": 0o1777}
        os.chmod(folder, modes.get(how, 0o777))
        if how == "link_into_a_folder_of_all":
            os.unlink(path)
            os.symlink(inside, path)
            return path
        return inside
    return path


LOOSE = ("mode_666", "mode_646", "mode_622", "mode_664", "mode_602", "mode_777", "other_owner", "pipe", "folder", "device",
         "folder_of_all", "folder_of_a_group", "folder_of_another", "sticky_folder_of_another", "link_into_a_folder_of_all")


def each_i6_policy_that_others_can_write_is_refused(ground, how):
    kept = ground.policy_path
    try:
        ground.policy_path = loosen(ground, how)
        result = forced(ground, WORKER)
        is_told(ground, result, "policy does not load", status=2)
        assert "systems" not in result.text and ground.folder not in result.text, str(result)
    finally:
        ground.policy_path = kept
        if os.path.islink(kept) or os.stat(kept).st_uid != os.geteuid() or stat.S_IMODE(os.stat(kept).st_mode) != 0o644:
            os.unlink(kept)


cases.each(globals(), [(how, how) for how in LOOSE], each_i6_policy_that_others_can_write_is_refused)


if __name__ == "__main__":
    main(globals())
