#!/usr/bin/env python3
"""`operations`, narrowed one by one: what is left out is refused by name, and what is put in is not; with the other settings
of a session as a whole."""
import bz2
import os

import cases
import grants
import wire

USUAL = ("query", "build", "upload", "download", "substitute")
LESS = {word: "operations = " + " ".join(other for other in USUAL if other != word) + "\n" for word in USUAL}


def more(word):
    return "operations = " + " ".join(USUAL + (word,)) + "\n"


def source(builder):
    """A path that everybody may upload."""
    tree = builder.lab.file(f"source-{next(grants.numbers)}", f"source {next(grants.numbers)}")
    result = builder.run("nix", "store", "add-file", tree)
    assert result.status == 0, str(result)
    return result.stdout.strip()


def there(builder):
    """A path that only the builder has."""
    path = grants.instantiated(builder.lab, grants.derivation("there"))
    result = builder.lab.client.run(["nix", "copy", "--derivation", "--to",
                                     f"unix://{builder.lab.daemon.socket}", path])
    assert result.status == 0, str(result)
    result = builder.lab.client.run(["nix-store", "--store", f"unix://{builder.lab.daemon.socket}", "--realise", path])
    assert result.status == 0, str(result)
    return result.stdout.strip().splitlines()[-1]


def query(builder):
    return builder.run("nix", "path-info", "--store", builder.url, there(builder))


def build(builder):
    return builder.build(grants.derivation("wish"))


def upload(builder):
    return builder.run("nix", "copy", "--to", builder.url, source(builder))


def download(builder):
    return builder.run("nix", "store", "cat", "--store", builder.url, there(builder))


def substitute(builder):
    """Asking the builder to fetch what it lacks."""
    session = grants.speak(builder.lab, builder.alice).enter()
    answer = session.ask(10, wire.text(f"{builder.lab.store}/{'a' * 32}-lacking"))
    session.end()
    return Said(answer.error)


class Said:
    """An answer to bytes, in the form of a program's result."""

    def __init__(self, error):
        self.status, self.text = int(error is not None), error or ""

    def __str__(self):
        return self.text


def check(builder):
    expression = grants.derivation("twice")
    builder.builds(expression)
    return builder.build(expression, words=("--rebuild",))


def log(builder):
    """Giving the builder the log of a build."""
    drv = grants.instantiated(builder.lab, grants.derivation("logged", "echo a log; echo > $out"), suite=builder.suite)
    assert builder.run("nix", "copy", "--derivation", "--to", builder.url, drv).status == 0
    session = grants.speak(builder.lab, builder.alice).enter()
    answer = session.ask(45, wire.text(os.path.basename(drv)) + wire.frames(b"a log\n"))
    session.end()
    return Said(answer.error)


def gc_roots(builder):
    return builder.run("nix-store", "--store", builder.url, "--gc", "--print-roots")


def gc(builder):
    return builder.run("nix", "store", "gc", "--store", builder.url)


def sign(builder):
    secret, _public = grants.signing_key(builder.lab, "alice-1")
    return builder.run("nix", "store", "sign", "--store", builder.url, "--key-file", secret, there(builder))


def list_all(builder):
    return builder.run("nix", "path-info", "--all", "--store", builder.url)


def realisations(builder):
    session = grants.speak(builder.lab, builder.alice).enter()
    body = f'{{"dependentRealisations":{{}},"id":"sha256:{"0" * 64}!out","outPath":"{"a" * 32}-x","signatures":[]}}'
    answer = session.ask(42, wire.text(body))
    session.end()
    return Said(answer.error)


def may_not(result):
    return "alice may not use " in result.text


def each_operation_that_is_left_out_is_refused(lab, case):
    action, without = case
    builder = grants.Builder(lab, without)
    result = action(builder)
    allowed = without.split("=")[1].strip() or "query build upload download substitute"
    assert result.status != 0 and may_not(result) and f"(allowed: {allowed})" in result.text, str(result)
    denied = grants.events(lab, "denied")[-1]
    assert denied["key"] == "alice" and denied["operation"] in result.text, denied


def each_operation_that_is_granted_is_done(lab, case):
    """The daemon may still refuse it to this account; that is not ours to say."""
    action, text, by_daemon = case
    builder = grants.Builder(lab, text)
    result = action(builder)
    assert not may_not(result) and not grants.events(lab, "denied"), str(result)
    assert (result.status == 0) != bool(by_daemon) and (by_daemon or "") in result.text, str(result)


ACTIONS = {"query": query, "build": build, "upload": upload, "download": download, "substitute": substitute}
EXTRA = {"check": check, "log": log, "gc-roots": gc_roots, "gc": gc, "sign": sign, "list-all": list_all,
         "realisations": realisations}
DAEMON_SAYS = {"substitute": "does not exist and cannot be created", "log": "build logs of trusted accounts only",
               "realisations": "Realisations"}
NARROW = [(word.replace("-", "_"), (action, LESS[word])) for word, action in ACTIONS.items()]
NARROW += [(word.replace("-", "_"), (action, "operations = " + " ".join(USUAL) + "\n")) for word, action in EXTRA.items()]
WIDE = [(word.replace("-", "_"), (action, more(word) if word in EXTRA else "", DAEMON_SAYS.get(word)))
        for word, action in {**ACTIONS, **EXTRA}.items()]
