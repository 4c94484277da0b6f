#!/usr/bin/env python3
"""B1 to B7, P1 to P22: what may be built, as the whole program decides it. Each with an account that is in the daemon's
trusted-users and with one that is not; and whatever is refused, no daemon is asked to build anything."""
import time

from ground import cases, main
import fake_daemon
import wire

ACCOUNTS = (("untrusted", 2), ("trusted", 1))
GRANT = "systems = x86_64-linux\nfeatures = big-parallel"
ASKS_FOR_BUILDS = {9, 10, 36, 46}
LOOKS = {1, 11, 26, 31, 38, 40}         # what judging takes: roots, validity, the texts, and what a cache would have


# --- derivations, printed and hashed as Nix does it ---

def quoted(value):
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in value) + '"'


def tuples(rows):
    return "[" + ",".join("(" + ",".join(quoted(field) for field in row) + ")" for row in rows) + "]"


def strings(values):
    return "[" + ",".join(quoted(value) for value in values) + "]"


class Derivation:
    """One with a single output. `kind`: None for input-addressed, else what stands in the output's last two fields."""

    def __init__(self, name="thing", system="x86_64-linux", builder="/bin/sh", inputs=(), kind=None, args=("-c", "true"),
                 edit=None, **variables):
        self.name, self.system, self.builder, self.args = name, system, builder, list(args)
        self.inputs, self.kind = list(inputs), kind or ("", "")
        self.variables = {"name": name, "builder": builder, "system": system, **variables}
        self.out = self.output_path()
        self.outputs = [("out", self.out, *self.kind)]
        self.variables["out"] = self.out or "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"
        plain = self.printed(self.outputs, sorted((each.path, ["out"]) for each in self.inputs), self.variables)
        self.text = (edit(plain) if edit else plain).encode("utf-8", "surrogateescape")
        self.references = sorted(each.path for each in self.inputs)
        self.path = wire.store_path(":".join(["text", *self.references]), wire.sha256(self.text).hexdigest(),
                                    name + ".drv")
        self.ca = "text:sha256:" + wire.nix32(wire.sha256(self.text).digest())

    def printed(self, outputs, inputs, variables):
        rows = "[" + ",".join(f"({quoted(path)},{strings(names)})" for path, names in inputs) + "]"
        return (f"Derive({tuples(outputs)},{rows},[],{quoted(self.system)},{quoted(self.builder)},{strings(self.args)},"
                f"{tuples(sorted(variables.items()))})")

    def is_fixed(self):
        return self.kind[1] not in ("", "impure")

    def modulo(self):
        """What stands for it in the derivations that need it."""
        if self.is_fixed():
            return wire.sha256(f"fixed:out:{self.kind[0]}:{self.kind[1]}:{self.out}").hexdigest()
        return wire.sha256(self.printed([("out", self.out, *self.kind)], self.hashed_inputs(), self.variables)).hexdigest()

    def hashed_inputs(self):
        return sorted((each.modulo(), ["out"]) for each in self.inputs)

    def output_path(self):
        if self.is_fixed():
            inner = wire.sha256(f"fixed:out:{self.kind[0]}:{self.kind[1]}:").hexdigest()
        elif self.kind == ("", ""):
            masked = self.printed([("out", "", "", "")], self.hashed_inputs(), {**self.variables, "out": ""})
            inner = wire.sha256(masked).hexdigest()
        else:
            return ""
        return wire.store_path("output:out", inner, self.name)

    def basic(self, outputs=None, args=None, **other):
        """The BasicDerivation of it; what is given are the lies."""
        outputs = outputs or self.outputs
        variables = sorted({**self.variables, **other.get("variables", {})}.items())
        return (wire.u64(len(outputs)) + b"".join(wire.text(field) for row in outputs for field in row) + wire.texts([])
                + wire.text(other.get("system", self.system)) + wire.text(other.get("builder", self.builder))
                + wire.texts(self.args if args is None else args) + wire.pairs(variables))


def put(ground, *derivations):
    """Makes them valid, with all that they need; no output is."""
    for each in derivations:
        put(ground, *each.inputs)
        ground.daemon.store[each.path] = fake_daemon.Stored(wire.nar(each.text), each.references, ca=each.ca)
        ground.daemon.outputs[each.path] = [("out", each.out)]


def make_valid(ground, path):
    ground.daemon.store[path] = fake_daemon.Stored(wire.nar(b"built"))


SHA = wire.sha256("the file").hexdigest()
FIXED = ("sha256", SHA)


def fetch(url="http://127.0.0.1:1/the-file", **more):
    return Derivation(**{"name": "fetched", "system": "builtin", "builder": "builtin:fetchurl", "kind": FIXED, "args": (),
                         "url": url, **more})


# --- the ways in ---

def by_worker(number, suffix):
    def ask(ground, derivation):
        session = ground.worker().enter()
        answer = session.ask(number, wire.texts([derivation.path + suffix]) + wire.u64(0))
        if answer.error is None:
            session.reader.read(8 if number == 9 else 8 + len(wire.text(derivation.path + suffix))
                                + len(fake_daemon.build_result(38)))
        return session, answer.error
    return ask


def by_serve(ground, derivation):
    session = ground.serve().hello()
    session.ask(6, wire.texts([derivation.path]) + session.build_options())
    status = session.reader.u64()
    if status == 0:
        return session, None
    assert status == 9, status
    return session, told(session, session.reader.text().decode())


def told(session, message):
    """The sentence of the result stands on stderr as well, once."""
    session.waits_to_say(f"{message}\n")
    assert session.said().count(message) == 1, session.said()
    return message


