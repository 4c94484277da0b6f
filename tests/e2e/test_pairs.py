#!/usr/bin/env python3
"""Clients of three releases on daemons of the same three, over both schemes, all through the filter: whatever such a pair
can do without us, it does with us.

What it cannot do even without us, and is therefore not here:
  nix log --store ssh-ng:// or ssh://         neither protocol has an operation that reads a log
  nix build --store ssh://                    clients cannot read a derivation over it ("operation 'getFSAccessor' is not
                                              supported"), and refuse it together with --eval-store
"""
import json
import os
import signal
import subprocess

import cases
import grants
import pairs
import process

FULL = "[key *]\ntrust = full\n"


def needs_trust(client, scheme):
    """Older clients, and all over ssh://, say themselves what a derivation comes to, and upload what nobody signed."""
    return scheme == "ssh" or client is None


def builder(lab, client, daemon, scheme, trusted=False, more="", **how):
    full = needs_trust(client, scheme)
    key = lab.key("alice")
    names = grants.in_trusted_users(lab) if trusted or full else "root"
    grants.filtered(lab, (FULL if full else "[key *]\n") + more, trusted=names, daemon=daemon, **how)
    return key, f"{scheme}://{key.name}.lab"


def fine(result):
    assert result.status == 0, str(result)
    return result


# --- what a pair does in one go ---

def says_who_it_is(lab, suite, url, trusted):
    result = fine(lab.client.run(["nix", "store", "ping", "--store", url], suite=suite))
    if suite and url.startswith("ssh-ng"):
        assert f"Trusted: {int(trusted)}" in result.text, str(result)


def copies_both_ways(lab, suite, url):
    path, tree = pairs.source_closure(lab.client, pairs.make_tree(lab), suite)
    host = url.split("//")[1]
    plain = url.startswith("ssh:")
    fine(lab.client.run(["nix-copy-closure", "--to", host, path] if plain else ["nix", "copy", "--to", url, path],
                        suite=suite))
    assert pairs.shape(tree) == pairs.shape(lab.client.where(tree)), tree
    assert grants.read(path) == tree
    other = pairs.second_client(lab)
    fine(other.run(["nix-copy-closure", "--from", host, path] if plain else ["nix", "copy", "--from", url, path],
                   suite=suite))
    assert pairs.shape(other.where(tree)) == pairs.shape(tree), tree
    result = fine(lab.client.run(["nix", "path-info", "-r", "--store", url, path], suite=suite))
    assert sorted(result.stdout.split()) == sorted([path, tree]), str(result)


def builds(lab, suite, key, scheme):
    result = lab.build(key, scheme=scheme, expression=pairs.tree_expression(), suite=suite)
    path = lab.built_path(result)
    assert pairs.shape(lab.client.where(path)) == pairs.BUILT_TREE, path
    assert any(record["outcome"] == "built" and record["drv"].endswith(".drv")
               for record in grants.events(lab, "build")), lab.records()


def builds_in_the_builders_store(lab, suite, url):
    expression = grants.derivation("there", "echo there > $out")
    result = fine(lab.client.run(grants.build_there(lab, url, expression), suite=suite))
    out = json.loads(result.stdout)[0]["outputs"]["out"]
    assert grants.read(out) == "there" and not os.path.exists(lab.client.where(out)), str(result)


def fails_with_its_log(lab, suite, key, scheme):
    expression = grants.derivation("broken", "echo a line of the log; exit 3")
    result = lab.build(key, scheme=scheme, expression=expression, suite=suite)
    assert result.status != 0 and "a line of the log" in result.text, str(result)
    assert "failed with exit code 3" in result.text, str(result)


def shows_the_log(lab, suite, key, scheme):
    """Of a build on the builder the client keeps the log."""
    expression = grants.derivation("logged", "echo a line to keep; echo done > $out")
    drv = grants.instantiated(lab, expression, suite=suite)
    fine(lab.build(key, scheme=scheme, expression=expression, suite=suite))
    result = fine(lab.client.run(["nix", "log", drv], suite=suite))
    assert "a line to keep" in result.stdout, str(result)


