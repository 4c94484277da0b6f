"""The ground on which both are measured: one sshd, one daemon, and a key for each forced command."""
import glob
import os
import shutil

import nix
import place
from lab import remove
from process import Server, run
from speaker import Speaker

REQUEST = "nix-daemon --stdio"
POLICY = """\
[gateway]
nix = {nix}
daemon = {socket}
store-dir = {store}
audit = {audit}

[default]
systems = *
features = *
relay = filter
trust = full

"""


class Side:
    """One of the two forced commands: `argv` is the program that sshd starts for the key."""

    def __init__(self, ground, name, argv):
        self.ground, self.name, self.argv = ground, name, argv
        self.key = ground.lab.key(name)
        self.line = f'restrict,command="{" ".join(argv)}" {self.key.line}'
        self.control = os.path.join(ground.lab.folder, f"mux-{name}")
        self.master = None

    def over_ssh(self):
        return Speaker(self.ssh(), self.ground.lab.client.env)

    def ssh(self, *options):
        return [shutil.which("ssh"), "-F", self.ground.lab.hosts.path, *options, f"{self.key.name}.lab", REQUEST]

    def over_open_connection(self):
        """The same over a connection that is up already: what is left is sshd's part for one more command, and ours."""
        if self.master is None:
            argv = self.ssh("-M", "-N", "-S", self.control)[:-1]
            self.master = Server(argv, self.ground.lab.client.env, self.control + ".log")
            self.master.wait_for(lambda: os.path.exists(self.control))
        return Speaker(self.ssh("-S", self.control), self.ground.lab.client.env)

    def direct(self):
        return self.ground.direct(self.argv)

    def processes(self):
        """Process ids of the sessions that run now, where the system has a /proc to say it."""
        found = set()
        for folder in glob.glob("/proc/[0-9]*"):
            try:
                with open(folder + "/cmdline", "rb") as file:
                    words = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
                if words[:len(self.argv)] == self.argv:
                    found.add(int(os.path.basename(folder)))
            except OSError:
                continue
        return found


class Ground:
    """A lab made ready for the daemon of this machine's Nix or of a newer Debian's."""

    def __init__(self, lab, suite_name=None):
        self.lab = lab
        self.suite = lab.suite(suite_name) if suite_name else None
        lab.reset()
        self.start_daemon()
        self.write_policy(lab.policy_path)
        variables = {name: value for name, value in lab.daemon.env.items() if name.startswith("NIX_")}
        variables.update(NIX_REMOTE="daemon", PATH=lab.daemon.env["PATH"])
        self.env = dict(variables, HOME=lab.account.home, USER=lab.account.name, LANG="C.UTF-8",
                        SSH_ORIGINAL_COMMAND=REQUEST)
        self.gateway = Side(self, "gateway", lab.serve().split())
        self.plain = Side(self, "plain", self.plain_command())
        self.sides = (self.gateway, self.plain)
        lab.sshd(authorized_keys=[side.line for side in self.sides], path=variables.pop("PATH"),
                 variables=[f"{name}={value}" for name, value in variables.items()])

    def plain_command(self):
        """A newer Nix runs in place, by its own loader: the account may not chroot."""
        if self.suite is None:
            return REQUEST.split()
        root = os.path.join(self.lab.folder, self.suite.name)
        if not os.path.exists(root):
            os.mkdir(root)
            place.mount("--bind", self.suite.root, root)
        libraries = glob.glob(f"{root}/usr/lib/*-linux-gnu*")[0]
        loader = glob.glob(f"{libraries}/ld-linux*.so.*")[0]
        return [loader, "--library-path", libraries, "--argv0", "nix-daemon", f"{root}/usr/bin/nix-daemon", "--stdio"]

    def direct(self, argv):
        """A program by itself, as the account, without sshd."""
        account = self.lab.account
        how = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.private else {}
        return Speaker(argv, self.env, **how)

    def title(self):
        argv = self.suite.argv(["nix-daemon", "--version"]) if self.suite else ["nix-daemon", "--version"]
        return f"daemon: {run(argv, limit=20).stdout.strip()}, {self.suite.name if self.suite else 'this machine'}"

    def write_policy(self, path, more="[key *]\n"):
        settings = POLICY.format(nix=nix.programs_folder(), socket=self.lab.daemon.socket, store=self.lab.store,
                                 audit=self.lab.audit)
        return self.lab.file(path, settings + more)

    def start_daemon(self):
        """The account is trusted: unsigned paths must be taken from the plain command too."""
        self.lab.daemon.start(trusted=f"root {self.lab.account.name}", suite=self.suite)

    def empty_builder(self):
        daemon = self.lab.daemon
        daemon.stop()
        empty(daemon.store)
        empty(os.path.join(daemon.folder, "state"))
        self.start_daemon()

    def empty_client(self):
        empty(self.lab.client.real)
        empty(os.path.join(self.lab.client.folder, "state"))

    def fill_builder(self, entries):
        self.empty_builder()
        with self.plain.direct() as speaker:
            speaker.greet()
            add(speaker, entries)

    def fill_client(self, entries):
        """By this machine's Nix itself, which needs no daemon for its own store."""
        self.empty_client()
        with Speaker(REQUEST.split(), self.lab.client.env) as speaker:
            speaker.greet()
            add(speaker, entries)

    def nix_copy(self, side, *words):
        argv = ["nix", "copy", "--no-check-sigs", *words]
        result = self.lab.client.run([word.replace("BUILDER", f"ssh-ng://{side.key.name}.lab") for word in argv],
                                     limit=170)
        if result.status != 0:
            raise RuntimeError(result.stderr.strip()[-300:])

    def close(self):
        for side in self.sides:
            if side.master:
                side.master.stop()
                side.master = None
        self.lab.reset()


def add(speaker, entries):
    if len(entries) == 1:
        speaker.upload(entries[0])
    else:
        speaker.upload_many(entries)


def empty(folder):
    remove(folder)
    os.mkdir(folder)
    os.chmod(folder, 0o755)
