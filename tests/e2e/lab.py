"""The lab: a builder account behind a real sshd, a real Nix daemon, and a real client, all on this machine and all its
own. It leaves nothing behind, however it ends."""
import json
import os
import shutil
import sys

import nix
import place
import process
import suite
from sshd import Hosts, Key, Sshd

USUAL_POLICY = "/etc/nix-gateway/policy.ini"
HERE = os.path.dirname(os.path.abspath(__file__))


class Lab:
    """Use it as `with Lab(GATEWAY) as lab`. The program is copied in: the account may not be able to reach a build
    folder, and sshd runs a key command only from folders that are root's."""

    def __init__(self, gateway):
        self.gateway_source = os.path.abspath(gateway)
        if not os.access(self.gateway_source, os.X_OK):
            sys.exit(f"no program here: {gateway} (make builds it)")

    def __enter__(self):
        process.adopt_orphans()
        self.folder = None
        try:
            self.settle()
        except BaseException:
            self.__exit__()
            raise
        return self

    def settle(self):
        in_use = [self.gateway_source, HERE, sys.prefix, sys.base_prefix, os.getcwd(), suite.folder("x")]
        if place.is_private():
            self.folder = place.private_folder(in_use)
            place.cover_run(self.folder)
            self.owns_etc = place.cover_etc(self.folder)
            self.account = place.Account.add(self.folder)
        else:
            self.owns_etc = False
            self.folder = place.plain_folder()
            place.make_sshd_folder()
            self.account = place.Account.own()
        self.empty = self.make("empty")
        self.gateway = os.path.join(self.make("bin"), "nix-gateway")
        shutil.copy(self.gateway_source, self.gateway)
        os.chmod(self.gateway, 0o755)
        self.keys, self.suites, self.made = {}, {}, 0
        self.key_folder = self.make("keys", 0o700)
        self.hosts = Hosts(self.make("client"), self.account)
        self.server = Sshd(self.make("sshd"), self.account)
        self.store = os.path.join(self.folder, "store")
        self.daemon = nix.Daemon(self.make("daemon"), self.store)
        self.client = nix.Client(os.path.join(self.folder, "client"), self.store, self.hosts.path)
        self.audit = os.path.join(self.make("audit"), "audit.jsonl")
        self.policy_path = os.path.join(self.folder, "policy.ini")

    def make(self, name, mode=0o755):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        os.chmod(path, mode)
        return path

    def make_writable(self, name):
        """A folder that the builder account may write to."""
        path = self.make(name)
        os.chown(path, self.account.uid, self.account.gid)
        return path

    def __exit__(self, *_unused):
        process.end_children()
        if self.folder and not place.is_private():
            remove(self.folder)

    def reset(self):
        """What a test may count on: no sshd, no daemon, an empty audit file, bash as login shell and a bare home."""
        self.server.stop()
        self.daemon.stop()
        if self.account.private:
            self.account.shell("/bin/bash")
            for name in os.listdir(self.account.home):
                remove(os.path.join(self.account.home, name))
        if self.owns_etc and os.path.exists(USUAL_POLICY):
            os.unlink(USUAL_POLICY)
        with open(self.audit, "w", encoding="utf-8"):
            pass
        os.chown(self.audit, self.account.uid, self.account.gid)
        os.chmod(self.audit, 0o600)

    def file(self, path, text, mode=0o644):
        """Writes a file below the lab's folder (or the account's home) and returns its path."""
        whole = os.path.join(self.folder, path)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(whole, mode)
        return whole

    def key(self, name):
        if name not in self.keys:
            self.keys[name] = Key(self.key_folder, name)
        return self.keys[name]

    def suite(self, name):
        if name not in self.suites:
            self.suites[name] = suite.Suite(name, self.folder)
        return self.suites[name]

    def policy(self, text="[key *]\n", path=None, relay="exec", **gateway):
        """Writes a policy: [gateway] for this lab with the given settings in place of ours, [default], then `text`.
        Returns the file's path."""
        settings = {"nix": nix.programs_folder(), "daemon": self.daemon.socket, "store-dir": self.store,
                    "audit": self.audit}
        settings.update(gateway)
        head = "".join(f"{name} = {value}\n" for name, value in settings.items())
        return self.file(path or self.policy_path,
                         f"[gateway]\n{head}\n[default]\nsystems = *\nfeatures = *\nrelay = {relay}\n\n{text}")

    def usual_policy(self, text="[key *]\n"):
        """The same at the place where the program looks by itself; only where owns_etc."""
        folder = os.path.dirname(USUAL_POLICY)
        os.makedirs(folder, mode=0o755, exist_ok=True)
        return self.policy(text, path=USUAL_POLICY)

    def serve(self, more=""):
        """The forced command."""
        return f"{self.gateway} serve --policy {self.policy_path}{more}"

    def sshd(self, authorized_keys=None, force_command=None, path=None, variables=(), settings=(),
             send_env=()):
        """Starts sshd. `path` is what sshd puts into PATH: self.empty is a builder whose PATH lacks Nix, as on a Mac;
        `variables` it sets besides. Without `authorized_keys` every key made so far may log in."""
        if authorized_keys is None:
            authorized_keys = [key.line for key in self.keys.values()]
        lines = list(settings)
        variables = [f"PATH={self.empty if path is None else path}", *variables]
        lines.append("SetEnv " + " ".join(f'"{variable}"' for variable in variables))
        if force_command:
            lines.append(f"ForceCommand {force_command}")
        self.server.start(authorized_keys, lines)
        self.hosts.write(self.server.port, self.keys.values(), send_env)

    def sshd_said(self):
        return self.server.said()

    def ssh(self, key, *command, options=(), limit=60, env=None):
        """Plain ssh as the key's owner."""
        argv = [shutil.which("ssh"), "-F", self.hosts.path, *options, f"{key.name}.lab", *command]
        return self.client.run(argv, limit=limit, env=env)

    def ping(self, key, scheme="ssh-ng", **how):
        """`nix store ping`: opens a session and asks nothing."""
        return self.client.run(["nix", "store", "ping", "--store", f"{scheme}://{key.name}.lab"], **how)

    def machines(self, keys, scheme):
        """The machines file for these keys, the first one preferred."""
        speeds = range(len(keys), 0, -1)
        return " ; ".join(f"{scheme}://{key.name}.lab {own_system()} {key.path} 1 {speed}"
                          for key, speed in zip(keys, speeds))

    def build(self, *keys, scheme="ssh-ng", expression=None, builders=None, **how):
        """A build that only the given builders can do. A new derivation each time."""
        self.made += 1
        builders = builders or self.machines(keys, scheme)
        expression = expression or nix.derivation(f"thing-{self.made}")
        argv = ["nix-build", "--no-out-link", "--max-jobs", "0", "--builders", builders, "--expr", expression]
        return self.client.run(argv, **how)

    def built_path(self, result):
        """The store path that a build has printed; its own words where it failed."""
        assert result.status == 0, str(result)
        return result.stdout.strip().splitlines()[-1]

    def built(self, result):
        """What the build's output says, once it is in the client's store."""
        with open(self.client.where(self.built_path(result)), encoding="utf-8") as out:
            return out.read().strip()

    def records(self):
        """The audit file, one parsed record a line."""
        with open(self.audit, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def own_system():
    """This machine in Nix's words."""
    machine, system = os.uname().machine, os.uname().sysname.lower()
    return f"{'aarch64' if machine == 'arm64' else machine}-{system}"


def remove(path):
    """Removes a folder; store paths are read-only, so that is undone first."""
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o700)
    shutil.rmtree(path)
