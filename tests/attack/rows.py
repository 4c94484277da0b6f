"""Where the rows are tried that any daemon has a part in: the fake one, which shows what was kept from it, and the real ones
of this machine's Nix and of two newer releases; each with a builder account in its trusted-users and with one that is not."""
import functools
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import cases
import fake_daemon
import speaker
import suite
import wire

FAKE, OWN = "fake", "own"
REAL = (("this_machines_daemon", OWN),) + tuple((f"the_daemon_of_{name}", name) for name in suite.NAMES)
ANY = (("the_fake_daemon", FAKE),) + REAL
ACCOUNTS = (("untrusted", False), ("trusted", True))
COMMANDS = {speaker.Worker: "nix-daemon --stdio", speaker.Serve: "nix-store --serve --write"}


class Spot:
    """A builder that is attacked: its daemon, its policy and its gateways. `with Spot(lab, daemon, trusted) as spot`."""

    def __init__(self, lab, daemon, trusted):
        self.lab, self.trusted = lab, trusted
        self.sessions, self.fake = [], None
        wire.STORE = lab.store          # every path of a test is one of this store
        if daemon == FAKE:
            self.socket = os.path.join(lab.folder, "fake-socket")
            self.fake = fake_daemon.Daemon(self.socket).start()
            self.fake.trust = 1 if trusted else 2
            os.chmod(self.socket, 0o666)
        else:
            newer = cases.need_suite(lab, None if daemon == OWN else daemon)
            lab.daemon.start(trusted=f"root {lab.account.name}" if trusted else "root", suite=newer)
            self.socket = lab.daemon.socket
        self.policy()

    def __enter__(self):
        return self

    def __exit__(self, fault, *_unused):
        ended = []
        for session in self.sessions:
            if not fault:
                ended.append(session.status if session.status is not None else session.end())
            session.kill()
        if self.fake:
            self.fake.stop()
            assert fault or not self.fake.faults, f"the daemon was sent what it cannot read: {self.fake.faults}"
        assert all(status in (0, 1) for status in ended), f"gateways ended with {ended}"

    def policy(self, grant=""):
        """One key, alice, with `grant` as the lines of her section."""
        self.lab.policy(f"[key alice]\n{grant}\n", relay="filter", daemon=self.socket)

    def start(self, kind, **how):
        """A gateway, run by the builder account."""
        account = self.lab.account
        become = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"] if account.private else []
        argv = become + [self.lab.gateway, "serve", "--key", "alice", "--policy", self.lab.policy_path]
        env = {"SSH_ORIGINAL_COMMAND": COMMANDS[kind], "PATH": "/usr/bin:/bin", "SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 22"}
        self.sessions.append(kind(argv, env, os.path.join(self.lab.folder, f"log-{len(self.sessions)}"), **how))
        return self.sessions[-1]

    def worker(self, **how):
        return self.start(speaker.Worker, **how)

    def serve(self, **how):
        return self.start(speaker.Serve, **how)

    def is_untouched(self):
        """Not one byte went up behind the handshakes; a real daemon at least works as before."""
        greeting = wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3
        for connection in self.fake.connections if self.fake else ():
            assert greeting.startswith(bytes(connection.received)), (connection.requests, bytes(connection.received))
        self.is_well()

    def is_well(self):
        """The next session is served."""
        session = self.worker().enter()
        assert session.is_valid(f"{wire.STORE}/{'0' * 32}-nothing") == 0
        assert session.end() == 0
        if self.fake:
            self.fake.connections.remove(self.fake.connections[-1])

    def records(self, event):
        return [record for record in self.lab.records() if record["event"] == event]




def each(names, daemons, variants=(("", None),)):
    """A decorator: one test of each daemon, account and variant. The test is called with a Spot, and with the variant's
    value where there are variants."""
    def make(test):
        @functools.wraps(test)
        def whole(lab, case):
            daemon, trusted, value = case
            with Spot(lab, daemon, trusted) as spot:
                test(spot) if variants == (("", None),) else test(spot, value)
        labels = [("_".join(filter(None, (label, "with", name, "and_the", account, "account"))), (daemon, trusted, value))
                  for label, value in variants for name, daemon in daemons for account, trusted in ACCOUNTS]
        cases.each(names, labels, whole)
        return test
    return make
