#!/usr/bin/env python3
"""packaging/darwin/set-up, with stand-ins for what only macOS has: dscl with a folder for its directory, dseditgroup,
uname. And the formula, as far as it can be read without Homebrew."""
import os
import re
import shutil
import stat

import process
import workbench
from cases import need

SET_UP = os.path.join(workbench.ROOT, "packaging", "darwin", "set-up")
FORMULA = os.path.join(workbench.ROOT, "packaging", "darwin", "nix-gateway.rb")
PROGRAM = "/opt/nix-gateway/bin/nix-gateway"

DSCL = """#!/bin/sh
# dscl . -create RECORD KEY VALUE | -read RECORD [KEY] | -list FOLDER KEY
record=$DIRECTORY$3
case $2 in
-create) mkdir -p "$record"; printf '%s\\n' "$5" >"$record/$4" ;;
-read) [ -d "$record" ] || exit 56; [ $# -lt 4 ] || echo "$4: $(cat "$record/$4")" ;;
-list) for entry in "$record"/*; do echo "${entry##*/}  $(cat "$entry/$4")"; done ;;
esac
"""


class Mac:
    """A folder that looks like a Mac to the script, and what the script did in it."""

    def __init__(self, at, account=None):
        need(os.geteuid() == 0, "needs root, for files that are root's")
        self.at, self.root = at, at.path("mac")
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(os.path.join(self.root, "etc/ssh/sshd_config.d"))
        at.file("mac/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*\n")
        at.file("mac/bin/dscl", DSCL, 0o755)
        at.file("mac/bin/uname", "#!/bin/sh\necho Darwin\n", 0o755)
        at.file("mac/bin/dseditgroup", '#!/bin/sh\necho "$*" >>"$DIRECTORY/edits"\n', 0o755)
        for name, number in (("root", 0), ("_other", 300), *(((account, 502),) if account else ())):
            at.file(f"mac/ds/Users/{name}/UniqueID", f"{number}\n")
            at.file(f"mac/ds/Users/{name}/UserShell", "/bin/zsh\n")
        at.file("mac/ds/Groups/_mine/PrimaryGroupID", "301\n")
        at.file("mac/ds/Groups/com.apple.access_ssh/PrimaryGroupID", "399\n")

    def set_up(self, *words):
        env = dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}", DIRECTORY=f"{self.root}/ds")
        return process.run([SET_UP, self.at.gateway, *words], env=dict(env, DESTDIR=self.root), limit=30)

    def read(self, *names):
        with open(os.path.join(self.root, *names), encoding="utf-8") as file:
            return file.read().strip()

    def user(self, name):
        folder = os.path.join(self.root, "ds/Users", name)
        return {key: self.read("ds/Users", name, key) for key in os.listdir(folder)}


def test_a_new_account_has_the_program_as_shell_and_nothing_of_its_own(at):
    mac = Mac(at)
    made = mac.set_up()
    assert made.status == 0, str(made)
    assert mac.user("builder") == {
        "UniqueID": "302", "PrimaryGroupID": "302", "RealName": "Nix builds of others", "Password": "*",
        "IsHidden": "1", "NFSHomeDirectory": "/var/empty", "UserShell": PROGRAM}, mac.user("builder")
    assert mac.read("ds/Groups/builder/PrimaryGroupID") == "302"
    assert mac.read("ds/edits") == "-o edit -a builder -t user com.apple.access_ssh"


