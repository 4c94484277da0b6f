#!/usr/bin/env python3
"""The grant on every message, with stock clients and an account outside trusted-users: what must build, builds, though
it needs what only the client has; what the grant does not say, is refused in a sentence."""
import hashlib
import os

import cases
import nix

# Everything that a usual build is made of: a source file, structured attributes, a fixed output, a chain of three, and
# an input that the client has built itself and nobody has signed.
HEADLINE = """
let
  system = builtins.currentSystem;
  sh = name: args: derivation ({ inherit name system; builder = "/bin/sh"; } // args);
  local = LOCAL;
  fixed = sh "fixed" { args = [ "-c" "printf fixed > $out" ]; outputHashMode = "flat"; outputHashAlgo = "sha256";
    outputHash = "FIXED"; };
  source = builtins.toFile "source" "a source\\n";
  structured = sh "structured" { __structuredAttrs = true; words = [ "a" "b" ];
    args = [ "-c" "echo structured > ${builtins.placeholder "out"}" ]; };
  one = sh "one-NUMBER" { inherit source fixed; args = [ "-c" "read a < $source; echo one $a > $out" ]; };
  two = sh "two-NUMBER" { inherit one local structured;
    args = [ "-c" "read a < $one; read b < $local; read c < $structured; echo $a $b $c > $out" ]; };
in sh "three-NUMBER" { inherit two; args = [ "-c" "read a < $two; echo $a > $out" ]; }
"""


def filtered(lab, text="[key *]\n", trusted="root", daemon=None, **gateway):
    lab.daemon.start(trusted=trusted, suite=daemon)
    lab.policy(text, relay="filter", **gateway)
    lab.sshd(force_command=lab.serve())


def expression(lab):
    lab.made += 1
    local = nix.derivation(f"local-{lab.made}", "local")
    text = HEADLINE.replace("LOCAL", local).replace("FIXED", hashlib.sha256(b"fixed").hexdigest())
    return local, text.replace("NUMBER", str(lab.made))


def build_with_unsigned_input(lab, key, suite):
    local, whole = expression(lab)
    path = lab.client.build_here(local)
    assert os.path.exists(lab.client.where(path)), path
    return path, lab.build(key, expression=whole, suite=suite)


def each_headline(lab, names):
    client, daemon = (cases.need_suite(lab, name) for name in names)
    cases.need_account(lab)
    key = lab.key("alice")
    filtered(lab, daemon=daemon)
    path, result = build_with_unsigned_input(lab, key, client)
    assert lab.built(result) == "one a source local structured", str(result)


PAIRS = (None, "trixie", "sid")
cases.each(globals(), [(f"client_{c or 'own'}_daemon_{d or 'own'}", (c, d)) for c in PAIRS[1:] for d in PAIRS],
           each_headline)

if __name__ == "__main__":
    cases.main(globals())