def value_by_worker(ground, path, basic):
    session = ground.worker().enter()
    answer = session.ask(36, wire.text(path) + basic + wire.u64(0))
    if answer.error is None:
        session.reader.read(len(fake_daemon.build_result(38)))
    return session, answer.error


def value_by_serve(ground, path, basic):
    session = ground.serve().hello()
    session.ask(8, wire.text(path) + basic + session.build_options())
    status, message, _outputs = session.result()
    assert status in (0, 9), status
    return session, None if status == 0 else told(session, message)


def by_36(ground, derivation):
    return value_by_worker(ground, derivation.path, derivation.basic())


def by_serve_8(ground, derivation):
    return value_by_serve(ground, derivation.path, derivation.basic())


WAYS = (("by_9", by_worker(9, "!out")), ("by_46", by_worker(46, "!*")), ("by_serve_6", by_serve))
BY_VALUE = (("by_36", by_36), ("by_serve_8", by_serve_8))


def nothing_was_built(ground):
    asked = [request for request in ground.daemon.asked() if request.op not in LOOKS]
    assert asked == [], asked


def goes_on(session):
    path = wire.Object("absent", b"").path
    if hasattr(session, "trust"):
        assert session.is_valid(path) == 0
    else:
        assert session.valid(path) == []
    assert session.end() == 0


def is_refused(ground, way, derivation, sentence):
    """With a sentence for people, that names what it is about; and the session goes on."""
    session, error = way(ground, derivation)
    assert error is not None, "it was not refused"
    assert error.startswith("nix-gateway: alice may not "), error
    assert sentence in error and "\n" not in error, error
    nothing_was_built(ground)
    goes_on(session)


def is_built(ground, way, derivation):
    session, error = way(ground, derivation)
    assert error is None, error
    assert builds(ground), ground.daemon.asked()
    goes_on(session)


def builds(ground):
    return [request for request in ground.daemon.asked() if request.op in ASKS_FOR_BUILDS]


def variants(table, ways=WAYS):
    for name, case in table.items():
        for label, trust in ACCOUNTS:
            for way_label, way in ways:
                yield f"{name}_{way_label}_by_the_{label}_account", (case, way, trust)


def rows(label):
    """Names the tests of a table so that each begins with its row."""
    def named(table, test, ways=WAYS):
        for name, case in variants(table, ways):
            row, rest = name.split("_", 1)
            def one(ground, case=case):
                test(ground, case)
            globals()[f"test_{row}_{label}_{rest}"] = one
    return named


# --- what is refused ---

def json(text, **more):
    return Derivation(__json=text, **more)


def features(text):
    return json('{"requiredSystemFeatures":%s}' % text)


TOP = Derivation(name="top", inputs=[Derivation(name="middle", inputs=[Derivation(name="deep", system="aarch64-linux")])])
KVM, NO_JSON = "use the feature 'kvm'", "no strict JSON"
PLAIN = Derivation(name="plain")


def edited(old, new):
    def edit(text):
        assert old in text, f"{old} is not in {text}"
        return text.replace(old, new, 1)
    return Derivation(edit=edit, a="x", b="y")


def swapped(text):
    return text.replace('("a","x"),("b","y")', '("b","y"),("a","x")')