def test_the_program_and_its_files_are_root_s(at):
    mac = Mac(at)
    assert mac.set_up().status == 0
    for name, mode in ((PROGRAM, 0o755), ("/opt/nix-gateway/bin", 0o755), ("/etc/nix-gateway", 0o755),
                       ("/etc/nix-gateway/policy.ini", 0o644), ("/etc/nix-gateway/authorized_keys", 0o644)):
        state = os.stat(mac.root + name)
        assert (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (0, 0, mode), name
    assert os.listdir(mac.root + "/opt/nix-gateway/bin") == ["nix-gateway"]


def test_sshd_is_told_the_account_and_the_copy(at):
    mac = Mac(at)
    assert mac.set_up("guests").status == 0
    text = mac.read("etc/ssh/sshd_config.d/200-nix-gateway.conf")
    assert re.search(r"^Match User guests$", text, re.MULTILINE) and "builder\n" not in text, text
    assert f"\tForceCommand {PROGRAM} serve\n" in text and "/usr/local" not in text, text


def test_an_account_that_is_there_keeps_its_shell(at):
    mac = Mac(at, "guests")
    made = mac.set_up("guests")
    assert made.status == 0 and mac.user("guests") == {"UniqueID": "502", "UserShell": "/bin/zsh"}, str(made)
    assert f"dscl . -change /Users/guests UserShell /bin/zsh {PROGRAM}" in made.stdout, str(made)


def test_a_second_run_changes_nothing_but_the_program(at):
    mac = Mac(at)
    assert mac.set_up().status == 0
    before = mac.user("builder")
    at.file("mac/etc/nix-gateway/policy.ini", "; ours\n")
    at.file(f"mac{PROGRAM}", "old", 0o755)
    made = mac.set_up()
    assert made.status == 0 and mac.user("builder") == before and mac.read("etc/nix-gateway/policy.ini") == "; ours"
    assert os.path.getsize(mac.root + PROGRAM) == os.path.getsize(at.gateway) and "keeps" not in made.stdout


def test_a_folder_that_is_there_keeps_its_group_and_mode(at):
    mac = Mac(at)
    folder = os.path.join(mac.root, "etc/nix-gateway")
    os.mkdir(folder)
    os.chown(folder, 0, 302)
    os.chmod(folder, 0o750)
    assert mac.set_up().status == 0
    state = os.stat(folder)
    assert (state.st_gid, stat.S_IMODE(state.st_mode)) == (302, 0o750), state


def test_a_folder_that_others_can_write_is_refused(at):
    for name, mode, owner in (("opt", 0o775, 0), ("opt/nix-gateway/bin", 0o757, 0), ("etc/nix-gateway", 0o755, 1)):
        mac = Mac(at)
        folder = os.path.join(mac.root, name)
        os.makedirs(folder)
        os.chmod(folder, mode)
        os.chown(folder, owner, 0)
        made = mac.set_up()
        assert made.status == 1 and f"/{name} can be written by others" in made.stderr, str(made)
        assert not os.path.exists(mac.root + PROGRAM) and not os.path.exists(f"{mac.root}/ds/Users/builder")


def test_what_cannot_be_done_is_refused_before_anything_is(at):
    mac = Mac(at)
    for words, sentence in ((["../root"], "no name for an account"), (["-x"], "no name for an account")):
        made = mac.set_up(*words)
        assert made.status == 1 and sentence in made.stderr, str(made)
    at.file("mac/etc/ssh/sshd_config", "# Include /etc/ssh/sshd_config.d/*\n")
    made = mac.set_up()
    assert made.status == 1 and "does not include" in made.stderr, str(made)
    assert not os.path.exists(mac.root + "/opt") and not os.path.exists(f"{mac.root}/ds/Users/builder")


def test_the_formula_names_what_is_in_the_tree(at):
    with open(FORMULA, encoding="utf-8") as file:
        text = file.read()
    for path in re.findall(r'install ((?:"[a-z/]+",? ?)+)', text):
        for name in re.findall(r'"([^"]+)"', path):
            assert os.path.isdir(os.path.join(workbench.ROOT, name)), name
    with open(os.path.join(workbench.ROOT, "Makefile"), encoding="utf-8") as file:
        makefile = file.read()
    for variable in re.findall(r'"([A-Z]+)=#', text):
        assert re.search(rf"^{variable}\s*=", makefile, re.MULTILINE), variable
    ruby = shutil.which("ruby")
    if ruby:
        made = workbench.run([ruby, "-c", FORMULA])
        assert made.status == 0, str(made)
    # Its own test, done by hand.
    fault = at.file("fault.ini", "[key *]\nsistems = *\n")
    made = workbench.run([at.gateway, "check", "--policy", fault])
    assert made.status == 1 and "fault.ini:2:" in made.stdout, str(made)


if __name__ == "__main__":
    workbench.main(globals())
