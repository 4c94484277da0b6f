#!/usr/bin/env python3
"""`explain`: the verdict of the policy and the line that gives it, without a session and without a daemon."""
import os
import shutil

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(os.path.dirname(HERE), "corpus", "drv")

# The first line is line 1; the answers below name lines.
POLICY = """\
[default]
systems = x86_64-linux
features = big-parallel
[role tester]
features = big-parallel kvm nixos-test
[key alice]
[key bob]
role = tester
systems = *
derivations = input-addressed
[key carol]
operations = query download
[key dave]
expires = 2020-01-01
[key erin]
relay = exec
systems = *
features = *
[key *]
relaxations = *
"""
ADMIN = "; ask the builder's administrator"


def sample(name):
    """A derivation as Nix has written it, by the end of its file's name."""
    return next(os.path.join(SAMPLES, file) for file in sorted(os.listdir(SAMPLES)) if file.endswith(f"-{name}.drv"))


def explain(lab, key, *words, policy=POLICY):
    path = lab.file("explained.ini", policy)
    return lab.client.run([lab.gateway, "explain", "--policy", path, "--key", key, *words], limit=20)


def answers(lab, key, *words):
    """The status and the lines, with the policy's path as POLICY."""
    result = explain(lab, key, *words)
    assert result.stderr == "", str(result)
    return result.status, result.stdout.replace(os.path.join(lab.folder, "explained.ini"), "POLICY").splitlines()


def same(got, *expected):
    assert got == (expected[0], list(expected[1:])), f"{got}\nexpected {expected}"


def test_a_system_is_allowed_or_refused_by_its_line(lab):
    same(answers(lab, "alice", "--system", "x86_64-linux"), 0, "allowed: x86_64-linux (POLICY:2)")
    same(answers(lab, "bob", "--system=i686-linux"), 0, "allowed: i686-linux (POLICY:9)")
    same(answers(lab, "alice", "--system", "i686-linux"), 1,
         f"refused: alice may not build for 'i686-linux' (allowed: x86_64-linux){ADMIN} (POLICY:2)")
    same(answers(lab, "alice", "--system", "builtin"), 0, "allowed: builtin (by default)")


def test_each_feature_is_a_question_of_its_own(lab):
    same(answers(lab, "alice", "--feature", "big-parallel", "--feature", "kvm", "--system", "x86_64-linux"), 1,
         "allowed: x86_64-linux (POLICY:2)",
         "allowed: big-parallel (POLICY:3)",
         f"refused: alice may not use the feature 'kvm' (allowed: big-parallel){ADMIN} (POLICY:3)")
    same(answers(lab, "bob", "--feature", "kvm"), 0, "allowed: kvm (POLICY:5)")


def test_a_derivation_is_judged_from_its_file(lab):
    plain, structured, fixed = sample("bash-5.2"), sample("structured-1.0"), sample("hello-2.12.1.tar.gz")
    same(answers(lab, "alice", plain, fixed), 0, f"allowed: {plain} (POLICY:2)", f"allowed: {fixed} (POLICY:2)")
    same(answers(lab, "alice", structured), 1,
         f"refused: alice may not use the feature 'kvm' (allowed: big-parallel): {structured}{ADMIN} (POLICY:3)")
    same(answers(lab, "bob", structured), 0, f"allowed: {structured} (POLICY:9)")
    same(answers(lab, "bob", fixed), 1,
         f"refused: bob may not build fixed-output derivations (allowed: input-addressed): {fixed}{ADMIN} (POLICY:10)")


def test_what_no_line_allows_is_refused_by_none(lab):
    same(answers(lab, "alice", sample("floating")), 1,
         "refused: alice may not build content-addressed derivations (allowed: input-addressed fixed-output): "
         f"{sample('floating')}{ADMIN} (nothing in the policy allows it)")
    same(answers(lab, "alice", sample("nochroot")), 1,
         f"refused: alice may not relax the sandbox by 'no-chroot' (allowed: none): {sample('nochroot')}{ADMIN} "
         "(nothing in the policy allows it)")
    same(answers(lab, "*", sample("nochroot")), 0, f"allowed: {sample('nochroot')} (POLICY:2)")


def test_a_derivation_outside_a_store_has_the_name_of_its_file(lab):
    path = os.path.join(lab.folder, "bash-5.2.drv")
    shutil.copy(sample("bash-5.2"), path)
    same(answers(lab, "alice", path), 0, f"allowed: {path} (POLICY:2)")
    other = os.path.join(lab.folder, "other.drv")
    shutil.copy(sample("bash-5.2"), other)
    status, lines = answers(lab, "alice", other)
    assert status == 1 and lines[0].startswith("refused: alice may not build what cannot be judged"), lines


def test_what_is_no_derivation_is_refused(lab):
    path = lab.file("broken.drv", 'Derive([("out"')
    status, lines = answers(lab, "alice", path)
    assert status == 1 and len(lines) == 1, lines
    assert lines[0].startswith("refused: alice may not build what cannot be judged (allowed: derivations as Nix writes "
                               f"them): {path}: this derivation "), lines


def test_who_may_not_come_in_or_not_build_at_all_is_told_so(lab):
    same(answers(lab, "carol", "--system", "x86_64-linux"), 1,
         f"refused: carol may not build (allowed: query download){ADMIN} (POLICY:12)")
    same(answers(lab, "dave", "--system", "x86_64-linux"), 1, "refused: key 'dave' expired on 2020-01-01 (POLICY:14)")


def test_a_key_that_nothing_judges_is_told_so(lab):
    same(answers(lab, "erin", "--system", "x86_64-linux"), 0,
         "allowed: x86_64-linux, if the Nix daemon allows it: relay = exec judges nothing (POLICY:16)")


def test_foreign_bytes_are_escaped(lab):
    same(answers(lab, "bob", "--system", "a\x1b[2J%"), 0, "allowed: a\\x1b[2J\\x25 (POLICY:9)")


def test_what_cannot_be_answered_is_a_wrong_usage(lab):
    for key, words, said in (("alice", (), "explain needs a question"),
                             ("alice", ("--system", "a", "--system", "b"), "--system is given twice"),
                             ("alice", ("--feature",), "--feature needs a value"),
                             ("nobody", ("--system", "a"), "key 'nobody' is not in this builder's policy"),
                             ("alice", (os.path.join(lab.folder, "nothing.drv"),), "nothing.drv: No such file")):
        result = explain(lab, key, *words)
        assert result.status == 2 and result.stdout == "" and said in result.stderr, str(result)
    result = explain(lab, "alice", "--system", "a", policy="[key alice]\nsytems = *\n")
    assert result.status == 2 and "explained.ini:2: unknown setting 'sytems'" in result.stderr, str(result)
    result = lab.client.run([lab.gateway, "explain", "--system", "a"], limit=20)
    assert result.status == 2 and "--key NAME" in result.stderr, str(result)


def test_operations_are_listed_with_the_right_they_need(lab):
    result = lab.client.run([lab.gateway, "--list-operations"], limit=20)
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    rights = {(row[0], row[2].strip()): row[3].strip() for row in rows}
    assert result.status == 0 and rights["worker", "BuildPaths"] == "build", str(result)
    assert rights["worker", "AddToStore"] == "upload" and rights["worker", "CollectGarbage"] == "gc", str(result)
    assert {protocol for protocol, _ in rights} == {"worker", "serve"}, str(result)


if __name__ == "__main__":
    cases.main(globals())