# Row and what is tried: the derivation, and the words of the refusal.
FORBIDDEN = {
    "p1_system": (Derivation(system="aarch64-linux"), "build for 'aarch64-linux' (allowed: x86_64-linux)"),
    "p1_system_in_capitals": (Derivation(system="X86_64-linux"), "build for 'X86_64-linux'"),
    "p1_beginning_of_a_system": (Derivation(system="x86_64-linu"), "build for 'x86_64-linu'"),
    "p2_system_deep_below": (TOP, f"build for 'aarch64-linux' (allowed: x86_64-linux): {TOP.inputs[0].inputs[0].path}"),
    "p3_feature": (Derivation(requiredSystemFeatures="kvm"), KVM),
    "p3_feature_among_others": (Derivation(requiredSystemFeatures="big-parallel\n\tkvm "), KVM),
    "p3_feature_below": (Derivation(inputs=[Derivation(name="below", requiredSystemFeatures="kvm")]), KVM),
    "p4_feature_in_json": (features('["kvm"]'), KVM),
    "p4_feature_in_json_env_has_another": (json('{"requiredSystemFeatures":["kvm"]}', requiredSystemFeatures="big-parallel"),
                                           KVM),
    "p4_feature_in_env_json_has_none": (json("{}", requiredSystemFeatures="kvm"), KVM),
    "p4_feature_in_env_json_is_empty": (json('{"requiredSystemFeatures":[]}', requiredSystemFeatures="kvm"), KVM),
    "p5_escape_in_the_value": (features('["\\u006bvm"]'), KVM),
    "p5_escape_in_the_name": (json('{"requ\\u0069redSystemFeatures":["kvm"]}'), KVM),
    "p5_name_twice": (json('{"requiredSystemFeatures":["kvm"],"requiredSystemFeatures":[]}'), NO_JSON),
    "p5_name_twice_the_second_escaped": (json('{"requiredSystemFeatures":[],"\\u0072equiredSystemFeatures":["kvm"]}'),
                                         NO_JSON),
    "p5_name_twice_below": (json('{"a":{"b":1,"b":2}}'), NO_JSON),
    "p5_a_text_for_a_list": (features('"kvm"'), "wrong type"),
    "p5_an_object_for_a_list": (features('{"kvm":true}'), "wrong type"),
    "p5_a_number_in_the_list": (features("[1]"), "wrong type"),
    "p5_a_list_in_the_list": (features('[["kvm"]]'), "wrong type"),
    "p5_null": (features("null"), "wrong type"),
    "p5_depth_of_100000": (json('{"a":' + "[" * 100000 + "]" * 100000 + "}"), NO_JSON),
    "p5_depth_of_100000_unended": (json("[" * 100000), NO_JSON),
    "p5_no_object": (json('["kvm"]'), NO_JSON),
    "p5_nothing": (json(""), NO_JSON),
    "p5_two_objects": (json('{}{"requiredSystemFeatures":["kvm"]}'), NO_JSON),
    "p5_comment": (json('{/* */"requiredSystemFeatures":["kvm"]}'), NO_JSON),
    "p5_comma_at_the_end": (json('{"requiredSystemFeatures":["kvm"],}'), NO_JSON),
    "p5_half_a_surrogate": (features('["\\ud800"]'), NO_JSON),
    "p6_unknown_builtin": (Derivation(builder="builtin:evil"), "use the builtin builder 'builtin:evil'"),
    "p6_builtin_without_a_name": (Derivation(builder="builtin:"), "use the builtin builder"),
    "p6_builtin_with_a_blank": (Derivation(builder="builtin:fetchurl "), "use the builtin builder"),
    "p6_system_builtin_with_a_program": (Derivation(system="builtin"), "use the builtin builder"),
    "p7_file": (fetch("file:///etc/shadow"), "fetch 'file:///etc/shadow' (allowed: http:// https://)"),
    "p7_s3": (fetch("s3://bucket/key"), "fetch 's3://bucket/key'"),
    "p7_no_scheme": (fetch("/etc/shadow"), "fetch '/etc/shadow'"),
    "p7_scheme_in_capitals": (fetch("FILE:///etc/shadow"), "fetch 'FILE:///etc/shadow'"),
    "p7_file_behind_a_blank": (fetch(" file:///etc/shadow"), "fetch 'file:///etc/shadow'"),
    "p7_file_among_urls": (fetch(urls="http://a/b file:///etc/shadow"), "fetch 'file:///etc/shadow'"),
    "p7_file_in_json": (fetch(__json='{"url":"file:///etc/shadow"}'), "fetch 'file:///etc/shadow'"),
    "p8_secret": (Derivation(kind=FIXED, impureEnvVars="http_proxy AWS_SECRET_ACCESS_KEY"),
                  "read the variable 'AWS_SECRET_ACCESS_KEY' of the builder"),
    "p8_secret_in_json": (json('{"impureEnvVars":["AWS_SECRET_ACCESS_KEY"]}', kind=FIXED),
                          "read the variable 'AWS_SECRET_ACCESS_KEY'"),
    "p9_no_chroot": (Derivation(__noChroot="1"), "relax the sandbox by 'no-chroot'"),
    "p9_no_chroot_true": (Derivation(__noChroot="true"), "relax the sandbox by 'no-chroot'"),
    "p9_no_chroot_in_json": (json('{"__noChroot":true}'), "relax the sandbox by 'no-chroot'"),
    "p9_no_chroot_escaped": (json('{"\\u005f_noChroot":true}'), "relax the sandbox by 'no-chroot'"),
    "p9_no_chroot_in_env_not_in_json": (json('{"__noChroot":false}', __noChroot="1"), "relax the sandbox by 'no-chroot'"),
    "p9_host_deps": (Derivation(__impureHostDeps="/etc"), "relax the sandbox by 'impure-host-deps'"),
    "p9_host_deps_around": (Derivation(__impureHostDeps="/usr/lib/../../etc"), "relax the sandbox by 'impure-host-deps'"),
    "p9_host_deps_beside": (Derivation(__impureHostDeps="/usr/library"), "relax the sandbox by 'impure-host-deps'"),
    "p9_profile": (Derivation(__sandboxProfile="(allow default)"), "relax the sandbox by 'sandbox-profile'"),
    "p9_networking": (Derivation(__darwinAllowLocalNetworking="1"), "relax the sandbox by 'local-networking'"),
    "p11_impure": (Derivation(kind=("r:sha256", "impure")), "build impure derivations"),
    "p12_dynamic": (Derivation(edit=lambda text: 'DrvWithVersion("xp-dyn-drv",' + text[len("Derive("):]), "dynamic"),
    "p12_output_named_as_a_derivation": (Derivation(name="made.drv"), "may not build dynamic"),
    "p12_fixed_output_named_as_a_derivation": (Derivation(name="made.drv", kind=FIXED), "may not build dynamic"),
    "p12_makes_a_derivation": (Derivation(name="made.drv", kind=("text:sha256", "")), "may not build "),
    "p13_floating": (Derivation(kind=("r:sha256", "")), "build content-addressed derivations"),
    "p14_recursive_nix": (Derivation(requiredSystemFeatures="recursive-nix"), "use the feature 'recursive-nix'"),
    "p14_uid_range": (Derivation(requiredSystemFeatures="uid-range"), "use the feature 'uid-range'"),
    "p16_bytes_behind_the_end": (Derivation(edit=lambda text: text + " "), "cannot be judged"),
    "p16_second_derivation_behind_it": (Derivation(edit=lambda text: text + text), "cannot be judged"),
    "p16_comma_in_front": (edited('["-c","true"]', '[,"-c","true"]'), "cannot be judged"),
    "p16_no_comma": (edited('["-c","true"]', '["-c""true"]'), "cannot be judged"),
    "p16_comma_at_the_end": (edited('["-c","true"]', '["-c","true",]'), "cannot be judged"),
    "p16_blank": (edited('["-c","true"]', '["-c", "true"]'), "cannot be judged"),
    "p16_newline_at_the_end": (Derivation(edit=lambda text: text + "\n"), "cannot be judged"),
    "p16_variable_twice": (edited('("a","x")', '("a","x"),("a","z")'), "cannot be judged"),
    "p16_system_twice": (edited('("system","x86_64-linux")', '("system","x86_64-linux"),("system","aarch64-linux")'),
                         "cannot be judged"),
    "p16_output_twice": (Derivation(edit=lambda text: text.replace("Derive([(", "Derive([(" + text[9:text.index(")]")]
                                                                   + "),(", 1)), "cannot be judged"),
    "p16_variables_out_of_order": (Derivation(a="x", b="y", edit=swapped), "cannot be judged"),
    "p16_escape_of_a_plain_letter": (edited('"x86_64-linux","/bin/sh"', '"\\x86_64-linux","/bin/sh"'), "cannot be judged"),
    "p16_newline_unescaped": (edited('("a","x")', '("a","x\n")'), "cannot be judged"),
    "p16_nul": (edited('("a","x")', '("a","x\0")'), "cannot be judged"),
    "p16_string_without_end": (Derivation(edit=lambda text: text[:-3]), "cannot be judged"),
    "p16_nothing": (Derivation(edit=lambda text: ""), "cannot be judged"),
    "p16_input_without_outputs": (Derivation(inputs=[PLAIN], edit=lambda text: text.replace('.drv",["out"])', '.drv",[])')),
                                  "cannot be judged"),
    "p16_input_twice": (Derivation(inputs=[PLAIN], edit=lambda text: text.replace(
        f'[("{PLAIN.path}",["out"])]', f'[("{PLAIN.path}",["out"]),("{PLAIN.path}",["out"])]')), "cannot be judged"),
    "p16_path_that_is_not_of_the_hash": (Derivation(kind=FIXED, edit=lambda text: text.replace(
        text[len('Derive([("out","'):][:44], "/nix/store/" + "0" * 32 + "-")), "cannot be judged"),
}


