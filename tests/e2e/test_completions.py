#!/usr/bin/env python3
"""What the shells offer behind `nix-gateway`: asked of the shells themselves, and compared with what --help says."""
import os
import pty
import re
import select
import shutil
import signal
import time

import cases
import process

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(os.path.dirname(os.path.dirname(HERE)), "packaging", "completions")
# Here ^T puts all that may stand into the line, and the function prints what the shell then makes of the line, so that
# quoting and word breaks are those of a real one.
FUNCTION = "nix-gateway() { printf '<%s>' \"$@\"; echo; }\n"
BASH = FUNCTION + "bind '\"\\C-t\": insert-completions'\n"
ZSH = FUNCTION + r"""autoload -Uz compinit; compinit -D -u; bindkey -e
autoload -Uz _nix-gateway; compdef _nix-gateway nix-gateway
all() { _main_complete; compstate[insert]=all compstate[list]= }
zle -C all complete-word all; bindkey '^T' all
"""


def file_of(shell):
    return os.path.join(FOLDER, f"nix-gateway.{shell}")


def shell_path(name):
    path = shutil.which(name)
    cases.need(path, f"no {name} here")
    return path


class Terminal:
    """A shell on a terminal of its own, ended by its process id."""

    def __init__(self, argv):
        env = {"PATH": "/usr/bin:/bin", "TERM": "dumb", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execve(argv[0], argv, env)

    def __enter__(self):
        return self

    def __exit__(self, *_unused):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.terminal)

    def say(self, text, until, limit=20):
        """Types the text; returns what is shown until the pattern is, which the typed text itself must not match."""
        os.write(self.terminal, text.encode())
        shown, deadline = "", time.monotonic() + limit
        while not re.search(until, shown):
            assert time.monotonic() < deadline, shown
            if select.select([self.terminal], [], [], 0.2)[0]:
                shown += os.read(self.terminal, 65536).decode("utf-8", "replace")
        return shown

    def offered(self, line):
        """The words that may stand at the end of the line."""
        shown = self.say(line + "\x14 end\n", "<end>\r?\n")
        words = re.findall("<([^>]*)>", re.search("(<.*)<end>", shown).group(1))
        return set(words[len(line.split()) - (1 if line.endswith(" ") else 2):])


def bash():
    terminal = Terminal([shell_path("bash"), "--norc", "--noprofile", "-i"])
    terminal.say(f"{BASH}source {file_of('bash')}\necho re''ady\n", "ready\r?\n")
    return terminal


def zsh(lab):
    """zsh loads completions by the names of their files."""
    argv = [shell_path("zsh"), "-f", "-i"]
    folder = os.path.join(lab.folder, "zsh")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        shutil.copy(file_of("zsh"), os.path.join(folder, "_nix-gateway"))
    terminal = Terminal(argv)
    terminal.say(f"fpath=({folder} $fpath)\n{ZSH}echo re''ady\n", "ready\r?\n")
    return terminal


class Fish:
    """fish says by itself what it would offer."""

    def __init__(self):
        self.path = shell_path("fish")

    def __enter__(self):
        return self

    def __exit__(self, *_unused):
        pass

    def offered(self, line):
        script = 'source "$argv[1]"; complete -C "$argv[2]"'
        said = process.run([self.path, "--no-config", "-c", script, file_of("fish"), line], limit=20,
                           env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
        assert said.status == 0 and said.stderr == "", str(said)
        return {row.split("\t")[0] for row in said.stdout.splitlines()}


def named_by_help(lab):
    """Command -> its options, as --help prints them."""
    said = process.run([lab.gateway, "--help"], limit=20).stdout.replace("\n      ", " ")
    rows = [line.split() for line in said.splitlines() if re.match("  [a-z-]", line)]
    return {words[0]: {word.strip("[].") for word in words[1:] if word.startswith(("--", "[--"))} for words in rows}


def policy(lab):
    return lab.file("names.ini", "[default]\n[key *]\n[key alice]\n[role al]\n[key al.b+c]\n[key bob]\n")


def offers_what_help_says(lab, shell):
    commands = named_by_help(lab)
    assert {"serve", "check", "explain", "--help", "-c"} <= set(commands) and "--key" in commands["explain"], commands
    with shell:
        words = shell.offered("nix-gateway ") | shell.offered("nix-gateway -") | shell.offered("nix-gateway --")
        assert set(commands) <= words, f"{set(commands) - words} is not offered: {words}"
        for command, options in commands.items():
            words = shell.offered(f"nix-gateway {command} --") if options else set()
            assert options <= words, f"{command}: {options - words} is not offered: {words}"


def offers_the_keys(lab, shell):
    with shell:
        line = f"nix-gateway explain --policy {policy(lab)} --key "
        assert shell.offered(line) == {"*", "alice", "al.b+c", "bob"}, shell.offered(line)
        assert shell.offered(line + "al") == {"alice", "al.b+c"}, shell.offered(line + "al")


def test_bash_offers_what_help_says(lab):
    offers_what_help_says(lab, bash())


def test_bash_offers_the_keys_of_the_policy(lab):
    offers_the_keys(lab, bash())


def test_bash_offers_the_keys_behind_an_equals_sign(lab):
    with bash() as shell:
        words = shell.offered(f"nix-gateway explain --policy={policy(lab)} --key=b")
        assert words == {"--key=bob"}, words


def test_bash_offers_derivations_to_explain(lab):
    lab.file("a.drv", "")
    lab.file("b.txt", "")
    with bash() as shell:
        words = shell.offered(f"nix-gateway explain --key bob {lab.folder}/")
        assert f"{lab.folder}/a.drv" in words and f"{lab.folder}/b.txt" not in words, words


def test_zsh_offers_what_help_says(lab):
    offers_what_help_says(lab, zsh(lab))


def test_zsh_offers_the_keys_of_the_policy(lab):
    offers_the_keys(lab, zsh(lab))


def test_fish_offers_what_help_says(lab):
    offers_what_help_says(lab, Fish())


def test_fish_offers_the_keys_of_the_policy(lab):
    offers_the_keys(lab, Fish())


if __name__ == "__main__":
    cases.main(globals())
