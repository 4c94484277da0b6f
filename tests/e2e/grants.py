"""What the tests of the filter share: a builder that judges every request, and the derivations that it is asked for."""
import hashlib
import itertools
import json
import os
import shutil
import sys
import time

import cases
import lab as labs
from process import run

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "attack"))
import speaker

numbers = itertools.count(1)
ASK = "ask the builder's administrator"
CLIENT = "trixie"
EXPERIMENTS = "experimental-features = nix-command ca-derivations impure-derivations dynamic-derivations\n"


def filtered(lab, text="[key *]\n", trusted="root", daemon=None, settings="", keys=(), **gateway):
    """A builder with this policy; its account is outside trusted-users unless said. With `keys` each of them has its own
    section, else all share one."""
    lab.daemon.start(trusted=trusted, suite=daemon, settings=settings)
    lab.policy(text, relay="filter", **gateway)
    if keys:
        lab.sshd(authorized_keys=[f'restrict,command="{lab.serve(f" --key {key.name}")}" {key.line}' for key in keys])
    else:
        lab.sshd(force_command=lab.serve())


def in_trusted_users(lab):
    return f"root {lab.account.name}"


def plain(lab):
    """The same builder without the gateway, and with a PATH that was mended by hand."""
    variables = [f"{name}={value}" for name, value in lab.daemon.env.items() if name.startswith("NIX_")]
    lab.sshd(force_command="nix-daemon --stdio", variables=variables + ["NIX_REMOTE=daemon"],
             path=lab.daemon.env["PATH"])


def derivation(name, script="echo built > $out", system=None, **attributes):
    """The expression of a derivation by /bin/sh with a name that no other has; attributes are expressions."""
    more = "".join(f"{key} = {value}; " for key, value in attributes.items())
    return (f'derivation {{ name = "{name}-{next(numbers)}"; system = "{system or labs.own_system()}"; '
            f'builder = "/bin/sh"; {more}args = [ "-c" {quoted(script)} ]; }}')


def quoted(text):
    """Text as an expression."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${") + '"'


def fixed(name, text, script=None, **attributes):
    """The expression of a fixed output that holds the text."""
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return derivation(name, script or f"printf '{text}' > $out", outputHashMode='"flat"', outputHashAlgo='"sha256"',
                      outputHash=f'"{sha256}"', **attributes)


def instantiated(lab, expression, client=None, suite=None):
    """The .drv of an expression in the client's store."""
    result = (client or lab.client).run(["nix-instantiate", "--expr", expression], suite=suite)
    assert result.status == 0, str(result)
    return result.stdout.strip().split("!")[0]


def instantiated_all(lab, expressions):
    result = lab.client.run(["nix-instantiate", "--expr", "[ " + " ".join(f"({each})" for each in expressions) + " ]"])
    assert result.status == 0, str(result)
    return [line.split("!")[0] for line in result.stdout.split()]


def output_of(lab, drv):
    result = lab.client.run(["nix-store", "--query", "--outputs", drv])
    assert result.status == 0, str(result)
    return result.stdout.strip()


def build_there(lab, url, *expressions):
    """The words of a build in the builder's store: only the evaluation is the client's. Its store is not named `auto`, for
    that would be the builder's, which has the same name here."""
    return ["nix", "build", "--impure", "--json", "--no-link", "--store", url, "--eval-store",
            lab.client.env["NIX_REMOTE"], "--expr", "[ " + " ".join(f"({each})" for each in expressions) + " ]"]


def described(lab, path):
    """What the builder's own database says of a path; None where it is not valid."""
    result = lab.client.run(["nix", "path-info", "--json", "--store", f"unix://{lab.daemon.socket}", path])
    if result.status != 0:
        return None
    found = json.loads(result.stdout)[0]
    return found if found.get("valid", True) else None


def is_on_builder(lab, path):
    return described(lab, path) is not None


def says(result, sentence):
    """The sentence stands whole on one line of what the client printed."""
    text = f"nix-gateway: {sentence}"
    assert any(text in line for line in result.text.splitlines()), f"no '{text}' in\n{result}"


def refused(result, sentence):
    assert result.status not in (0, None), str(result)
    says(result, sentence)


def wait_for(condition, seconds, what):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def events(lab, event):
    return [record for record in lab.records() if record["event"] == event]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def speak(lab, key):
    """A client that writes its own bytes, through the same sshd."""
    argv = [shutil.which("ssh"), "-F", lab.hosts.path, f"{key.name}.lab", "nix-daemon", "--stdio"]
    return speaker.Worker(argv, lab.client.env, os.path.join(lab.folder, f"speaker-{next(numbers)}"))


def signing_key(lab, name):
    """A key pair of Nix's: where the secret half is, and the public one."""
    secret = lab.client.run(["nix", "key", "generate-secret", "--key-name", name])
    assert secret.status == 0, str(secret)
    path = lab.file(f"secret-{next(numbers)}", secret.stdout, 0o600)
    public = run(["nix", "key", "convert-secret-to-public"], env=lab.client.env, stdin=secret.stdout.encode())
    assert public.status == 0, str(public)
    return path, public.stdout.strip()


class Builder:
    """alice's, with these lines in her section. She has a client of the newest kind that knows all experiments."""

    def __init__(self, lab, text, daemon=CLIENT, settings=EXPERIMENTS, **how):
        self.lab, self.suite = lab, cases.need_suite(lab, CLIENT)
        self.alice = lab.key("alice")
        self.url = "ssh-ng://alice.lab"
        filtered(lab, f"[key alice]\n{text}", keys=[self.alice], daemon=cases.need_suite(lab, daemon),
                        settings=settings, **how)

    def run(self, *words, env=None):
        return self.lab.client.run(list(words), suite=self.suite, env={"NIX_CONFIG": EXPERIMENTS, **(env or {})})

    def build(self, *expressions, words=()):
        """In the builder's store: one request for all of them."""
        return self.run(*build_there(self.lab, self.url, *expressions), *words)

    def refuses(self, expression, sentence):
        """The derivation at fault stands behind the sentence."""
        result = self.build(expression)
        name = expression.split('name = "', 1)[1].split('"', 1)[0]
        assert result.status != 0, str(result)
        lines = [line for line in result.text.splitlines() if f"nix-gateway: alice may not {sentence}: " in line]
        assert lines and f"-{name}.drv; {ASK}" in lines[0], f"no '{sentence}' in\n{result}"

    def builds(self, *expressions, words=()):
        result = self.build(*expressions, words=words)
        assert result.status == 0, str(result)
        return result