def each_forbidden_derivation(ground, case):
    (derivation, sentence), way, trust = case
    ground.policy(GRANT)
    ground.daemon.trust = trust
    put(ground, derivation)
    is_refused(ground, way, derivation, sentence)


rows("is_refused")(FORBIDDEN, each_forbidden_derivation)

# The same by value, where nothing is hidden in how a text is printed. Of input-addressed ones the value says nothing.
BY_VALUE_FORBIDDEN = {
    "p1_system": (Derivation(kind=FIXED, system="aarch64-linux"), "build for 'aarch64-linux'"),
    "p3_feature": (Derivation(kind=FIXED, requiredSystemFeatures="kvm"), KVM),
    "p4_feature_in_json": (json('{"requiredSystemFeatures":["kvm"]}', kind=FIXED), KVM),
    "p5_name_twice": (json('{"a":1,"a":2}', kind=FIXED), NO_JSON),
    "p6_unknown_builtin": (Derivation(kind=FIXED, builder="builtin:evil"), "use the builtin builder 'builtin:evil'"),
    "p6_system_builtin_with_a_program": (Derivation(kind=FIXED, system="builtin"), "use the builtin builder"),
    "p7_file": (fetch("file:///etc/shadow"), "fetch 'file:///etc/shadow'"),
    "p8_secret": (Derivation(kind=FIXED, impureEnvVars="AWS_SECRET_ACCESS_KEY"), "read the variable 'AWS_SECRET_ACCESS_KEY'"),
    "p9_no_chroot": (Derivation(kind=FIXED, __noChroot="1"), "relax the sandbox by 'no-chroot'"),
    "p11_impure": (Derivation(kind=("r:sha256", "impure")), "build impure derivations"),
    "p13_floating": (Derivation(kind=("r:sha256", "")), "build content-addressed derivations"),
    "p14_recursive_nix": (Derivation(kind=FIXED, requiredSystemFeatures="recursive-nix"), "use the feature 'recursive-nix'"),
}
rows("is_refused")(BY_VALUE_FORBIDDEN, each_forbidden_derivation, BY_VALUE)


# --- what is allowed: the other half of the table ---

ALLOWED = {
    "p1_system": Derivation(),
    "p2_closure": Derivation(name="top", inputs=[Derivation(name="a", inputs=[PLAIN]), PLAIN]),
    "p3_feature": Derivation(requiredSystemFeatures="big-parallel"),
    "p4_feature_in_json": features('["big-parallel"]'),
    "p6_fetchurl_for_any_system": fetch(system="aarch64-linux"),
    "p7_http": fetch(),
    "p8_proxy": Derivation(kind=FIXED, impureEnvVars="http_proxy NO_PROXY"),
    "p8_input_addressed_reads_none": Derivation(impureEnvVars="AWS_SECRET_ACCESS_KEY"),
    "p9_no_relaxation": Derivation(__sandboxProfile="", __impureHostDeps="/bin/sh /usr/lib/libSystem.B.dylib /dev/zero"),
    "p10_fixed_output": Derivation(kind=FIXED),
}


def each_derivation_within_the_grant(ground, case):
    derivation, way, trust = case
    ground.policy(GRANT)
    ground.daemon.trust = trust
    put(ground, derivation)
    is_built(ground, way, derivation)
    asked = builds(ground)
    assert len(asked) == 1 and asked[0].fields[-1] == 0, asked


rows("is_built")(ALLOWED, each_derivation_within_the_grant)


