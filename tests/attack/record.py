#!/usr/bin/env python3
"""Records whole sessions between real clients and real daemons through the gateway, for tests/corpus/session: what the
client said and what the daemon said, as the gateway read them. To be run again whenever the gateway asks the daemon other
questions than before, for then the recorded answers are none to them.

  record.py NIX-GATEWAY [own|trixie|sid...]
"""
import glob
import hashlib
import json
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

import cases
import grants
import lab as labs
import pairs
import place

CORPUS = os.path.join(os.path.dirname(HERE), "corpus", "session")
LARGEST = 64 * 1024             # bytes of one side; what is longer is no use as a seed


def everybodys_python():
    """Ours may lie in a home that the builder account cannot enter."""
    return next(path for path in ("/usr/bin/python3", "/usr/local/bin/python3", sys.executable) if os.path.exists(path))


class Recorder:
    """A lab whose forced command is the tee. Each kept session becomes NAME.client, NAME.daemon and a line of the index."""

    def __init__(self, lab, release):
        self.lab, self.release = lab, release
        self.suite = None if release == "own" else cases.need_suite(lab, release)
        self.folder = lab.make_writable(f"tee-{release}")
        self.tee = os.path.join(lab.folder, "bin", "tee.py")
        shutil.copy(os.path.join(HERE, "tee.py"), self.tee)
        self.index = []

    def builder(self, grant="", trusted=False, scheme="ssh-ng"):
        lab, self.grant = self.lab, grant
        lab.reset()
        names = grants.in_trusted_users(lab) if trusted else "root"
        lab.daemon.start(trusted=names, suite=self.suite)
        os.chmod(lab.daemon.socket, 0o666)
        lab.policy(f"[key alice]\n{grant}\n", relay="filter", daemon=os.path.join(self.folder, "socket"))
        self.key = lab.key("alice")
        lab.sshd(force_command=f"{everybodys_python()} {self.tee} {self.folder} {lab.daemon.socket} "
                               f"{lab.serve(' --key alice')}")
        self.url = f"{scheme}://{self.key.name}.lab"

    def keep(self, name, result=None, fails=False):
        """Moves what was recorded since the last call to the corpus."""
        if result is not None:
            assert (result.status != 0) == fails, str(result)
        self.await_ends()
        found = sorted(glob.glob(os.path.join(self.folder, "*.json")), key=lambda path: int(os.path.basename(path)[:-5]))
        for number, path in enumerate(found, 1):
            self.keep_one(path[:-5], f"{self.release}-{name}" + (f"-{number}" if number > 1 else ""))
        for path in glob.glob(os.path.join(self.folder, "*.*")):
            os.unlink(path)

    def await_ends(self, limit=10):
        """The client is done before its gateway is."""
        until = time.monotonic() + limit
        while len(glob.glob(os.path.join(self.folder, "*.client"))) > len(glob.glob(os.path.join(self.folder, "*.json"))):
            assert time.monotonic() < until, "a gateway does not end"
            time.sleep(0.02)

    def keep_one(self, stem, name):
        sides = {kind: read(f"{stem}.{kind}") for kind in ("client", "daemon", "answer")}
        if not sides["daemon"] or max(map(len, sides.values())) > LARGEST:
            print(f"{name}: not kept, {[len(side) for side in sides.values()]} bytes", flush=True)
            return
        for kind in ("client", "daemon"):
            with open(os.path.join(CORPUS, f"{name}.{kind}"), "wb") as file:
                file.write(sides[kind])
        told = json.loads(read(f"{stem}.json"))
        self.index.append({"name": name, "command": told["command"], "status": told["status"], "grant": self.grant,
                           "store": self.lab.store, "answer-bytes": len(sides["answer"]),
                           "answer-sha256": hashlib.sha256(sides["answer"]).hexdigest()})
        print(f"{name}: {len(sides['client'])} and {len(sides['daemon'])} bytes", flush=True)

    def run(self, *argv, **how):
        return self.lab.client.run(list(argv), suite=self.suite, **how)

    def build(self, expression, **how):
        return self.lab.build(self.key, expression=expression, suite=self.suite, **how)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def small_closure(recorder):
    """A text that refers to a folder."""
    lab = recorder.lab
    tree = lab.make(f"tree-{recorder.release}")
    for name, content in (("plain", "content\n"), ("a blank", "x" * 1000)):
        lab.file(os.path.join(tree, name), content)
    lab.file(os.path.join(tree, "program"), "#!/bin/sh\n", 0o755)
    os.symlink("plain", os.path.join(tree, "link"))
    name = f"tree-{recorder.release}"
    result = recorder.run("nix-instantiate", "--eval", "--strict", "--read-write-mode", "--expr",
                          f'builtins.toFile "outer" "${{builtins.path {{ path = {tree}; name = "{name}"; }}}}"')
    assert result.status == 0, str(result)
    return result.stdout.strip().strip('"')


