#!/usr/bin/env python3
"""Whose word is taken for a path that nobody can compute: nobody's, a signer's, or the client's; and what becomes of an
upload that is not verifiable. What a cache has is fetched instead, also where policy would not have it built."""
import os

import cases
import grants

NEITHER = "alice may not upload what is neither content-addressed nor signed by a key that this builder knows " \
          "(allowed: both of these)"


def one_key(lab, text="", **how):
    alice = lab.key("alice")
    grants.filtered(lab, f"[key alice]\n{text}", keys=[alice], **how)
    return alice


def built_here(lab, text="client"):
    """A path that only the client has: unsigned, and not to be computed from its contents."""
    cases.need_account(lab)
    expression = grants.derivation("local", f"echo {text} > $out")
    return lab.client.build_here(expression), expression


def copy(lab, path, *words, scheme="ssh-ng", suite=None):
    return lab.client.run(["nix", "copy", *words, "--to", f"{scheme}://alice.lab", path], suite=suite)


def sign(lab, path, secret):
    result = lab.client.run(["nix", "store", "sign", "--key-file", secret, path])
    assert result.status == 0, str(result)


def each_copy_of_an_unsigned_path_is_refused_and_named(lab, case):
    suite, scheme = cases.need_suite(lab, case[0]), case[1]
    one_key(lab)
    path, _expression = built_here(lab)
    result = copy(lab, path, scheme=scheme, suite=suite)
    grants.refused(result, f"{NEITHER}: {path}; sign it (nix store sign)")
    assert not grants.is_on_builder(lab, path) and not os.path.exists(path), path
    assert not grants.events(lab, "upload") and not grants.events(lab, "rebuild"), lab.records()
    assert [record["subject"] for record in grants.events(lab, "denied")] == [path], lab.records()


COPIES = [(f"{scheme.replace('-', '_')}_{name}", (suite, scheme)) for scheme in ("ssh-ng", "ssh")
          for name, suite in cases.CLIENTS]
cases.each(globals(), COPIES, each_copy_of_an_unsigned_path_is_refused_and_named)


# --- unsigned-uploads ---

def depending(local):
    """Needs the client's own path."""
    return grants.derivation("depending", "read a < $local; echo needs $a > $out", local=f"({local})")


def each_fixed_output_with_an_unsigned_input_is_refused_with_the_cure(lab, client):
    suite = cases.need_suite(lab, client)
    alice = one_key(lab)
    path, local = built_here(lab)
    expression = grants.fixed("fixed", "client", "read a < $local; printf $a > $out", local=f"({local})")
    drv = grants.instantiated(lab, expression, suite=suite)
    result = lab.build(alice, expression=expression, suite=suite)
    grants.refused(result, "alice may not build without an input (allowed: inputs on this builder, or in its caches): "
                           f"{drv} needs {path}; its output came unsigned: sign it, or have the builder trust its cache")


def each_upload_is_refused_where_unsigned_ones_are_not_rebuilt(lab, client):
    suite = cases.need_suite(lab, client)
    alice = one_key(lab, "unsigned-uploads = refuse\n")
    path, local = built_here(lab)
    result = lab.build(alice, expression=depending(local), suite=suite)
    grants.refused(result, f"{NEITHER}: {path}; sign it (nix store sign)")
    assert not grants.events(lab, "rebuild"), lab.records()


NEWER = cases.CLIENTS[1:]
cases.each(globals(), NEWER, each_fixed_output_with_an_unsigned_input_is_refused_with_the_cure)
cases.each(globals(), NEWER, each_upload_is_refused_where_unsigned_ones_are_not_rebuilt)


# --- trust = signed, trusted-public-keys ---

def signed_key(lab):
    """alice's key counts on this builder; its daemon knows no key at all."""
    secret, public = grants.signing_key(lab, "alice-1")
    one_key(lab, f"trust = signed\ntrusted-public-keys = {public}\n", trusted=grants.in_trusted_users(lab))
    return secret


def each_path_that_alice_has_signed_lands(lab, scheme):
    secret = signed_key(lab)
    path, _expression = built_here(lab)
    sign(lab, path, secret)
    result = copy(lab, path, scheme=scheme)
    assert result.status == 0 and grants.is_on_builder(lab, path) and grants.read(path) == "client", str(result)
    assert [record["path"] for record in grants.events(lab, "upload")] == [path], lab.records()


def each_path_that_another_has_signed_does_not_land(lab, scheme):
    signed_key(lab)
    path, _expression = built_here(lab)
    sign(lab, path, grants.signing_key(lab, "alice-1")[0])
    grants.refused(copy(lab, path, scheme=scheme), f"{NEITHER}: {path}; sign it (nix store sign)")
    assert not grants.is_on_builder(lab, path), path