def each_fixed_output(ground, case):
    """P10. `builtin`: only those that no program of the client's makes; and none where the kind is not granted."""
    (grant, derivation, sentence), way, trust = case
    ground.policy(f"{GRANT}\n{grant}")
    ground.daemon.trust = trust
    put(ground, derivation)
    if sentence:
        is_refused(ground, way, derivation, sentence)
    else:
        is_built(ground, way, derivation)


PROGRAM = Derivation(kind=FIXED)
rows("fixed_output")({
    "p10_by_a_program": ("fixed-output = builtin", PROGRAM, "build a fixed output by a program of its own"),
    "p10_by_a_program_below": ("fixed-output = builtin", Derivation(inputs=[PROGRAM]), PROGRAM.path),
    "p10_by_fetchurl": ("fixed-output = builtin", fetch(), None),
    "p10_where_none_is_granted": ("derivations = input-addressed", Derivation(inputs=[fetch()]),
                                  "build fixed-output derivations"),
}, each_fixed_output)


# --- P2, P15, P17 to P19, P21: the walk ---

def prepared(ground, trust, *derivations, grant=GRANT):
    ground.policy(grant)
    ground.daemon.trust = trust
    put(ground, *derivations)


DEEP = Derivation(name="deep", system="aarch64-linux")
OVER = Derivation(name="over", inputs=[DEEP])


def by_account(test, label=""):
    """One test per account."""
    cases.each(globals(), [(f"by_the_{name}_account", trust) for name, trust in ACCOUNTS], test)
    return label


def each_p2_forbidden_input_that_is_there_need_not_be_built(ground, trust):
    prepared(ground, trust, OVER)
    make_valid(ground, DEEP.out)
    is_built(ground, by_worker(46, "!*"), OVER)


by_account(each_p2_forbidden_input_that_is_there_need_not_be_built)


def each_p15_derivation_that_is_missing_is_refused(ground, trust):
    """Not fetched unseen, not even where its output is there."""
    prepared(ground, trust, OVER)
    make_valid(ground, DEEP.out)
    del ground.daemon.store[DEEP.path]
    is_refused(ground, by_worker(46, "!*"), OVER, DEEP.path)


def each_p15_target_that_is_missing_is_refused(ground, trust):
    prepared(ground, trust)
    for number, suffix in ((9, "!out"), (46, "!*"), (46, "")):
        is_refused(ground, by_worker(number, suffix), PLAIN, PLAIN.path)


def each_p17_text_that_is_not_the_paths_is_refused(ground, trust):
    """The daemon gives out another one, which would be allowed."""
    prepared(ground, trust, OVER)
    ground.daemon.store[DEEP.path].nar = wire.nar(Derivation(name="deep").text)
    is_refused(ground, by_worker(46, "!*"), OVER, "is not the text that its path names")


def each_p17_file_of_another_kind_is_refused(ground, trust):
    """Whether refused or the end of the session: nothing runs."""
    for archive in (wire.nar({"a": PLAIN.text}), wire.nar("/etc/passwd"), wire.nar(b"")):
        prepared(ground, trust, PLAIN)
        ground.daemon.store[PLAIN.path].nar = archive
        session, error = by_worker(46, "!*")(ground, PLAIN)
        assert error is not None and error.startswith("nix-gateway: "), error
        nothing_was_built(ground)
        session.end()


def each_p18_circle_ends(ground, trust):
    """No hash leads in a circle; a store that says so is broken, and it is found out at once."""
    prepared(ground, trust)
    paths = [wire.store_path("text", wire.sha256(name).hexdigest(), name + ".drv") for name in ("one", "two")]
    for name, path, other in (("one", paths[0], paths[1]), ("two", paths[1], paths[0])):
        text = Derivation(name=name, inputs=[PLAIN], edit=lambda text, other=other: text.replace(PLAIN.path, other)).text
        ground.daemon.store[path] = fake_daemon.Stored(wire.nar(text), [other])
    one = Derivation(name="one")
    one.path = paths[0]
    began = time.monotonic()
    is_refused(ground, by_worker(46, "!*"), one, "is not the text that its path names")
    assert time.monotonic() - began < 2


def each_p18_lattice_is_walked_once(ground, trust):
    """Two to the thirtieth ways from top to bottom, and sixty derivations."""
    layer = [PLAIN, Derivation(name="plain-2")]
    known = {}
    for level in range(30):
        layer = [Derivation(name=f"level-{level}-{side}", inputs=layer) for side in "ab"]
        for each in layer:
            known[each.path] = each
            each.modulo = lambda value=each.modulo(): value        # Nix keeps these as well
    prepared(ground, trust, PLAIN, Derivation(name="plain-2"))
    for each in known.values():
        ground.daemon.store[each.path] = fake_daemon.Stored(wire.nar(each.text), each.references, ca=each.ca)
    began = time.monotonic()
    is_built(ground, by_worker(46, "!*"), layer[0])
    assert time.monotonic() - began < 2
    read = [request.fields[0] for request in ground.daemon.asked() if request.op == 38]
    assert len(read) == len(set(read)) == 61, len(read)


def each_p19_output_is_held_before_it_is_believed_to_be_there(ground, trust):
    """Else it could be collected between the question and the build, which would then run what nobody has judged."""
    prepared(ground, trust, OVER)
    make_valid(ground, DEEP.out)
    is_built(ground, by_worker(46, "!*"), OVER)
    asked = [(request.op, request.fields[0]) for request in ground.daemon.asked()]
    held = asked.index((11, DEEP.out.encode()))
    believed = next(at for at, (number, what) in enumerate(asked) if number == 31 and DEEP.out.encode() in what)
    assert held < believed, asked