def asks_many_small_things(lab, suite, url):
    paths = pairs.many_paths(lab.client, suite)
    fine(lab.client.run(["nix", "copy", "--to", url, *paths], suite=suite))
    result = fine(lab.client.run(["nix", "path-info", "--store", url, *paths], suite=suite))
    assert sorted(result.stdout.split()) == sorted(paths), str(result)
    assert all(grants.read(path) == grants.read(lab.client.where(path)) for path in paths)


def outcomes(lab):
    """How each session ended that had begun. A client that only says hello may leave while the gateway still talks to the
    daemon; that is no session yet."""
    ended = {record["session"]: record["outcome"] for record in grants.events(lab, "session-end")}
    return [ended.get(record["session"]) for record in grants.events(lab, "session-start")]


def all_ended_well(lab):
    """The record is written when the client has gone."""
    grants.wait_for(lambda: None not in outcomes(lab), 10, "a session has not ended")
    assert set(outcomes(lab)) == {"closed"}, lab.records()


def do_it_all(lab, client, daemon, scheme, trusted=False):
    suite, daemon_suite = cases.need_suite(lab, client), cases.need_suite(lab, daemon)
    key, url = builder(lab, suite, daemon_suite, scheme, trusted)
    says_who_it_is(lab, suite, url, needs_trust(suite, scheme))
    copies_both_ways(lab, suite, url)
    builds(lab, suite, key, scheme)
    if scheme == "ssh-ng":
        builds_in_the_builders_store(lab, suite, url)
    fails_with_its_log(lab, suite, key, scheme)
    shows_the_log(lab, suite, key, scheme)
    asks_many_small_things(lab, suite, url)
    all_ended_well(lab)


def each_pair(lab, case):
    do_it_all(lab, *case)


def each_pair_with_the_account_in_trusted_users(lab, case):
    do_it_all(lab, *case, trusted=True)


NAMES = (None, "trixie", "sid")
PAIRS = [(client, daemon, scheme) for scheme in ("ssh-ng", "ssh") for client in NAMES for daemon in NAMES]


def label(case):
    client, daemon, scheme = case
    return f"{scheme.replace('-', '_')}_client_{client or 'own'}_daemon_{daemon or 'own'}"


cases.each(globals(), [(label(case), case) for case in PAIRS], each_pair)
cases.each(globals(), [(label(case), case) for case in (("trixie", None, "ssh-ng"), ("sid", "sid", "ssh-ng"))],
           each_pair_with_the_account_in_trusted_users)


# --- a large file ---

LARGE_MIB = 256


def each_large_file_goes_both_ways(lab, scheme):
    key, url = builder(lab, None, None, scheme)
    large = os.path.join(lab.make(f"large-{scheme}"), "large")
    with open(large, "wb") as file, open("/dev/urandom", "rb") as random:
        for _ in range(LARGE_MIB):
            file.write(random.read(1 << 20))
    path = fine(lab.client.run(["nix-store", "--add", large])).stdout.strip()
    fine(lab.client.run(["nix", "copy", "--to", url, path]))
    same(large, path)
    other = pairs.second_client(lab)
    fine(other.run(["nix", "copy", "--from", url, path]))
    same(large, other.where(path))
    for folder in (lab.client, other):
        os.unlink(folder.where(path))
    os.unlink(large)


def same(left, right):
    subprocess.run(["cmp", left, right], check=True, timeout=60)


cases.each(globals(), [(scheme.replace("-", "_"), scheme) for scheme in ("ssh-ng", "ssh")], each_large_file_goes_both_ways)


# --- content-addressed outputs ---

CA = "experimental-features = nix-command ca-derivations\n"
CA_GRANT = ("derivations = input-addressed fixed-output content-addressed\n"
            "operations = query build upload download substitute realisations\n")