def each_path_that_was_altered_after_signing_does_not_land(lab, scheme):
    secret = signed_key(lab)
    path, _expression = built_here(lab)
    sign(lab, path, secret)
    real = lab.client.where(path)
    os.chmod(real, 0o644)
    with open(real, "r+", encoding="utf-8") as file:
        file.write("CLIENT")
    result = copy(lab, path, scheme=scheme)
    assert result.status != 0 and "hash mismatch" in result.text, str(result)
    assert not grants.is_on_builder(lab, path), str(result)


SCHEMES = [(scheme.replace("-", "_"), scheme) for scheme in ("ssh-ng", "ssh")]
cases.each(globals(), SCHEMES, each_path_that_alice_has_signed_lands)
cases.each(globals(), SCHEMES, each_path_that_another_has_signed_does_not_land)
cases.each(globals(), SCHEMES, each_path_that_was_altered_after_signing_does_not_land)


def test_a_path_that_the_daemon_itself_believes_lands_without_trust(lab):
    secret, public = grants.signing_key(lab, "cache-1")
    one_key(lab, settings=f"trusted-public-keys = {public}\n")
    path, _expression = built_here(lab)
    sign(lab, path, secret)
    assert copy(lab, path).status == 0 and grants.read(path) == "client", path


# --- trust = full ---

def each_client_is_believed_with_full_trust(lab, case):
    """The builder could build the input itself: what it says tells that it did not."""
    suite, scheme = cases.need_suite(lab, case[0]), case[1]
    cases.need_account(lab)
    alice = one_key(lab, "trust = full\n", trusted=grants.in_trusted_users(lab))
    whose = grants.write(os.path.join(lab.folder, "whose"), "client\n")
    local = grants.derivation("local", f"read a < {whose}; echo $a > $out")
    lab.client.build_here(local)
    grants.write(whose, "builder\n")
    result = lab.build(alice, scheme=scheme, expression=depending(local), suite=suite)
    assert lab.built(result) == "needs client", str(result)


cases.each(globals(), COPIES, each_client_is_believed_with_full_trust)


def test_without_full_trust_an_older_client_reads_the_cure(lab):
    alice = one_key(lab, trusted=grants.in_trusted_users(lab))
    for scheme in ("ssh-ng", "ssh"):
        expression = grants.derivation("older", "echo built > $out")
        result = lab.build(alice, scheme=scheme, expression=expression)
        assert result.status != 0, str(result)
        assert "alice may not say what an input-addressed derivation comes to" in result.text, str(result)
        assert "use ssh-ng:// and Nix 2.16 or newer" in result.text, str(result)


# --- a cache ---

def cache(lab, path):
    """A binary cache that holds the path, and the lines of nix.conf by which the daemon uses it."""
    secret, public = grants.signing_key(lab, "cache-1")
    folder = os.path.join(lab.folder, f"cache-{next(grants.numbers)}")
    result = lab.client.run(["nix", "copy", "--to", f"file://{folder}?secret-key={secret}", path])
    assert result.status == 0, str(result)
    return f"substituters = file://{folder}\ntrusted-public-keys = {public}\n"


def foreign(lab):
    """A path of a system that neither the policy nor this machine has, as its cache would have it."""
    cases.need_account(lab)
    expression = grants.derivation("foreign", "echo foreign > $out", system="riscv64-linux")
    return lab.client.build_here(expression, "--option", "extra-platforms", "riscv64-linux"), expression


OWN = "systems = x86_64-linux aarch64-linux\n"


def each_cache_has_what_policy_refuses(lab, client):
    suite = cases.need_suite(lab, client)
    path, expression = foreign(lab)
    alice = one_key(lab, OWN, settings=cache(lab, path))
    result = lab.build(alice, expression=depending(expression), suite=suite)
    assert lab.built(result) == "needs foreign", str(result)
    assert grants.described(lab, path).get("signatures"), grants.described(lab, path)


def each_cache_lacks_what_policy_refuses(lab, client):
    suite = cases.need_suite(lab, client)
    path, expression = foreign(lab)
    alice = one_key(lab, OWN)
    result = lab.build(alice, expression=depending(expression), suite=suite)
    grants.refused(result, "alice may not build for 'riscv64-linux' (allowed: x86_64-linux aarch64-linux): "
                           f"{grants.instantiated(lab, expression, suite=suite)}; its output came unsigned: sign it, or "
                           "have the builder trust its cache")
    assert not grants.is_on_builder(lab, path), path


def each_cache_is_not_asked_without_the_right_to(lab, client):
    suite = cases.need_suite(lab, client)
    path, expression = foreign(lab)
    alice = one_key(lab, OWN + "operations = query build upload download\n", settings=cache(lab, path))
    result = lab.build(alice, expression=depending(expression), suite=suite)
    assert result.status != 0 and "alice may not build for 'riscv64-linux'" in result.text, str(result)
    assert not grants.is_on_builder(lab, path), path


cases.each(globals(), NEWER, each_cache_has_what_policy_refuses)
cases.each(globals(), NEWER, each_cache_lacks_what_policy_refuses)
cases.each(globals(), NEWER, each_cache_is_not_asked_without_the_right_to)

if __name__ == "__main__":
    cases.main(globals())
