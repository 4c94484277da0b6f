#!/usr/bin/env python3
"""The limits of a grant, which the daemon keeps: they stand in the place of nix.conf's, and a client that asks for less gets
it, for more does not."""
import os

import cases
import grants
import wire

PLAIN = "experimental-features = nix-command\n"
SLOW = "/bin/sleep 15; echo late > $out"
OVER = "timed out after 2 seconds"


def each_timeout_ends_a_build(lab, daemon):
    builder = grants.Builder(lab, "timeout = 2s\n", daemon=daemon, settings=PLAIN)
    result = builder.build(grants.derivation("slow", SLOW))
    assert result.status != 0 and OVER in result.text, str(result)


def each_timeout_of_an_ssh_client(lab, case):
    """Only that scheme's clients send theirs. A fixed output needs no trust."""
    client, granted, wished = case
    suite = cases.need_suite(lab, client)
    builder = grants.Builder(lab, granted, settings=PLAIN)
    number = next(grants.numbers)
    expression = grants.fixed("slow", f"of {number}", f"/bin/sleep 15; printf 'of {number}' > $out")
    env = {"NIX_CONFIG": f"{PLAIN}timeout = {wished}\n"}
    result = lab.build(builder.alice, scheme="ssh", expression=expression, suite=suite, env=env)
    assert result.status != 0 and OVER in result.text, str(result)


cases.each(globals(), [("daemon_own", None), ("daemon_sid", "sid")], each_timeout_ends_a_build)
cases.each(globals(), [(f"{label}_{name}", (client, *case)) for name, client in cases.CLIENTS for label, case in (
    ("is_heard_where_it_is_less", ("timeout = 50s\n", 2)), ("is_not_where_it_is_more", ("timeout = 2s\n", 50)),
    ("is_heard_where_nothing_is_granted", ("", 2)))], each_timeout_of_an_ssh_client)


def test_a_silent_build_is_ended(lab):
    builder = grants.Builder(lab, "max-silent-time = 2s\n")
    result = builder.build(grants.derivation("silent", "/bin/sleep 30; echo late > $out"))
    assert result.status != 0 and "timed out after 2 seconds of silence" in result.text, str(result)
    talking = "for i in 1 2 3 4 5; do echo $i; /bin/sleep 0.7; done; echo done > $out"
    builder.builds(grants.derivation("talking", talking))


def set_options(cores):
    numbers = (0, 0, 0, 3, 1, 0, 1, 0, 0, 0, cores, 1)
    return b"".join(wire.u64(number) for number in numbers) + wire.pairs([])


def each_number_of_cores(lab, case):
    """Clients of today send none, but the protocol has a place for it."""
    granted, wished, cores = case
    builder = grants.Builder(lab, granted)
    drv = grants.instantiated(lab, grants.derivation("cores", "echo $NIX_BUILD_CORES > $out"), suite=builder.suite)
    assert builder.run("nix", "copy", "--derivation", "--to", builder.url, drv).status == 0
    session = grants.speak(lab, builder.alice).enter()
    for number, body in ((19, set_options(wished)),) if wished is not None else ():
        assert session.ask(number, body).error is None
    answer = session.ask(46, wire.texts([drv + "!*"]) + wire.u64(0))
    assert answer.error is None, answer.error
    assert grants.read(grants.output_of(lab, drv)) == cores, grants.read(grants.output_of(lab, drv))
    session.end()


cases.each(globals(), [("is_the_grants", ("cores = 3\n", None, "3")), ("is_not_more", ("cores = 3\n", 7, "3")),
                       ("is_not_all", ("cores = 3\n", 0, "3")), ("is_less", ("cores = 3\n", 2, "2")),
                       ("is_that_of_nix_conf", ("", 7, "1"))], each_number_of_cores)


def most_at_once(lab, text):
    """How many of three builds of one request run together."""
    builder = grants.Builder(lab, text)
    folder = lab.make_writable(f"jobs-{next(grants.numbers)}")
    os.chmod(folder, 0o777)
    script = f": > {folder}/$name; /bin/sleep 0.7; set -- {folder}/*; echo $# > $out; /bin/rm {folder}/$name"
    result = builder.builds(*[grants.derivation("job", script) for _ in range(3)])
    outs = [piece.split('"', 1)[0] for piece in result.stdout.split('"out":"')[1:]]
    return max(int(grants.read(out)) for out in outs)


def test_max_jobs_are_of_the_grant_else_of_nix_conf(lab):
    assert most_at_once(lab, "max-jobs = 1\n") == 1
    assert most_at_once(lab, "max-jobs = 3\n") == 3
    assert most_at_once(lab, "") == 2


def each_failed_build_is_kept_only_where_granted(lab, daemon):
    for granted, kept in (("keep-failed = false\n", False), ("keep-failed = true\n", True)):
        builder = grants.Builder(lab, granted, daemon=daemon, settings=PLAIN)
        result = builder.build(grants.derivation("failing", "exit 1"), words=("--keep-failed",))
        assert result.status != 0 and ("keeping build directory" in result.text) == kept, str(result)


cases.each(globals(), [("daemon_own", None), ("daemon_sid", "sid")], each_failed_build_is_kept_only_where_granted)


def each_use_of_substitutes(lab, case):
    """A cache has the path and the builder could build it too: where it is from, its signature tells."""
    granted, fetched = case
    cases.need_account(lab)
    expression = grants.derivation("either")
    path = lab.client.build_here(expression)
    secret, public = grants.signing_key(lab, "cache-1")
    folder = os.path.join(lab.folder, f"cache-{next(grants.numbers)}")
    assert lab.client.run(["nix", "copy", "--to", f"file://{folder}?secret-key={secret}", path]).status == 0
    builder = grants.Builder(lab, granted, settings=f"substituters = file://{folder}\ntrusted-public-keys = {public}\n")
    builder.builds(expression)
    assert bool(grants.described(lab, path).get("signatures")) == fetched, grants.described(lab, path)


cases.each(globals(), [("by_default", ("", True)), ("forbidden", ("use-substitutes = false\n", False)),
                       ("granted", ("use-substitutes = true\n", True))], each_use_of_substitutes)


def each_session_time_ends_a_build(lab, daemon):
    builder = grants.Builder(lab, "session-time = 3s\n", daemon=daemon, settings=PLAIN)
    result = builder.build(grants.derivation("slow", SLOW))
    assert result.status != 0, str(result)
    assert "may not stay any longer (allowed: 3 seconds); begin a new session" in result.text, str(result)

    def ends():
        return [record["outcome"] for record in lab.records() if record["event"] == "session-end"]

    grants.wait_for(lambda: "session-time" in ends(), 20, "no record of how the session ended")
    builder.builds(grants.derivation("quick", "echo done > $out"))


cases.each(globals(), [("daemon_own", None), ("daemon_sid", "sid")], each_session_time_ends_a_build)

if __name__ == "__main__":
    cases.main(globals())
