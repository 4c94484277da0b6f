#!/usr/bin/env python3
"""A session that is refused says why where its client prints it, at once, and a build goes to the next machine."""
import os
import time

import cases

SECONDS_TO_REFUSE = 15


class Refusal:
    """One reason to refuse: how the policy says so, and the sentence that a client must be able to read."""

    def __init__(self, sentence, text="[key mallory]\n", gateway=None, policy=None, names_key=True):
        self.sentence = sentence
        self.text = text
        self.gateway = gateway or {}
        self.policy = policy
        self.names_key = names_key


def expired(_lab):
    return Refusal("key 'mallory' expired on 2020-01-01", "[key mallory]\nexpires = 2020-01-01\n")


def forbidden_protocol(_lab):
    return Refusal("key 'mallory' may not use ssh-ng:// (allowed: ssh)", "[key mallory]\nprotocols = ssh\n")


def unknown_key(lab):
    return Refusal(f"this SSH key ({lab.key('mallory').fingerprint}) is not in this builder's policy",
                   f"[key alice]\nfingerprint = {lab.key('alice').fingerprint}\n", names_key=False)


def unnamed_key(_lab):
    return Refusal("key 'mallory' is not in this builder's policy", "[key alice]\n")


def broken_policy(_lab):
    return Refusal("this builder's policy does not load", "[key mallory]\nno-such-setting = 1\n")


def missing_policy(lab):
    return Refusal("this builder's policy does not load", policy=os.path.join(lab.folder, "no-such-policy"))


def no_nix(lab):
    return Refusal(f"no Nix on this builder can be taken ({lab.empty}/nix-daemon: ", gateway={"nix": lab.empty})


def no_daemon(lab):
    return Refusal(f"the Nix daemon does not answer ({lab.empty}/socket: ", gateway={"daemon": f"{lab.empty}/socket"})


def no_audit(lab):
    return Refusal("this builder cannot write its audit record", gateway={"audit": f"{lab.empty}/no/audit"})


REASONS = (expired, forbidden_protocol, unknown_key, unnamed_key, broken_policy, missing_policy, no_nix, no_daemon,
           no_audit)


def refuse(lab, reason):
    """A builder with two ways in: `mallory` is refused for the reason, `alice` is not. Returns keys and reason."""
    lab.daemon.start(trusted=f"root {lab.account.name}")
    alice, mallory = lab.key("alice"), lab.key("mallory")
    refusal = reason(lab)
    lab.policy("[key alice]\n")
    path = refusal.policy or lab.policy(refusal.text, os.path.join(lab.folder, "refusing.ini"),
                                        **refusal.gateway)
    named = " --key mallory" if refusal.names_key else ""
    lab.sshd(settings=["ExposeAuthInfo yes"], authorized_keys=[
        f'restrict,command="{lab.serve(" --key alice")}" {alice.line}',
        f'restrict,command="{lab.gateway} serve{named} --policy {path}" {mallory.line}'])
    return alice, mallory, refusal


def in_time(action):
    """A refusal must not cost a client its patience."""
    began = time.monotonic()
    result = action()
    took = time.monotonic() - began
    assert took < SECONDS_TO_REFUSE, f"{took:.1f} s\n{result}"
    return result


def is_on_one_line(result, sentence):
    return any(sentence in line for line in result.text.splitlines())


def each_refusal_is_read(lab, case):
    reason, suite_name = case
    suite = cases.need_suite(lab, suite_name)
    _alice, mallory, refusal = refuse(lab, reason)
    result = in_time(lambda: lab.ping(mallory, suite=suite))
    assert result.status not in (0, None), str(result)
    for line in ("cannot open connection", f"nix-gateway: {refusal.sentence}"):
        assert is_on_one_line(result, line), f"no '{line}' in\n{result}"


def each_refusal_is_read_in_a_build(lab, case):
    reason, suite_name = case
    suite = cases.need_suite(lab, suite_name)
    _alice, mallory, refusal = refuse(lab, reason)
    result = in_time(lambda: lab.build(mallory, suite=suite))
    assert result.status != 0, str(result)
    assert is_on_one_line(result, f"nix-gateway: {refusal.sentence}"), str(result)
    assert "cannot build on" in result.text, str(result)


def each_build_goes_to_the_second_machine(lab, case):
    reason, suite_name = case
    suite = cases.need_suite(lab, suite_name)
    alice, mallory, refusal = refuse(lab, reason)
    result = in_time(lambda: lab.build(mallory, alice, suite=suite))
    assert lab.built(result) == "built"
    assert is_on_one_line(result, f"nix-gateway: {refusal.sentence}"), str(result)
    assert "on 'ssh-ng://alice.lab'" in result.text, str(result)


def variants(reasons, clients):
    return [(f"{reason.__name__}_{label}", (reason, suite_name)) for reason in reasons for label, suite_name in clients]


# Every reason with this machine's Nix; the newer ones print differently, not per reason: a few with those.
FEW = (expired, broken_policy, no_daemon)
SETS = variants(REASONS, cases.CLIENTS[:1]) + variants(FEW, cases.CLIENTS[1:])
cases.each(globals(), SETS, each_refusal_is_read)
cases.each(globals(), SETS, each_refusal_is_read_in_a_build)
cases.each(globals(), SETS, each_build_goes_to_the_second_machine)


def each_refusal_over_the_older_ssh_protocol_is_read(lab, reason):
    _alice, mallory, refusal = refuse(lab, reason)
    result = in_time(lambda: lab.ping(mallory, scheme="ssh"))
    assert result.status != 0 and is_on_one_line(result, f"nix-gateway: {refusal.sentence}"), str(result)


def forbidden_older_protocol(_lab):
    return Refusal("key 'mallory' may not use ssh:// (allowed: ssh-ng)", "[key mallory]\nprotocols = ssh-ng\n")


OLDER = tuple(reason for reason in REASONS if reason is not forbidden_protocol) + (forbidden_older_protocol,)
cases.each(globals(), [(reason.__name__, reason) for reason in OLDER],
           each_refusal_over_the_older_ssh_protocol_is_read)


def test_a_refusal_over_the_older_protocol_sends_the_build_to_the_second_machine(lab):
    alice, mallory, refusal = refuse(lab, forbidden_older_protocol)
    result = in_time(lambda: lab.build(mallory, alice, scheme="ssh"))
    assert lab.built(result) == "built" and is_on_one_line(result, f"nix-gateway: {refusal.sentence}"), str(result)


def test_the_fault_of_a_policy_is_not_shown_to_the_client(lab):
    _alice, mallory, _refusal = refuse(lab, broken_policy)
    result = lab.ping(mallory)
    assert "no-such-setting" not in result.text, str(result)


def test_a_client_that_says_nothing_is_let_go_when_it_leaves(lab):
    """Even a refusal waits for the client's hello; a client that hangs up instead must not leave a process."""
    _alice, mallory, _refusal = refuse(lab, expired)
    result = in_time(lambda: lab.ssh(mallory, "nix-daemon", "--stdio"))
    assert result.status == 1 and "expired" in result.stderr, str(result)
    assert result.stdout == "", str(result)


if __name__ == "__main__":
    cases.main(globals())