cases.each(globals(), NARROW, each_operation_that_is_left_out_is_refused)
cases.each(globals(), WIDE, each_operation_that_is_granted_is_done)


def each_trusted_daemon_keeps_the_log_of_a_build(lab, daemon):
    """It is given the one that the client has of its own build."""
    cases.need_account(lab)
    builder = grants.Builder(lab, more("log"), daemon=daemon, trusted=grants.in_trusted_users(lab))
    expression = grants.derivation("logged", "echo what the client saw; echo > $out")
    lab.client.build_here(expression)
    drv = grants.instantiated(lab, expression)
    for words in (("copy", "--derivation"), ("store", "copy-log")):
        result = builder.run("nix", *words, "--to", builder.url, drv)
        assert result.status == 0, str(result)
    base = os.path.basename(drv)
    with bz2.open(os.path.join(lab.daemon.env["NIX_LOG_DIR"], "drvs", base[:2], base[2:] + ".bz2"), "rt") as kept:
        assert kept.read() == "what the client saw\n"


cases.each(globals(), cases.CLIENTS, each_trusted_daemon_keeps_the_log_of_a_build)


def test_without_build_nothing_is_taken_off_an_upload(lab):
    """Nobody would rebuild it."""
    cases.need_account(lab)
    path = lab.client.build_here(grants.derivation("local"))
    builder = grants.Builder(lab, LESS["build"])
    result = builder.run("nix", "copy", "--no-check-sigs", "--to", builder.url, path)
    assert result.status != 0 and f"{path}; sign it (nix store sign)" in result.text, str(result)


# --- the session as a whole ---

def each_account_that_is_not_as_the_policy_says_refuses_the_session(lab, case):
    wanted, trusted, daemon, sentence = case
    key = lab.key("alice")
    names = grants.in_trusted_users(lab) if trusted else "root"
    suite = cases.need_suite(lab, daemon)
    grants.filtered(lab, daemon=suite, trusted=names, account=wanted)
    for scheme in ("ssh-ng", "ssh"):
        result = lab.ping(key, scheme=scheme)
        grants.refused(result, sentence)
    grants.filtered(lab, daemon=suite, trusted="root" if trusted else grants.in_trusted_users(lab), account=wanted)
    assert lab.ping(key).status == 0 and lab.ping(key, scheme="ssh").status == 0


ACCOUNTS = [(f"{wanted}_daemon_{daemon or 'own'}", (wanted, wanted == "untrusted", daemon, sentence))
            for daemon in (None, "sid") for wanted, sentence in (
                ("untrusted", "the Nix daemon says this account is trusted, and the policy wants it untrusted; take the "
                              "account out of trusted-users in nix.conf"),
                ("trusted", "the Nix daemon says this account is untrusted, and the policy wants it trusted; put the "
                            "account into trusted-users in nix.conf"))]


def each_build_goes_on_where_the_account_is_not_as_the_policy_says(lab, case):
    """Such a refusal is part of the greeting, so that the build goes to the next machine."""
    scheme, client = case
    suite = cases.need_suite(lab, client)
    alice, mallory = lab.key("alice"), lab.key("mallory")
    trusted = scheme == "ssh" or client is None
    grants.filtered(lab, "[key alice]\n" + ("trust = full\n" if trusted else ""),
                    trusted=grants.in_trusted_users(lab) if trusted else "root")
    path = lab.policy("[key mallory]\n", os.path.join(lab.folder, "refusing.ini"), relay="filter",
                      account="untrusted" if trusted else "trusted")
    lab.sshd(authorized_keys=[
        f'restrict,command="{lab.serve(" --key alice")}" {alice.line}',
        f'restrict,command="{lab.gateway} serve --key mallory --policy {path}" {mallory.line}'])
    result = lab.build(mallory, alice, scheme=scheme, suite=suite)
    assert lab.built(result) == "built", str(result)
    assert "nix-gateway: the Nix daemon says this account is" in result.text, str(result)


cases.each(globals(), [(f"{scheme.replace('-', '_')}_{name}", (scheme, client)) for scheme in ("ssh-ng", "ssh")
                       for name, client in cases.CLIENTS], each_build_goes_on_where_the_account_is_not_as_the_policy_says)
cases.each(globals(), ACCOUNTS, each_account_that_is_not_as_the_policy_says_refuses_the_session)


def test_an_idle_session_is_ended(lab):
    builder = grants.Builder(lab, "idle-time = 2s\n")
    session = grants.speak(lab, builder.alice).enter()
    session.is_valid(f"{lab.store}/{'a' * 32}-lacking")
    grants.wait_for(lambda: grants.events(lab, "session-end"), 6, "the session goes on")
    ended = grants.events(lab, "session-end")[0]
    assert ended["outcome"] == "idle" and "nothing for 2 seconds" in ended["reason"], ended
    session.end()


if __name__ == "__main__":
    cases.main(globals())
