#!/usr/bin/env python3
"""Faulty policy files: `check` points at the line, and a session under such a file is refused and does not hang.

Each file of policies/bad begins with the fault it is about: `; expect LINE: TEXT`. What is a matter of the file and not
of its text (owner, mode, links) is made here.
"""
import glob
import os
import re

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXPECT = re.compile(rb"^; expect (\d+): (.*)$")


def check(lab, path):
    return lab.client.run([lab.gateway, "check", "--policy", path], limit=20)


def place(lab, source):
    """A copy of the file where only root (or we) can write."""
    target = os.path.join(lab.folder, "judged.ini")
    with open(source, "rb") as file:
        octets = file.read()
    if os.path.lexists(target):
        os.unlink(target)
    with open(target, "wb") as file:
        file.write(octets)
    os.chmod(target, 0o644)
    return target


def expected(source):
    with open(source, "rb") as file:
        match = EXPECT.match(file.readline().rstrip(b"\r\n"))
    assert match, f"{source} does not begin with '; expect LINE: TEXT'"
    return int(match.group(1)), match.group(2).decode()


def refused(lab, path):
    """A session under the policy ends readably in both protocols."""
    key = lab.key("alice")
    lab.sshd(force_command=f"{lab.gateway} serve --policy {path}")
    for result in (lab.ping(key, limit=20), lab.ssh(key, "nix-store", "--serve", "--write", limit=20)):
        assert result.status not in (0, 255), str(result)
        assert "nix-gateway: this builder's policy does not load" in result.text, str(result)


def each_fault_is_named_with_its_line(lab, source):
    line, text = expected(source)
    path = place(lab, source)
    result = check(lab, path)
    assert result.status == 1, str(result)
    assert any(found.startswith(f"{path}:{line}: ") and text in found for found in result.stdout.splitlines()), \
        f"no '{path}:{line}: …{text}…' in\n{result}"
    assert all(re.match(re.escape(path) + r":\d+: .", found) for found in result.stdout.splitlines()), str(result)


def each_session_is_refused_under(lab, source):
    refused(lab, place(lab, source))


def each_accepted(lab, source):
    """No fault. Of a very wide grant check warns, which is no fault."""
    path = place(lab, source)
    result = check(lab, path)
    assert (result.status, result.stdout) == (0, ""), str(result)
    warning = re.compile(re.escape(path) + r":\d+: warning: .")
    assert all(warning.match(line) for line in result.stderr.splitlines()), str(result)


def each_shipped_policy_accepted_in_silence(lab, source):
    result = check(lab, place(lab, source))
    assert (result.status, result.text) == (0, ""), str(result)


def named(pattern):
    """Test labels and files, by a pattern from the project's root."""
    found = sorted(glob.glob(os.path.join(ROOT, pattern)))
    return [(re.sub(r"\W+", "_", os.path.basename(path)[:-len(".ini")]), path) for path in found]


BAD = named("tests/e2e/policies/bad/*.ini")
cases.each(globals(), BAD, each_fault_is_named_with_its_line)
cases.each(globals(), BAD, each_session_is_refused_under)
cases.each(globals(), named("policy/examples/*.ini") + named("tests/e2e/policies/good/*.ini"), each_accepted)
cases.each(globals(), named("policy/examples/policy.ini"), each_shipped_policy_accepted_in_silence)


def test_there_are_bad_policies_for_every_fault(_lab):
    assert len(BAD) >= 25, f"only {len(BAD)}"


def sound(lab, name="sound.ini"):
    return lab.policy("[key *]\n", path=os.path.join(lab.folder, name))


def unsound(lab, path):
    """Refused in sessions by anyone; by check where root runs it, who alone judges owner and mode."""
    if os.geteuid() == 0:
        result = check(lab, path)
        assert result.status == 1 and result.stdout.startswith(f"{path}:1: "), str(result)
    refused(lab, path)


def test_a_policy_that_others_can_write_is_refused(lab):
    path = sound(lab)
    os.chmod(path, 0o646)
    unsound(lab, path)


def test_a_policy_that_its_group_can_write_is_refused(lab):
    path = sound(lab)
    os.chmod(path, 0o664)
    unsound(lab, path)


def test_a_policy_in_a_folder_that_others_can_write_is_refused(lab):
    folder = lab.make("open")
    os.chmod(folder, 0o777)
    unsound(lab, sound(lab, "open/policy.ini"))


def test_a_policy_of_another_owner_is_refused(lab):
    cases.need_account(lab)
    path = sound(lab)
    os.chown(path, lab.account.uid, lab.account.gid)
    unsound(lab, path)


def test_a_link_to_a_policy_that_others_can_write_is_refused(lab):
    path = sound(lab, "target.ini")
    os.chmod(path, 0o666)
    link = os.path.join(lab.folder, "link.ini")
    os.symlink(path, link)
    unsound(lab, link)


def test_a_link_to_a_sound_policy_is_followed(lab):
    path = sound(lab, "target-2.ini")
    link = os.path.join(lab.folder, "link-2.ini")
    os.symlink(path, link)
    assert check(lab, link).status == 0
    lab.daemon.start()
    key = lab.key("alice")
    lab.sshd(force_command=f"{lab.gateway} serve --policy {link}")
    assert lab.ping(key).status == 0


def test_a_folder_a_pipe_and_nothing_are_no_policies(lab):
    pipe = os.path.join(lab.folder, "pipe")
    os.mkfifo(pipe)
    for path in (lab.empty, pipe, os.path.join(lab.folder, "nothing")):
        result = check(lab, path)
        assert result.status == 1 and result.stdout.startswith(f"{path}:1: "), str(result)
        refused(lab, path)


if __name__ == "__main__":
    cases.main(globals())
