"""Nix of newer Debian releases, from folders that tests/e2e/suites makes, run in place by chroot.

Nix that root starts gives its children the mounts it was started with, and that undoes a chroot: the ssh it calls is this
machine's own. The lab's folder has the same path on both sides, so that makes no difference."""
import os

import place

NAMES = ("trixie", "sid")
# What a program in there needs of the machine; the account files are the lab's copies by then.
SHARED = ("/proc", "/dev", "/etc/passwd", "/etc/group")


def folder(name):
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "nix-gateway", name)


def missing(name):
    """Why the suite cannot be used here; None where it can."""
    if not place.is_private():
        return "needs root and a mount namespace, to enter a newer Debian"
    if not os.path.exists(os.path.join(folder(name), "usr/bin/nix")):
        return f"no {name} here (tests/e2e/suites makes it)"
    if not os.path.exists(os.path.join(folder(name), "usr/bin/ssh")):
        return f"{name} has no ssh (tests/e2e/suites makes it anew)"
    return None


class Suite:
    """One release with the lab's folder at its own path in it. The mounts are private and end with the lab."""

    def __init__(self, name, lab_folder):
        self.name = name
        self.root = folder(name)
        for path in SHARED + (lab_folder,):
            inside = self.root + path
            if not os.path.exists(inside) and os.path.isdir(path):
                os.makedirs(inside)
            place.mount("--rbind", path, inside)

    def argv(self, words):
        return ["chroot", self.root] + list(words)