def over_ssh_ng(recorder):
    older = recorder.release == "own"
    recorder.builder("trust = full" if older else "", trusted=older)
    recorder.keep("ping", recorder.run("nix", "store", "ping", "--store", recorder.url))
    path = small_closure(recorder)
    recorder.keep("copy-up", recorder.run("nix", "copy", "--to", recorder.url, path))
    recorder.keep("copy-up-again", recorder.run("nix", "copy", "--to", recorder.url, path))
    recorder.keep("path-info", recorder.run("nix", "path-info", "-r", "--store", recorder.url, path))
    there = second_client(recorder)
    recorder.keep("copy-down", there.run(["nix", "copy", "--no-check-sigs", "--from", recorder.url, path],
                                         suite=recorder.suite))
    recorder.keep("hook-build", recorder.build(tree_expression()))
    recorder.keep("failing-build", recorder.build(grants.derivation("broken", "echo a line of the log; exit 3")), fails=True)
    recorder.keep("refused-build", recorder.build(grants.derivation("wide", __noChroot='"1"')), fails=True)
    recorder.keep("store-build", recorder.run("nix", "build", "--impure", "--no-link", "--store", recorder.url,
                                              "--eval-store", recorder.lab.client.env["NIX_REMOTE"], "--expr",
                                              grants.derivation("there")))
    recorder.keep("log", recorder.run("nix", "log", "--store", recorder.url, path), fails=True)
    recorder.keep("collect-garbage", recorder.run("nix", "store", "gc", "--store", recorder.url), fails=True)


def over_ssh(recorder):
    recorder.builder("trust = full", trusted=True, scheme="ssh")
    host = recorder.url.split("//")[1]
    path = small_closure_again(recorder)
    recorder.keep("serve-copy-up", recorder.run("nix-copy-closure", "--to", host, path))
    there = second_client(recorder)
    recorder.keep("serve-copy-down", there.run(["nix-copy-closure", "--from", host, path], suite=recorder.suite))
    recorder.keep("serve-build", recorder.build(tree_expression(), scheme="ssh"))
    recorder.keep("serve-failing-build", recorder.build(grants.derivation("broken", "echo a line; exit 3"), scheme="ssh"),
                  fails=True)


def small_closure_again(recorder):
    result = recorder.run("nix-instantiate", "--eval", "--strict", "--read-write-mode", "--expr",
                          f'builtins.toFile "second" "${{builtins.toFile "first-{recorder.release}" "the first"}}"')
    assert result.status == 0, str(result)
    return result.stdout.strip().strip('"')


def second_client(recorder):
    return pairs.second_client(recorder.lab)


def tree_expression():
    """A derivation with an input that is one too."""
    inner = grants.derivation("inner", "echo inside > $out")
    return grants.derivation("outer", "read a < $inner; echo $a and outside > $out", inner=f"({inner})")


def write_index(kept):
    """Sessions of releases that were not recorded now stay."""
    path = os.path.join(CORPUS, "index.json")
    old = json.loads(read(path)) if os.path.exists(path) else []
    names = {entry["name"].split("-")[0] for entry in kept}
    lines = [json.dumps(entry, sort_keys=True) for entry in
             sorted([entry for entry in old if entry["name"].split("-")[0] not in names] + kept,
                    key=lambda entry: entry["name"])]
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.argv[1] = os.path.abspath(sys.argv[1])
    place.enter()
    os.makedirs(CORPUS, exist_ok=True)
    with labs.Lab(sys.argv[1]) as lab:
        for release in sys.argv[2:] or ("own", "trixie", "sid"):
            for old in glob.glob(os.path.join(CORPUS, f"{release}-*")):
                os.unlink(old)
            recorder = Recorder(lab, release)
            over_ssh_ng(recorder)
            over_ssh(recorder)
            write_index(recorder.index)


if __name__ == "__main__":
    main()