def each_p19_output_that_has_gone_since_is_asked_for_anew(ground, trust):
    prepared(ground, trust, OVER)
    make_valid(ground, DEEP.out)
    session, error = by_worker(46, "!*")(ground, OVER)
    assert error is None, error
    before = len(builds(ground))
    del ground.daemon.store[DEEP.out]
    session.refused(46, wire.texts([f"{OVER.path}!*"]) + wire.u64(0), "build for 'aarch64-linux'")
    assert len(builds(ground)) == before, builds(ground)
    assert session.end() == 0


def says_missing(will_build, will_substitute):
    return lambda connection, _request: connection.last(wire.texts(will_build) + wire.texts(will_substitute)
                                                        + wire.texts([]) + wire.u64(0) * 2)


def each_p19_substitution_that_brings_nothing_is_no_leave_to_build(ground, trust):
    """The daemon says that it will fetch the output, and then has not."""
    prepared(ground, trust, OVER)
    ground.daemon.answers[40] = says_missing([OVER.path], [DEEP.out])
    session, error = by_worker(46, "!*")(ground, OVER)
    assert error is not None and "build for 'aarch64-linux'" in error, error
    asked = builds(ground)
    assert [request.fields for request in asked] == [[[DEEP.out.encode()], 0]], asked
    goes_on(session)


def each_p19_output_that_was_fetched_first_need_not_be_built(ground, trust):
    def fetching(connection, request):
        if request.fields[0] == [DEEP.out.encode()]:
            make_valid(ground, DEEP.out)
        fake_daemon.done(connection, request)
    prepared(ground, trust, OVER)
    ground.daemon.answers[40], ground.daemon.answers[9] = says_missing([OVER.path], [DEEP.out]), fetching
    is_built(ground, by_worker(46, "!*"), OVER)
    assert [request.op for request in builds(ground)] == [9, 46]


def each_p19_output_that_would_be_built_is_not_fetched(ground, trust):
    prepared(ground, trust, OVER)
    ground.daemon.answers[40] = says_missing([OVER.path, DEEP.path], [PLAIN.out])
    is_refused(ground, by_worker(46, "!*"), OVER, "build for 'aarch64-linux'")


def each_p12_name_of_an_output_of_an_output_ends_or_is_refused(ground, trust):
    for suffix in ("!out!out", "!out!*", "^out", "!", "!*,out", "!out,", "!../x", "!out^out"):
        prepared(ground, trust, PLAIN)
        session = ground.worker().enter()
        answer = session.ask(46, wire.texts([PLAIN.path + suffix]) + wire.u64(0))
        assert answer.error is not None and answer.error.startswith("nix-gateway: "), (suffix, answer.error)
        nothing_was_built(ground)
        session.end()


def each_p21_bare_derivation_is_judged_as_a_build(ground, trust):
    """Some daemons take it for the file, and some for all of its outputs."""
    for way in (by_worker(9, ""), by_worker(46, ""), by_serve):
        prepared(ground, trust, OVER)
        is_refused(ground, way, OVER, "build for 'aarch64-linux'")


def each_p21_bare_derivation_among_paths_is_judged(ground, trust):
    prepared(ground, trust, OVER)
    session = ground.worker().enter()
    targets = [wire.Object("other", b"o").path, f"{PLAIN.path}!out", OVER.path]
    put(ground, PLAIN)
    session.refused(9, wire.texts(targets) + wire.u64(0), "build for 'aarch64-linux'")
    nothing_was_built(ground)
    assert session.end() == 0


def each_p2_one_forbidden_target_refuses_all(ground, trust):
    prepared(ground, trust, PLAIN, OVER)
    session = ground.worker().enter()
    session.refused(46, wire.texts([f"{PLAIN.path}!*", f"{OVER.path}!*"]) + wire.u64(0), "build for 'aarch64-linux'")
    nothing_was_built(ground)
    assert session.end() == 0


def each_p20_setting_that_moves_builds_elsewhere_stays_here(ground, trust):
    """P20, P22. The daemon's own `builders` and caches are its administrator's: of the settings that a client sends only a
    limit goes up, so `builders` is neither passed on nor set to nothing by the gateway, and the daemon's own holds."""
    prepared(ground, trust, PLAIN, grant=f"{GRANT}\ntimeout = 2h\nuse-substitutes = true")
    session = ground.worker().enter()
    settings = [("builders", "ssh://elsewhere.invalid"), ("builders-use-substitutes", "true"), ("substitute", "false"),
                ("extra-platforms", "aarch64-linux"), ("system-features", "kvm")]
    fixed = b"".join(wire.u64(number) for number in (0, 0, 0, 3, 1, 0, 1, 0, 0, 0, 0, 0))
    assert session.ask(19, fixed + wire.pairs(settings)).error is None
    assert session.ask(46, wire.texts([f"{PLAIN.path}!*"]) + wire.u64(0)).error is None
    heard = b"".join(bytes(connection.received) for connection in ground.daemon.connections)
    for name, value in settings:
        assert wire.text(name) not in heard and wire.text(value) not in heard, name
    ours = [request for connection in ground.daemon.connections for request in connection.requests if request.op == 19]
    assert ours and all([name for name, _value in request.fields[12]] == [b"timeout"] for request in ours), ours
    assert all(request.fields[11] == 1 for request in ours), "P22: the client has turned substitution off"