def each_content_addressed_output_is_built_and_copied(lab, case):
    client, daemon, scheme = case
    suite, daemon_suite = cases.need_suite(lab, client), cases.need_suite(lab, daemon)
    key, url = builder(lab, suite, daemon_suite, scheme, more=CA_GRANT, settings=CA)
    floating = {"__contentAddressed": "true", "outputHashMode": '"recursive"', "outputHashAlgo": '"sha256"'}
    inner = grants.derivation("inner", "echo inner > $out", **floating)
    outer = grants.derivation("outer", "read a < $inner; echo $a and outer > $out", inner=f"({inner})", **floating)
    env, builders = {"NIX_CONFIG": CA}, lab.machines([key], scheme) + " ca-derivations"
    result = lab.build(key, expression=outer, suite=suite, env=env, builders=builders)
    assert lab.built(result) == "inner and outer"
    if scheme == "ssh-ng":
        there = fine(lab.client.run(grants.build_there(lab, url, outer), suite=suite, env=env))
        assert lab.built_path(result) in there.stdout, f"{result}\n{there}"


cases.each(globals(), [(label(case), case) for case in PAIRS], each_content_addressed_output_is_built_and_copied)


# --- many at once ---

SESSIONS = 50


def test_50_sessions_at_once(lab):
    """All of them are in the middle of a build before the first may end."""
    key, url = builder(lab, "any", None, "ssh-ng")
    folder = lab.make_writable("at-once")
    os.chmod(folder, 0o777)
    script = f": > {folder}/$name; while ! test -e {folder}/go; do /bin/sleep 0.2; done; echo $name > $out"
    drvs = grants.instantiated_all(lab, [grants.derivation("at-once", script) for _ in range(SESSIONS)])
    fine(lab.client.run(["nix", "copy", "--derivation", "--to", url, *drvs]))
    clients = [lab.client.start(["nix-store", "--realise", "--store", url, drv]) for drv in drvs]
    try:
        grants.wait_for(lambda: len(os.listdir(folder)) == SESSIONS, 60, f"{len(os.listdir(folder))} of {SESSIONS} run")
        grants.write(os.path.join(folder, "go"), "")
        for client in clients:
            output, _ = client.communicate(timeout=30)
            assert client.returncode == 0, output
    finally:
        lab.client.end(clients)
    all_ended_well(lab)
    assert len(outcomes(lab)) == SESSIONS + 1, lab.records()


# --- a client that is killed ---

SECONDS_TO_END = 2


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def pull_the_plug(lab, client):
    """The client and all that it has started, at once: the hook and its ssh are in sessions of their own."""
    for pid in process.descendants(client.pid):
        process.send(pid, signal.SIGKILL)
    lab.client.end([client])


def each_client_that_is_killed_ends_its_build(lab, case):
    suite, scheme = cases.need_suite(lab, case[0]), case[1]
    key, url = builder(lab, "any", suite, scheme)
    note = os.path.join(lab.folder, f"pid-{next(grants.numbers)}")
    script = f"echo $$ > {note}.part; /bin/mv {note}.part {note}; exec /bin/sleep 80"
    expression = grants.derivation("long", script)
    hooked = ["nix-build", "--no-out-link", "--max-jobs", "0", "--builders", lab.machines([key], scheme), "--expr",
              expression]
    client = lab.client.start(grants.build_there(lab, url, expression) if scheme == "ssh-ng" else hooked)
    try:
        grants.wait_for(lambda: os.path.exists(note), 60, "the build does not begin")
        pid = int(grants.read(note))
        assert is_running(pid), pid
    finally:
        pull_the_plug(lab, client)
    grants.wait_for(lambda: not is_running(pid), SECONDS_TO_END, "the build goes on")


cases.each(globals(), [(f"{scheme.replace('-', '_')}_daemon_{daemon or 'own'}", (daemon, scheme))
                       for scheme in ("ssh-ng", "ssh") for daemon in NAMES], each_client_that_is_killed_ends_its_build)

if __name__ == "__main__":
    cases.main(globals())
