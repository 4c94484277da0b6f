#!/usr/bin/env python3
"""The headline, with stock clients and an account outside trusted-users: what must build, builds, though it needs what
only the client has; and of what came unsigned the builder believes nothing."""
import hashlib
import os

import cases
import grants

# Everything that a usual build is made of: a source file, structured attributes, a fixed output, a chain of three, and
# an input that the client has built itself and nobody has signed. That one says where it was built.
LOCAL = """derivation { name = "local-NUMBER"; system = builtins.currentSystem; builder = "/bin/sh";
  args = [ "-c" "read a < FOLDER/whose; echo $a > $out" ]; }"""
HEADLINE = """
let
  system = builtins.currentSystem;
  sh = name: args: derivation ({ inherit name system; builder = "/bin/sh"; } // args);
  local = LOCAL;
  fixed = sh "fixed-NUMBER" { args = [ "-c" "printf fixed-NUMBER > $out" ]; outputHashMode = "flat";
    outputHashAlgo = "sha256"; outputHash = "FIXED"; };
  source = builtins.toFile "source" "a source NUMBER\\n";
  structured = sh "structured-NUMBER" { __structuredAttrs = true; words = [ "a" "b" ];
    args = [ "-c" "echo structured > ${builtins.placeholder "out"}" ]; };
  one = sh "one-NUMBER" { inherit source fixed; args = [ "-c" "read a < $source; echo one $a > $out" ]; };
  two = sh "two-NUMBER" { inherit one local structured;
    args = [ "-c" "read a < $one; read b < $local; read c < $structured; echo $a built by the $b, $c > $out" ]; };
in sh "three-NUMBER" { inherit two; args = [ "-c" "read a < $two; echo $a > $out" ]; }
"""


def expressions(lab):
    number = str(next(grants.numbers))
    local = LOCAL.replace("FOLDER", lab.folder)
    text = HEADLINE.replace("LOCAL", local).replace("FIXED", hashlib.sha256(f"fixed-{number}".encode()).hexdigest())
    return number, local.replace("NUMBER", number), text.replace("NUMBER", number)


def build_with_unsigned_input(lab, key, suite):
    """The client has built the input, the builder is to do all else. What the input says tells whose it is."""
    cases.need_account(lab)
    number, local, whole = expressions(lab)
    grants.write(os.path.join(lab.folder, "whose"), "client\n")
    path = lab.client.build_here(local)
    assert grants.read(lab.client.where(path)) == "client"
    grants.write(os.path.join(lab.folder, "whose"), "builder\n")
    return number, path, lab.build(key, expression=whole, suite=suite)


def each_headline(lab, names):
    client, daemon = (cases.need_suite(lab, name) for name in names)
    key = lab.key("alice")
    grants.filtered(lab, daemon=daemon)
    number, path, result = build_with_unsigned_input(lab, key, client)
    assert lab.built(result) == f"one a source {number} built by the builder, structured", str(result)
    grants.says(result, "1 unsigned paths not stored, to be rebuilt here")
    assert grants.read(path) == "builder" and grants.described(lab, path).get("ultimate"), grants.described(lab, path)
    assert [record["path"] for record in grants.events(lab, "rebuild")] == [path], lab.records()


def each_plain_forced_command_fails_at_the_headline(lab, names):
    client, daemon = (cases.need_suite(lab, name) for name in names)
    key = lab.key("alice")
    lab.daemon.start(suite=daemon)
    grants.plain(lab)
    _number, path, result = build_with_unsigned_input(lab, key, client)
    assert result.status != 0, str(result)
    if daemon is None:          # says not whom it trusts, so the client does as if it were trusted
        assert "you are not privileged to build input-addressed derivations" in result.text, str(result)
    else:
        assert f"'{path}' because it lacks a" in result.text and "signature" in result.text, str(result)


PAIRS = (None, "trixie", "sid")
SETS = [(f"client_{c or 'own'}_daemon_{d or 'own'}", (c, d)) for c in PAIRS[1:] for d in PAIRS]
cases.each(globals(), SETS, each_headline)
cases.each(globals(), SETS, each_plain_forced_command_fails_at_the_headline)

if __name__ == "__main__":
    cases.main(globals())