def each_failing_result_of_a_hook_can_be_read_by_its_client(ground, case):
    """The clients of 1.35 take the text of an error for a format, and fail at what a log has of it."""
    minor, expected = case
    put(ground, PLAIN)
    failure = "builder failed; its log: 100%\n 5%x done"
    ground.daemon.answers[46] = lambda connection, request: connection.last(
        wire.u64(1) + wire.text(request.fields[0][0]) + fake_daemon.build_result(connection.minor, 3, failure))
    session = ground.worker().enter(minor)
    answer = session.ask(46, wire.texts([f"{PLAIN.path}!*"]) + wire.u64(0))
    assert answer.error == expected, answer.error
    goes_on(session)


cases.each(globals(), (("at_1_34", (34, "builder failed; its log: 100%\n 5%x done")),
                       ("at_1_35", (35, "builder failed; its log: 100%%\n 5%%x done")),
                       ("at_1_37", (37, "builder failed; its log: 100%\n 5%x done"))),
           each_failing_result_of_a_hook_can_be_read_by_its_client)

for one_per_account in [test for name, test in list(globals().items()) if name.startswith(("each_p12_", "each_p15_", "each_p17_",
                        "each_p18_", "each_p19_", "each_p20_", "each_p21_", "each_p2_one"))]:
    by_account(one_per_account)


# --- B1 to B7: builds by value, and modes ---

VICTIM = "/nix/store/00000000000000000000000000000000-glibc"


def asks_by_value(ground, serve, path, basic):
    """A BuildDerivation of either protocol; gives the session and the error."""
    return (value_by_serve if serve else value_by_worker)(ground, path, basic)


def is_refused_by_value(ground, serve, path, basic, sentence):
    session, error = asks_by_value(ground, serve, path, basic)
    assert error is not None and error.startswith("nix-gateway: alice may not ") and sentence in error, error
    nothing_was_built(ground)
    goes_on(session)


CLIENTS = [(f"{name}_by_the_{label}_account", (serve, trust)) for name, serve in (("by_36", False), ("by_serve_8", True))
           for label, trust in ACCOUNTS]


def each_b1_forged_output_is_refused(ground, case):
    """Whether the .drv that is named is on the builder or not."""
    serve, trust = case
    for there in (False, True):
        prepared(ground, trust, *([PLAIN] if there else []))
        for name in ("glibc", "plain"):
            path = wire.store_path("text", SHA, name + ".drv") if not there else PLAIN.path
            output = VICTIM if not there else VICTIM.replace("glibc", "plain")
            basic = PLAIN.basic(outputs=[("out", output, "", "")], variables={"out": output})
            is_forged_refusal(ground, serve, path, basic)


def is_forged_refusal(ground, serve, path, basic):
    session, error = asks_by_value(ground, serve, path, basic)
    assert error is not None and error.startswith("nix-gateway: alice may not "), error
    assert "ssh-ng://" in error or "cannot be judged" in error, error
    nothing_was_built(ground)
    goes_on(session)


def each_b1_refusal_says_the_cure(ground, case):
    serve, trust = case
    prepared(ground, trust)
    path = wire.store_path("text", SHA, "glibc.drv")
    basic = PLAIN.basic(outputs=[("out", VICTIM, "", "")], variables={"out": VICTIM, "name": "glibc"})
    is_refused_by_value(ground, serve, path, basic, "use ssh-ng:// and Nix 2.16 or newer")


def each_b1_input_addressed_derivation_without_its_drv_is_refused(ground, case):
    """Even where it says the truth: nobody can know it."""
    serve, trust = case
    prepared(ground, trust)
    is_refused_by_value(ground, serve, PLAIN.path, PLAIN.basic(), "use ssh-ng:// and Nix 2.16 or newer")


def each_b2_mixture_of_outputs_is_refused(ground, case):
    serve, trust = case
    fixed = Derivation(kind=FIXED)
    for other in (("dev", VICTIM, "", ""), ("dev", "", "", ""), ("dev", "", "r:sha256", ""), ("dev", "", "r:sha256", "impure"),
                  ("dev", fixed.out + "-dev", *FIXED)):
        for outputs in (fixed.outputs + [other], [other] + fixed.outputs):
            prepared(ground, trust, grant=f"{GRANT}\nderivations = *")
            is_refused_by_value(ground, serve, fixed.path, fixed.basic(outputs=outputs, variables={"dev": other[1]}),
                                "cannot be judged")


def each_b3_path_that_is_not_of_the_hash_is_refused(ground, case):
    serve, trust = case
    fixed = Derivation(kind=FIXED)
    other = wire.sha256("another file").hexdigest()
    for row in (("out", VICTIM.replace("glibc", "thing"), *FIXED), ("out", VICTIM, *FIXED), ("out", fixed.out, "sha256", other),
                ("out", fixed.out, "r:sha256", SHA), ("out", fixed.out, "sha1", SHA[:40]), ("other", fixed.out, *FIXED),
                ("out", fixed.out, "sha256", SHA.upper() + "0")):
        prepared(ground, trust)
        is_refused_by_value(ground, serve, fixed.path, fixed.basic(outputs=[row], variables={"out": row[1]}),
                            "cannot be judged")


def each_b4_path_of_the_derivation_is_computed_here(ground, case):
    """Whatever path is named, the daemon hears the one of what it is to build."""
    serve, trust = case
    fixed = Derivation(kind=FIXED)
    foreign = wire.store_path("text", SHA, "thing.drv")
    prepared(ground, trust)
    session, error = asks_by_value(ground, serve, foreign, fixed.basic())
    assert error is None, error
    request, = builds(ground)
    assert request.op == 36 and request.fields[0] == fixed.path.encode(), (request, fixed.path)
    assert request.fields[-1] == 0
    goes_on(session)


