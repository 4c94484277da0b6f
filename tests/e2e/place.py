"""Where the lab stands: as root in mount and process namespaces of its own, so that nothing of it can be left behind.

As root the test program starts itself again under unshare(1). There, an empty folder of the system gets a file system
in memory, and copies of /etc/passwd and its companions with the builder account stand in front of the real files. The
machine's own files are never written, and the last process gone, all of it is gone. An ordinary user gets a folder
under home instead, and is the builder account.
"""
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile

INSIDE = "NIX_GATEWAY_LAB_NAMESPACE"
# With a process namespace the kernel ends whatever is left; where that is not permitted a mount namespace has to do.
UNSHARE = (
    ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"],
    ["unshare", "--mount", "--propagation", "private"],
)
SPOTS = ("/srv", "/mnt", "/media", "/opt")
ACCOUNT = "builder"


def enter():
    """Starts this program again inside namespaces, once, where that is possible. Returns otherwise."""
    if os.geteuid() != 0 or INSIDE in os.environ or not sys.platform.startswith("linux"):
        return
    for wrap in UNSHARE:
        probe = wrap + ["sh", "-c", "mount -t tmpfs none /mnt"]
        try:
            if subprocess.run(probe, capture_output=True, timeout=20).returncode != 0:
                continue
        except (OSError, subprocess.TimeoutExpired):
            continue
        os.environ[INSIDE] = "yes"
        os.execvp(wrap[0], wrap + [sys.executable] + sys.argv)


def is_private():
    return os.environ.get(INSIDE) == "yes"


def mount(*words):
    subprocess.run(["mount", *words], check=True, capture_output=True, timeout=20)


def private_folder(in_use):
    """A file system of our own over a system folder that nobody needs: paths there are short, and root's alone."""
    free = [spot for spot in SPOTS if os.path.isdir(spot) and os.stat(spot).st_uid == 0
            and not any(os.path.realpath(path).startswith(spot + "/") for path in in_use)]
    free.sort(key=lambda spot: len(os.listdir(spot)))
    if not free:
        raise RuntimeError(f"none of {' '.join(SPOTS)} can be mounted over")
    mount("-t", "tmpfs", "-o", "mode=755", "lab", free[0])
    return free[0]


def is_guarded(path):
    """Nobody but root and us can write the folder or those above it: else the gateway rightly refuses a policy in it."""
    while True:
        state = os.stat(path)
        if state.st_uid not in (0, os.geteuid()) or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


def plain_folder():
    """A new folder of an ordinary user; a short path, for a socket's name holds about a hundred bytes."""
    home = os.path.realpath(pwd.getpwuid(os.geteuid()).pw_dir)
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    for parent in (os.path.join(cache, "nix-gateway"), home):
        try:
            os.makedirs(parent, mode=0o755, exist_ok=True)
        except OSError:
            continue
        if is_guarded(os.path.realpath(parent)) and os.access(parent, os.W_OK):
            return tempfile.mkdtemp(prefix="lab", dir=os.path.realpath(parent))
    raise RuntimeError(f"no folder under {home} that only its owner can write")


class Account:
    """The builder account as the lab's sshd sees it. `private` says that its shell and home are ours to choose."""

    def __init__(self, name, uid, gid, home, private):
        self.name, self.uid, self.gid, self.home, self.private = name, uid, gid, home, private

    @staticmethod
    def own():
        entry = pwd.getpwuid(os.geteuid())
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, False)

    @staticmethod
    def add(folder):
        """Adds the account to copies of the account files and puts these in front of the real ones."""
        number = free_number()
        account = Account(ACCOUNT, number, number, os.path.join(folder, "home"), True)
        os.makedirs(account.home)
        os.chown(account.home, number, number)
        account.copies = {}
        for name in ("passwd", "group", "shadow"):
            account.copies[name] = os.path.join(folder, name)
            shutil.copy(f"/etc/{name}", account.copies[name])
        os.chmod(account.copies["shadow"], 0o600)
        append(account.copies["group"], f"{ACCOUNT}:x:{number}:\n")
        append(account.copies["shadow"], f"{ACCOUNT}:*:19000:0:99999:7:::\n")
        with open(account.copies["passwd"], encoding="utf-8") as passwd:
            account.others = passwd.read()
        account.shell("/bin/bash")
        for name, copy in account.copies.items():
            mount("--bind", copy, f"/etc/{name}")
        return account

    def shell(self, path):
        """Gives the account another login shell. The file is written in place: the mount in front is of this very file."""
        with open(self.copies["passwd"], "w", encoding="utf-8") as passwd:
            passwd.write(self.others + f"{self.name}:x:{self.uid}:{self.gid}::{self.home}:{path}\n")


def free_number():
    taken = {entry.pw_uid for entry in pwd.getpwall()} | {entry.pw_gid for entry in pwd.getpwall()}
    return next(number for number in range(64100, 64900) if number not in taken)


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def cover_etc(folder):
    """A layer over /etc that takes all writing, for the policy at its usual place. False where that is not permitted."""
    layer, work = os.path.join(folder, "etc"), os.path.join(folder, "etc-work")
    os.mkdir(layer)
    os.mkdir(work)
    try:
        mount("-t", "overlay", "-o", f"lowerdir=/etc,upperdir={layer},workdir={work}", "etc", "/etc")
    except subprocess.CalledProcessError:
        return False
    return True


SSHD_FOLDER = "/run/sshd"


def lacks_sshd_folder():
    """Debian's sshd, run by root, wants an empty folder that only its service makes."""
    return os.geteuid() == 0 and os.path.exists("/etc/debian_version") and not os.path.isdir(SSHD_FOLDER)


def cover_run(folder):
    """Where sshd's folder is missing, a /run of our own with the folder in it: a real sshd that starts in this moment
    finds its own undisturbed."""
    if lacks_sshd_folder():
        own_run(folder)
        os.mkdir(SSHD_FOLDER, 0o755)


def own_run(folder):
    """A /run in front of the real one, once: what is made in it is gone with the lab."""
    real = os.path.join(folder, "run")
    if os.path.isdir(real):
        return
    os.mkdir(real)
    mount("--bind", "/run", real)
    mount("-t", "tmpfs", "-o", "mode=755", "run", "/run")
    for name in os.listdir(real):
        os.symlink(os.path.join(real, name), os.path.join("/run", name))


def make_sshd_folder():
    """The same where namespaces are not permitted, as in a container. It stays, empty, until the container's end, as it
    does behind Debian's own start script: other labs may be using it."""
    if lacks_sshd_folder():
        os.makedirs(SSHD_FOLDER, mode=0o755, exist_ok=True)
