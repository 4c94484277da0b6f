#!/usr/bin/env python3
"""Two keys on one account: each builds what its grant says and reads why not where it does not. None of it is weaker where
the account stands in trusted-users, whatever a client sets or claims."""
import os

import cases
import grants
import wire

TWO = """[key alice]
systems = x86_64-linux
features =

[key bob]
systems = i686-linux
features = kvm
"""
OFFERED = "system-features = kvm big-parallel\n"
ASK = "ask the builder's administrator"
CURE = "use ssh-ng:// and Nix 2.16 or newer"

# What each of them asks for, and what may not be: None where it builds.
NATIVE, OTHER = {"system": "x86_64-linux"}, {"system": "i686-linux"}
KVM = {"requiredSystemFeatures": '[ "kvm" ]'}
WISHES = (
    ("alice", NATIVE, None),
    ("alice", OTHER, "alice may not build for 'i686-linux' (allowed: x86_64-linux)"),
    ("alice", {**NATIVE, **KVM}, "alice may not use the feature 'kvm' (allowed: none)"),
    ("bob", {**OTHER, **KVM}, None),
    ("bob", OTHER, None),
    ("bob", {**NATIVE, **KVM}, "bob may not build for 'x86_64-linux' (allowed: i686-linux)"),
)


def two_keys(lab, trusted, daemon=None):
    cases.need(os.uname().machine == "x86_64", "builds for x86_64-linux and i686-linux")
    keys = {name: lab.key(name) for name in ("alice", "bob")}
    names = grants.in_trusted_users(lab) if trusted else "root"
    grants.filtered(lab, TWO, trusted=names, daemon=daemon, settings=OFFERED, keys=list(keys.values()))
    return keys


def build(lab, key, scheme, expression, suite):
    """The machines file says of the builder what it can do, not what this key may."""
    builders = f"{scheme}://{key.name}.lab x86_64-linux,i686-linux {key.path} 1 1 kvm"
    return lab.build(expression=expression, builders=builders, suite=suite)


def each_key_builds_what_it_may_and_reads_why_not(lab, case):
    suite, trusted = cases.need_suite(lab, case[0]), case[1]
    keys = two_keys(lab, trusted)
    for name, attributes, refusal in WISHES:
        expression = grants.derivation("wish", "echo fulfilled > $out", **attributes)
        result = build(lab, keys[name], "ssh-ng", expression, suite)
        if refusal is None:
            assert lab.built(result) == "fulfilled", str(result)
        else:
            drv = grants.instantiated(lab, expression, suite=suite)
            grants.refused(result, f"{refusal}: {drv}; {ASK}")
            denied = grants.events(lab, "denied")[-1]
            assert denied["key"] == name and drv in denied["reason"] and "policy.ini:" in denied["rule"], denied


def each_key_reads_the_cure_over_ssh(lab, case):
    """That scheme has the client say what a derivation comes to, which takes trust; where it takes none, it works."""
    suite, trusted = cases.need_suite(lab, case[0]), case[1]
    keys = two_keys(lab, trusted)
    for name, attributes, refusal in WISHES:
        expression = grants.derivation("wish", "echo fulfilled > $out", **attributes)
        drv = grants.instantiated(lab, expression, suite=suite)
        result = build(lab, keys[name], "ssh", expression, suite)
        grants.refused(result, f"{name} may not say what an input-addressed derivation comes to (allowed: derivations that "
                               f"are on this builder, and content-addressed outputs): {drv}; {CURE}")
        fixed = grants.fixed("fixed", f"of {next(grants.numbers)}", **attributes)
        result = build(lab, keys[name], "ssh", fixed, suite)
        if refusal is None:
            assert lab.built(result).startswith("of "), str(result)
        else:
            grants.refused(result, f"{refusal}: {grants.instantiated(lab, fixed, suite=suite)}; {ASK}")


CASES = [(f"client_{client or 'own'}_{'trusted' if trusted else 'untrusted'}_account", (client, trusted))
         for client in (None, "trixie", "sid") for trusted in (False, True)]
