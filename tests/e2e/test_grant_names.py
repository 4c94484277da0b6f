#!/usr/bin/env python3
"""Every name of the policy that says what a derivation may be, shown to bite: without it a build is refused in the
contract's sentence, with it the same build is done."""
import http.server
import threading

import cases
import grants

FLOATING = {"__contentAddressed": "true", "outputHashMode": '"recursive"', "outputHashAlgo": '"sha256"'}


def each_name_bites(lab, case):
    expression, without, sentence, granted = case
    grants.Builder(lab, without).refuses(expression(), sentence)
    if granted is not None:
        grants.Builder(lab, granted).builds(expression())


def attribute(**attributes):
    return lambda: grants.derivation("wish", **attributes)


def fixed(**attributes):
    return lambda: grants.fixed("fixed", f"of {next(grants.numbers)}", **attributes)


KVM = attribute(requiredSystemFeatures='[ "big-parallel" ]')
NATIVE_ONLY = "systems = x86_64-linux\n"
RELAX = "relax the sandbox by '{}' (allowed: none)"
# What is built, a grant that does not do, the sentence, and a grant that does (None: not on this machine).
BITES = {
    "systems": (attribute(system="riscv64-linux"), NATIVE_ONLY, "build for 'riscv64-linux' (allowed: x86_64-linux)", None),
    "features": (KVM, "features = kvm\n", "use the feature 'big-parallel' (allowed: kvm)", "features = big-parallel\n"),
    "mandatory_features": (attribute(), "mandatory-features = big-parallel\n",
                           "build without the feature 'big-parallel' (allowed: with big-parallel)",
                           "mandatory-features =\n"),
    "derivations_input_addressed": (attribute(), "derivations = fixed-output\n",
                                    "build input-addressed derivations (allowed: fixed-output)",
                                    "derivations = input-addressed\n"),
    "derivations_fixed_output": (fixed(), "derivations = input-addressed\n",
                                 "build fixed-output derivations (allowed: input-addressed)",
                                 "derivations = fixed-output\n"),
    "derivations_content_addressed": (attribute(**FLOATING), "",
                                      "build content-addressed derivations (allowed: input-addressed fixed-output)",
                                      "derivations = content-addressed\n"),
    "derivations_impure": (attribute(__impure="true"), "derivations = content-addressed\n",
                           "build impure derivations (allowed: content-addressed)", "derivations = impure\n"),
    "derivations_dynamic": (lambda: text_derivation(), "derivations = content-addressed\n",
                            "build dynamic derivations (allowed: content-addressed)",
                            None),
    "fixed_output": (fixed(), "fixed-output = builtin\n",
                     "build a fixed output by a program of its own (allowed: builtin:fetchurl)", "fixed-output = any\n"),
    "relaxations_no_chroot": (attribute(__noChroot="true"), "", RELAX.format("no-chroot"), "relaxations = no-chroot\n"),
    "relaxations_impure_host_deps": (attribute(__impureHostDeps='[ "/etc/passwd" ]'), "",
                                     RELAX.format("impure-host-deps"), "relaxations = impure-host-deps\n"),
    "relaxations_sandbox_profile": (attribute(__sandboxProfile='"(allow default)"'), "", RELAX.format("sandbox-profile"),
                                    "relaxations = sandbox-profile\n"),
    "relaxations_local_networking": (attribute(__darwinAllowLocalNetworking="true"), "", RELAX.format("local-networking"),
                                     "relaxations = local-networking\n"),
    "impure_env_vars": (fixed(impureEnvVars='[ "SECRET" ]'), "impure-env-vars = http_proxy\n",
                        "read the variable 'SECRET' of the builder (allowed: http_proxy)", "impure-env-vars = SEC*\n"),
}


def text_derivation():
    """Its output is a derivation in its turn."""
    number = next(grants.numbers)
    return (f'derivation {{ name = "made-{number}.drv"; system = "x86_64-linux"; builder = "/bin/sh"; '
            '__contentAddressed = true; outputHashMode = "text"; outputHashAlgo = "sha256"; '
            'args = [ "-c" "echo no derivation > $out" ]; }')


cases.each(globals(), list(BITES.items()), each_name_bites)


def test_what_nixpkgs_sends_passes_by_default(lab):
    builder = grants.Builder(lab, "")
    variables = '[ "http_proxy" "https_proxy" "NIX_MIRRORS_gnu" "NIX_CURL_FLAGS" "NIX_HASHED_MIRRORS" ]'
    mac = {"__impureHostDeps": '[ "/bin/sh" "/usr/lib/libSystem.B.dylib" "/dev/zero" ]', "__sandboxProfile": '""',
           "__propagatedImpureHostDeps": "[ ]"}
    builder.builds(grants.fixed("fetched", "fetched", impureEnvVars=variables), grants.derivation("mac", **mac))


def test_mandatory_features_bind_what_is_asked_for_and_not_its_inputs(lab):
    builder = grants.Builder(lab, "mandatory-features = big-parallel\n")
    inner = grants.derivation("inner")
    outer = grants.derivation("outer", requiredSystemFeatures='[ "big-parallel" ]', inner=f"({inner})")
    builder.builds(outer)


def test_the_refused_derivation_may_lie_deep(lab):
    builder = grants.Builder(lab, NATIVE_ONLY)
    deep = grants.derivation("deep", system="riscv64-linux")
    top = grants.derivation("top", inner=f"({grants.derivation('middle', inner=f'({deep})')})")
    result = builder.build(top)
    name = deep.split('name = "', 1)[1].split('"', 1)[0]
    assert result.status != 0 and f"-{name}.drv; {grants.ASK}" in result.text, str(result)
    assert not [record for record in grants.events(lab, "build") if record["outcome"] == "built"], lab.records()


def test_a_fixed_output_by_builtin_fetchurl_is_built_where_no_other_is(lab):
    builder = grants.Builder(lab, "fixed-output = builtin\nsystems = none-at-all\n")
    with served(b"a file to fetch") as url:
        builder.builds(fetching(f"{url}/file"))
    result = builder.build(fetching("file:///etc/passwd"))
    assert result.status != 0 and "alice may not fetch 'file:///etc/passwd' (allowed: http:// https://)" in result.text, \
        str(result)


def fetching(url):
    expression = grants.fixed("fetched", "a file to fetch", url=f'"{url}"')
    return expression.replace('builder = "/bin/sh"', 'builder = "builtin:fetchurl"').replace("x86_64-linux", "builtin")


class served:
    """A file on the loopback interface."""

    def __init__(self, content):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_unused):
                pass
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_unused):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    cases.main(globals())
