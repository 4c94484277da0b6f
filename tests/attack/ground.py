"""Where the attacks take place: a folder that only we can write, a policy, a fake daemon, and the gateways of one test.

What no test may ever find holds for all of them and is looked at behind each: a gateway that crashed, one that does not
end when its client has left, and bytes upstream that no daemon could read.
"""
import json
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import cases
import fake_daemon
import lab as labs
import place
import process
import speaker

WORKER, SERVE, SERVE_WRITE = "nix-daemon --stdio", "nix-store --serve", "nix-store --serve --write"


class Ground:
    """Use it as `with Ground(GATEWAY) as ground`."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.daemon, self.sessions = None, []
        self.folder = None

    def __enter__(self):
        process.adopt_orphans()
        if place.is_private():
            self.folder = place.private_folder([self.gateway, HERE, sys.prefix, sys.base_prefix, os.getcwd()])
        else:
            self.folder = place.plain_folder()
        self.policy_path = os.path.join(self.folder, "policy.ini")
        self.audit = os.path.join(self.folder, "audit.jsonl")
        return self

    def __exit__(self, *_unused):
        self.leave()
        process.end_children()
        if self.folder and not place.is_private():
            labs.remove(self.folder)

    def leave(self):
        for session in self.sessions:
            session.kill()
        self.sessions = []
        if self.daemon:
            self.daemon.stop()

    def reset(self):
        """A new daemon that has not been started, the usual policy, no gateway, no record."""
        self.leave()
        if os.path.exists(self.audit):
            os.unlink(self.audit)
        self.daemon = fake_daemon.Daemon(os.path.join(self.folder, "socket"))
        self.policy()

    def policy(self, grant="", store="/nix/store"):
        """Writes the policy: one key, alice, with `grant` as the lines of her section."""
        text = (f"[gateway]\ndaemon = {self.daemon.path}\nstore-dir = {store}\naudit = {self.audit}\n"
                f"[default]\nsystems = *\nfeatures = *\n[key alice]\n{grant}\n")
        with open(self.policy_path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(self.policy_path, 0o644)

    def start(self, kind, command, **how):
        """A gateway, and the daemon where it is not running yet."""
        if self.daemon.listener is None:
            self.daemon.start()
        argv = [self.gateway, "serve", "--key", "alice", "--policy", self.policy_path]
        env = {"SSH_ORIGINAL_COMMAND": command, "PATH": "/usr/bin:/bin", "SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 22"}
        session = kind(argv, env, os.path.join(self.folder, f"log-{len(self.sessions)}"), **how)
        self.sessions.append(session)
        return session

    def worker(self, **how):
        return self.start(speaker.Worker, WORKER, **how)

    def serve(self, write=True, **how):
        return self.start(speaker.Serve, SERVE_WRITE if write else SERVE, **how)

    def records(self, event):
        """What is on record of this event, in the order in which it was written."""
        if not os.path.exists(self.audit):
            return []
        with open(self.audit, encoding="ascii") as file:
            return [record for record in map(json.loads, file) if record["event"] == event]

    def check(self):
        """Behind every test: the invariants."""
        for session in self.sessions:
            status = session.status if session.status is not None else session.end()
            assert status in (0, 1), f"a gateway ended with {status}: {session.said()}"
        faults = self.daemon.faults
        assert not faults, f"the daemon was sent what it cannot read: {faults}"

    def sshd_said(self):
        """What cases prints where a test failed."""
        return "".join(f"gateway: {session.said()}\n" for session in self.sessions[-2:])


def checked(test):
    def whole(ground):
        test(ground)
        ground.check()
    return whole


def main(names):
    """The body of every file here, as cases.main."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} NIX-GATEWAY [WORD...]")
    sys.argv[1] = os.path.abspath(sys.argv[1])
    place.enter()
    signal.signal(signal.SIGALRM, cases.on_alarm)
    signal.signal(signal.SIGTERM, cases.on_end)
    tests = cases.tests_of(names)
    print(f"1..{len(tests)}", flush=True)
    with Ground(sys.argv[1]) as ground:
        failed = [cases.run_one(ground, number, name, checked(test)) for number, (name, test) in enumerate(tests, 1)]
    sys.exit(1 if any(failed) else 0)
