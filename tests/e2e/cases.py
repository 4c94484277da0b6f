"""Runs the test functions of one file and prints TAP: `ok`, `not ok` or `ok # SKIP`, one line a test, the plan first.

A test is a function `test_...(lab)`; its name is the behaviour. It has a time limit of its own, so that a hang is a
failure with a name.
"""
import os
import signal
import sys
import traceback

import place
import suite
from lab import Lab

TEST_SECONDS = 90


class Skip(Exception):
    """This machine cannot show what the test is about; the reason is printed and counted."""


class OutOfTime(Exception):
    pass


def need(condition, reason):
    if not condition:
        raise Skip(reason)


def need_account(lab):
    need(lab.account.private, "needs root and a mount namespace, for an account of its own")


def need_etc(lab):
    need(lab.owns_etc, "needs root and a mount namespace, for a policy in /etc")


def need_suite(lab, name):
    """A client of a newer Debian; None stands for this machine's own Nix."""
    if name is None:
        return None
    why_not = suite.missing(name)
    need(why_not is None, why_not)
    return lab.suite(name)


def each(names, variants, test):
    """Makes one test function per variant: `test_x(lab)` for `test_x_with_VARIANT`, so that each is counted by name."""
    for label, value in variants:
        def one(lab, value=value):
            test(lab, value)
        names[f"{test.__name__.replace('each_', 'test_', 1)}_{label}"] = one


# The clients that a behaviour is shown with, for each().
CLIENTS = (("with_this_machines_nix", None),) + tuple((f"with_the_nix_of_{name}", name) for name in suite.NAMES)


def on_alarm(_number, _frame):
    raise OutOfTime(f"the test took more than {TEST_SECONDS} s")


def on_end(number, _frame):
    sys.exit(128 + number)


def tests_of(names):
    found = [(name, test) for name, test in names.items() if name.startswith("test_") and callable(test)]
    wanted = sys.argv[2:]
    return [(name, test) for name, test in found if not wanted or any(word in name for word in wanted)]


def run_one(lab, number, name, test):
    """One test and its line. Returns whether it failed."""
    title = f"{number} - {name[len('test_'):].replace('_', ' ')}"
    signal.alarm(TEST_SECONDS)
    try:
        lab.reset()
        test(lab)
        line, failed = f"ok {title}", False
    except Skip as skip:
        line, failed = f"ok {title} # SKIP {skip}", False
    except PermissionError as denied:
        # What a test itself may not do, and it is no fault of the program's: who is root may do it.
        failed = os.geteuid() == 0
        line = f"not ok {title}\n{comment(traceback.format_exc())}" if failed else f"ok {title} # SKIP needs root: {denied}"
    except Exception:
        line, failed = f"not ok {title}\n{comment(traceback.format_exc())}{comment(lab.sshd_said())}", True
    finally:
        signal.alarm(0)
    print(line, flush=True)
    return failed


def comment(text):
    return "".join(f"# {line}\n" for line in text.splitlines())


def main(names):
    """The body of every test file: `FILE GATEWAY [WORD...]` runs the tests whose names hold one of the words."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} NIX-GATEWAY [WORD...]")
    sys.argv[1] = os.path.abspath(sys.argv[1])
    place.enter()
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, on_end)
    tests = tests_of(names)
    print(f"1..{len(tests)}", flush=True)
    with Lab(sys.argv[1]) as lab:
        failed = [run_one(lab, number, name, test) for number, (name, test) in enumerate(tests, 1)]
    sys.exit(1 if any(failed) else 0)
