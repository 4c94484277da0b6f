"""A workbench for tests that need no account, sshd or daemon: a folder that is gone afterwards, and the program.

As in tests/e2e a test is a function `test_...(at)`, its name the behaviour; its line of TAP comes from there too."""
import os
import shutil
import signal
import sys
import tempfile

import cases
import process

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEST_SECONDS = 600      # a compiler that is started for the first time makes itself a C library


class Workbench:
    def __init__(self, gateway):
        self.gateway = gateway
        self.build = os.path.dirname(gateway)

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="nix-gateway-workbench")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self):
        pass

    def sshd_said(self):
        return ""

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def file(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path


def run(argv, **more):
    return process.run(argv, env=dict(os.environ), limit=TEST_SECONDS - 10, **more)


def main(names):
    """The body of every test file: `FILE GATEWAY [WORD...]` runs the tests whose names hold one of the words."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} NIX-GATEWAY [WORD...]")
    cases.TEST_SECONDS = TEST_SECONDS
    signal.signal(signal.SIGALRM, cases.on_alarm)
    signal.signal(signal.SIGTERM, cases.on_end)
    tests = cases.tests_of(names)
    print(f"1..{len(tests)}", flush=True)
    with Workbench(os.path.abspath(sys.argv[1])) as at:
        failed = [cases.run_one(at, number, name, test) for number, (name, test) in enumerate(tests, 1)]
    sys.exit(1 if any(failed) else 0)
