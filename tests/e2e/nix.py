"""Real Nix on both ends: a daemon with a store of its own, and a client with another store of the same name.

Store paths hold the store's folder, so both ends must call it alike. The daemon's store is really there, for builds
write to the path as it is named. The client never builds: its store only goes by that name (`real=` says where it is).
"""
import contextlib
import glob
import os
import shutil
import subprocess

from process import Server, kill_group, run

SETTINGS = """\
sandbox = false
substituters =
build-users-group =
experimental-features = nix-command
max-jobs = 2
cores = 1
require-sigs = {require_sigs}
trusted-users = {trusted}
"""


def program(name):
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"no {name} here: install Nix (on Debian the package nix-bin)")
    return path


def programs_folder():
    """The folder that holds Nix's programs, as a policy's `nix =` wants it: absolute, and no link on the way."""
    return os.path.dirname(os.path.abspath(program("nix-daemon")))


def listens(pid, path):
    """Whether this process listens there: from bind() to listen() connections are refused. A probing one would count."""
    if not os.path.exists("/proc/net/unix"):
        return os.path.exists(path)
    held = set()
    for end in glob.glob(f"/proc/{pid}/fd/*"):
        with contextlib.suppress(FileNotFoundError):
            held.add(os.readlink(end))
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as sockets:
        return any(fields[3] == "00010000" and f"socket:[{fields[6]}]" in held and fields[7:] == [path]
                   for fields in map(str.split, sockets))


def write_settings(folder, trusted, require_sigs, more=""):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "nix.conf"), "w", encoding="utf-8") as file:
        file.write(SETTINGS.format(trusted=trusted, require_sigs=require_sigs) + more)


def places(folder, store):
    """The variables that move all of Nix's state into `folder`."""
    return {
        "NIX_STORE_DIR": store,
        "NIX_STATE_DIR": os.path.join(folder, "state"),
        "NIX_LOG_DIR": os.path.join(folder, "log"),
        "NIX_CONF_DIR": os.path.join(folder, "conf"),
        "NIX_USER_CONF_FILES": "",
        "HOME": os.path.join(folder, "home"),
        "PATH": programs_folder() + ":/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
    }


class Daemon:
    """The builder's Nix: daemon, socket and store."""

    def __init__(self, folder, store):
        self.folder = folder
        self.store = store
        self.socket = os.path.join(folder, "socket")
        self.env = dict(places(folder, store), NIX_DAEMON_SOCKET_PATH=self.socket)
        self.server = None
        for name in ("state", "log", "home"):
            os.makedirs(os.path.join(folder, name))
        os.makedirs(store)

    def start(self, trusted="root", suite=None, settings=""):
        """Starts the daemon anew; `trusted` are its trusted-users, `suite` a newer Debian whose Nix is to be used,
        `settings` whole lines of nix.conf, which win."""
        self.stop()
        write_settings(os.path.join(self.folder, "conf"), trusted, "true", settings)
        argv = suite.argv(["nix-daemon"]) if suite else [program("nix-daemon")]
        self.server = Server(argv, self.env, os.path.join(self.folder, "daemon.log"))
        self.server.wait_for(lambda: listens(self.server.child.pid, self.socket))

    def said(self):
        return self.server.said() if self.server else ""

    def stop(self):
        if self.server:
            self.server.stop()
            self.server = None
        if os.path.exists(self.socket):
            os.unlink(self.socket)


class Client:
    """The client's Nix: a store that it fills from the builder, and ssh through the lab's own configuration."""

    def __init__(self, folder, store, ssh_config):
        self.folder = folder
        self.store = store
        self.real = os.path.join(folder, "store")
        for name in ("state", "log", "home"):
            os.makedirs(os.path.join(folder, name))
        os.makedirs(self.real)
        write_settings(os.path.join(folder, "conf"), "root", "false")
        self.env = dict(places(folder, store), NIX_SSHOPTS=f"-F {ssh_config}", NIX_REMOTE=f"local?real={self.real}")

    def run(self, argv, suite=None, limit=60, env=None):
        words = suite.argv(argv) if suite else argv
        return run(words, env=dict(self.env, **(env or {})), limit=limit)

    def start(self, argv, suite=None):
        """A program that is left running, in a session of its own; end() it."""
        words = suite.argv(argv) if suite else argv
        return subprocess.Popen(words, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, start_new_session=True)

    @staticmethod
    def end(children):
        """Ends what start() has started, with the ssh below it, as when somebody pulls the plug."""
        for child in children:
            kill_group(child.pid)
            child.wait()
            child.stdout.close()

    def build_here(self, expression, *words, limit=60):
        """Builds on the client itself, unsigned; needs root. Builders write to the path as it is named, so the client's
        store is put in its place for them, in a mount namespace of their own."""
        script = f'mount --bind "{self.real}" "{self.store}" && exec nix-build --no-out-link "$@"'
        env = dict(self.env, NIX_REMOTE="local")
        result = run(["unshare", "--mount", "sh", "-c", script, "sh", *words, "--expr", expression], env=env, limit=limit)
        assert result.status == 0, str(result)
        return result.stdout.strip().splitlines()[-1]

    def where(self, path):
        """Where the store path of the client really is."""
        return path.replace(self.store, self.real, 1)


def derivation(name, text="built", inputs="", system="builtins.currentSystem"):
    """The expression of a derivation that needs no other package: /bin/sh writes one line to a file."""
    return (f'derivation {{ name = "{name}"; system = {system}; builder = "/bin/sh"; {inputs} '
            f'args = [ "-c" "echo {text} > $out" ]; }}')