cases.each(globals(), CASES[2:], each_key_builds_what_it_may_and_reads_why_not)
cases.each(globals(), CASES, each_key_reads_the_cure_over_ssh)


def each_derivation_that_is_there_already_is_built_over_ssh(lab, client):
    suite = cases.need_suite(lab, client)
    alice = two_keys(lab, False)["alice"]
    expression = grants.derivation("there", "echo fulfilled > $out")
    drv = grants.instantiated(lab, expression, suite=suite)
    copied = lab.client.run(["nix", "copy", "--derivation", "--to", "ssh-ng://alice.lab", drv], suite=suite)
    assert copied.status == 0, str(copied)
    assert lab.built(build(lab, alice, "ssh", expression, suite)) == "fulfilled"


cases.each(globals(), cases.CLIENTS, each_derivation_that_is_there_already_is_built_over_ssh)


# --- what a client sets and claims, though the daemon would take it from this account ---

def set_options(overrides):
    numbers = (0, 0, 0, 3, 1, 0, 1, 0, 0, 0, 1, 1)
    return b"".join(wire.u64(number) for number in numbers) + wire.pairs(overrides)


def open_session(lab, trusted=True):
    alice = two_keys(lab, trusted)["alice"]
    drv = grants.instantiated(lab, grants.derivation("plain", "echo built > $out"))
    copied = lab.client.run(["nix", "copy", "--derivation", "--to", "ssh-ng://alice.lab", drv])
    assert copied.status == 0, str(copied)
    return grants.speak(lab, alice).enter(), drv, grants.output_of(lab, drv)


def test_a_program_that_a_client_sets_is_not_run(lab):
    session, drv, out = open_session(lab)
    ran = os.path.join(lab.folder, f"ran-{next(grants.numbers)}")
    program = grants.write(os.path.join(lab.folder, f"hook-{next(grants.numbers)}"), f"#!/bin/sh\n: > {ran}\n")
    names = ("post-build-hook", "pre-build-hook", "build-hook", "diff-hook")
    answer = session.ask(19, set_options([(name, program) for name in names] + [("run-diff-hook", "true")]))
    assert answer.error is None, answer.error
    answer = session.ask(46, wire.texts([drv + "!*"]) + wire.u64(0))
    assert answer.error is None, answer.error
    assert grants.read(out) == "built" and not os.path.exists(ran), ran
    session.end()


def test_what_a_client_claims_of_an_output_is_not_believed(lab):
    session, drv, out = open_session(lab)
    other = f"{lab.store}/{'a' * 32}-{os.path.basename(drv).split('-', 1)[1]}"
    body = (wire.text(other) + wire.u64(1) + wire.text("out") + wire.text(out) + wire.text("")
            + wire.text("") + wire.texts([]) + wire.text("x86_64-linux") + wire.text("/bin/sh")
            + wire.texts(["-c", "echo forged > $out"]) + wire.pairs([("out", out)]) + wire.u64(0))
    session.refused(36, body, "alice may not say what an input-addressed derivation comes to")
    assert not grants.is_on_builder(lab, out), out
    # The derivation that is there has this very output: then it is that one which is built, not the claim.
    body = body.replace(wire.text(other), wire.text(drv), 1)
    answer = session.ask(36, body)
    assert answer.error is None and grants.read(out) == "built", answer.error
    session.end()


def test_an_upload_that_asks_for_belief_is_not_believed(lab):
    cases.need_account(lab)
    two_keys(lab, True)
    path = lab.client.build_here(grants.derivation("local", "echo local > $out"))
    result = lab.client.run(["nix", "copy", "--no-check-sigs", "--to", "ssh-ng://alice.lab", path])
    grants.says(result, "1 unsigned paths not stored, to be rebuilt here")
    assert not grants.is_on_builder(lab, path) and not os.path.exists(path), path


if __name__ == "__main__":
    cases.main(globals())