def each_b4_path_of_another_stored_derivation_is_not_passed_on(ground, case):
    """The named .drv is there, and is another one."""
    serve, trust = case
    fixed, stored = Derivation(kind=FIXED), Derivation(requiredSystemFeatures="big-parallel")
    prepared(ground, trust, stored)
    session, error = asks_by_value(ground, serve, stored.path, fixed.basic())
    assert error is None, error
    request, = builds(ground)
    assert request.fields[0] == fixed.path.encode(), request
    goes_on(session)


def each_b5_stored_derivation_is_built_as_it_is_stored(ground, case):
    """Whatever else the message says of it: another builder, other arguments, another system."""
    serve, trust = case
    for lies in ({}, {"args": ["-c", "cp /etc/shadow $out"]}, {"builder": "/bin/evil"}, {"variables": {"secret": "x"}},
                 {"system": "i686-linux"}):
        ground.daemon.connections.clear()
        prepared(ground, trust, PLAIN)
        session, error = asks_by_value(ground, serve, PLAIN.path, PLAIN.basic(**lies))
        assert error is None, (lies, error)
        request, = builds(ground)
        assert (request.op, request.fields) == (46, [[f"{PLAIN.path}!*".encode()], 0]), request
        heard = b"".join(bytes(connection.received) for connection in ground.daemon.connections)
        assert b"shadow" not in heard and b"evil" not in heard and b"secret" not in heard
        goes_on(session)


def each_b5_stored_derivation_is_judged_as_it_is_stored(ground, case):
    """The message says an allowed system and no feature; the text on the builder does not."""
    serve, trust = case
    for stored, sentence in ((Derivation(system="aarch64-linux"), "build for 'aarch64-linux'"),
                             (Derivation(requiredSystemFeatures="kvm"), KVM), (OVER, DEEP.path)):
        prepared(ground, trust, stored)
        is_refused_by_value(ground, serve, stored.path,
                            stored.basic(system="x86_64-linux", variables={"requiredSystemFeatures": ""}), sentence)


def each_b5_other_output_path_is_refused(ground, case):
    serve, trust = case
    for path in (VICTIM.replace("glibc", "plain"), Derivation(name="plain", a="another").out):
        prepared(ground, trust, PLAIN)
        is_refused_by_value(ground, serve, PLAIN.path,
                            PLAIN.basic(outputs=[("out", path, "", "")], variables={"out": path}), "ssh-ng://")


for by_value in [test for name, test in list(globals().items()) if name.startswith(("each_b1_", "each_b2_", "each_b3_", "each_b4_",
                                                                                   "each_b5_"))]:
    cases.each(globals(), CLIENTS, by_value)

MODES = {"b6_repair": 1, "b6_repair_257": 257, "b6_repair_above_32_bits": (1 << 32) + 1, "b6_repair_negative": (1 << 64) - 1,
         "b7_check": 2, "b7_check_258": 258, "b7_check_above_32_bits": (1 << 32) + 2, "b7_unknown": 3}


def each_mode(ground, case):
    """B6, B7. A number that is no mode ends the session; either way nothing of it goes up."""
    (number, mode), trust = case
    prepared(ground, trust, PLAIN, Derivation(kind=FIXED))
    session = ground.worker().enter()
    fixed = Derivation(kind=FIXED)
    body = wire.text(fixed.path) + fixed.basic() if number == 36 else wire.texts([f"{PLAIN.path}!*"])
    answer = session.ask(number, body + wire.u64(mode))
    assert answer.error is not None and answer.error.startswith("nix-gateway: "), answer.error
    assert ground.daemon.ops() == [], ground.daemon.ops()
    assert session.end() in (0, 1)


for mode_name, mode_number in MODES.items():
    for operation in (9, 36, 46):
        for account, flag in ACCOUNTS:
            def one_mode(ground, case=((operation, mode_number), flag)):
                each_mode(ground, case)
            globals()[f"test_{mode_name}_by_{operation}_is_refused_by_the_{account}_account"] = one_mode
del one_mode


def each_b6_repair_is_refused_whatever_the_grant(ground, trust):
    for number in (9, 46):
        prepared(ground, trust, PLAIN, grant="operations = *\ntrust = full\nderivations = *\nrelaxations = *")
        session = ground.worker().enter()
        session.refused(number, wire.texts([f"{PLAIN.path}!*"]) + wire.u64(1), "repair")
        assert ground.daemon.ops() == [], ground.daemon.ops()
        assert session.end() == 0


def each_b7_check_that_is_granted_is_judged_though_its_output_is_there(ground, trust):
    """For a check runs it again."""
    checks = "\noperations = query build upload download substitute check"
    for number in (9, 46):
        ground.daemon.connections.clear()
        prepared(ground, trust, DEEP, PLAIN, grant=GRANT + checks)
        make_valid(ground, DEEP.out)
        make_valid(ground, PLAIN.out)
        session = ground.worker().enter()
        session.refused(number, wire.texts([f"{DEEP.path}!*"]) + wire.u64(2), "build for 'aarch64-linux'")
        nothing_was_built(ground)
        assert session.ask(number, wire.texts([f"{PLAIN.path}!*"]) + wire.u64(2)).error is None
        assert [request.fields[-1] for request in builds(ground)] == [2], builds(ground)
        session.end()


by_account(each_b6_repair_is_refused_whatever_the_grant)
by_account(each_b7_check_that_is_granted_is_judged_though_its_output_is_there)


if __name__ == "__main__":
    main(globals())
