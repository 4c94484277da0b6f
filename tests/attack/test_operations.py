#!/usr/bin/env python3
"""O1 to O14: what a grant does not name is refused by its name, the session goes on, and the daemon hears nothing of it,
whether our account is in its trusted-users or not."""

from ground import cases, main
import fake_daemon
import wire

RESULT = len(fake_daemon.build_result(38))
VALID = wire.Object("valid", b"it is here")
OTHER = wire.Object("other", b"it is not")
PATH = VALID.path
FOD = wire.FixedOutput()
DRV = FOD.path
ACCOUNTS = (("untrusted", 2), ("trusted", 1))


def collect(action=2, ignore=0):
    return wire.u64(action) + wire.texts([PATH]) + wire.u64(ignore) + wire.u64(0) * 4


def options(fixed=(0,) * 12, settings=()):
    return b"".join(wire.u64(number) for number in fixed) + wire.pairs(settings)


def add(name="n", method="text:sha256", references=(), repair=0, content=b"x"):
    return wire.text(name) + wire.text(method) + wire.texts(references) + wire.u64(repair) + wire.frames(content)


REALISATION = '{"id":"sha256:' + "0" * 64 + f'!out","outPath":"{PATH[11:]}","signatures":[],"dependentRealisations":{{}}}}'
LOG = wire.text(DRV[11:]) + wire.frames(b"a log that was never written\n" * 5000)
TARGETS = wire.texts([f"{DRV}!*"])

# Everything that the usual grant does not have: threat, number, the words of the refusal, the request, since when spoken.
REFUSED = {
    "o1_garbage_collection": (20, "CollectGarbage", collect(), 32),
    "o1_garbage_collection_of_everything": (20, "CollectGarbage", collect(3, 1), 32),
    "o2_indirect_root": (12, "AddIndirectRoot", wire.text("/tmp/a-root"), 32),
    "o2_permanent_root": (47, "AddPermRoot", wire.text(PATH) + wire.text("/home/b/.bashrc"), 36),
    "o3_signatures": (37, "AddSignatures", wire.text(PATH) + wire.texts(["x:" + "A" * 86 + "=="]), 32),
    "o3_no_signatures": (37, "AddSignatures", wire.text(PATH) + wire.texts([]), 32),
    "o4_realisation": (42, "RegisterDrvOutput", wire.text(REALISATION), 32),
    "o5_optimise": (34, "OptimiseStore", b"", 32),
    "o5_verify": (35, "VerifyStore", wire.u64(1) + wire.u64(0), 32),
    "o6_all_paths": (23, "QueryAllValidPaths", b"", 32),
    "o6_referrers": (6, "QueryReferrers", wire.text(PATH), 32),
    "o6_derivers": (33, "QueryValidDerivers", wire.text(PATH), 32),
    "o6_roots": (14, "FindRoots", b"", 32),
    "o6_hash_part": (29, "QueryPathFromHashPart", wire.text(PATH[11:43]), 32),
    "o7_build_log": (45, "AddBuildLog", LOG, 32),
    "o8_export": (16, "ExportPath", wire.text(PATH) + wire.u64(0), 32),
    "o8_import": (27, "ImportPaths", b"", 32),
    "o9_active_builds": (48, "QueryActiveBuilds", b"", 38),
    "o9_temp_roots": (49, "AddTempRoots", wire.texts([PATH]), 38),
    "o9_path_infos": (50, "QueryPathInfos", wire.texts([PATH]), 38),
    "o9_scanning": (1001, "AddToStoreScanning", wire.text("n") + wire.text("fixed:r:sha256") + wire.frames(VALID.nar), 38),
    "dead_3": (3, "HasSubstitutes", wire.text(PATH), 32),
    "dead_4": (4, "QueryPathHash", wire.text(PATH), 32),
    "dead_5": (5, "QueryReferences", wire.text(PATH), 32),
    "dead_24": (24, "QueryFailedPaths", b"", 32),
    "dead_25": (25, "ClearFailedPaths", wire.texts(["*"]), 32),
    "b6_repair_by_9": (9, "repair", TARGETS + wire.u64(1), 32),
    "b6_repair_by_46": (46, "repair", TARGETS + wire.u64(1), 34),
    "b6_repair_by_36": (36, "repair", wire.text(DRV) + FOD.basic + wire.u64(1), 32),
    "b7_check_by_9": (9, "BuildPaths", TARGETS + wire.u64(2), 32),
    "b7_check_by_46": (46, "BuildPathsWithResults", TARGETS + wire.u64(2), 34),
    "b7_check_by_36": (36, "BuildDerivation", wire.text(DRV) + FOD.basic + wire.u64(2), 32),
    "u1_repair_by_7": (7, "repair", add(repair=1), 32),
    "u1_repair_by_39": (39, "repair", VALID.add_nar(repair=1) + wire.frames(OTHER.nar), 32),
    "u1_repair_by_44": (44, "repair", wire.u64(1) + wire.u64(0) + wire.frames(wire.u64(1) + VALID.item()), 32),
    "repair_by_35": (35, "repair", wire.u64(0) + wire.u64(1), 32),
}


def each_is_refused(ground, case):
    (number, name, body, _since), trust, minor = case
    ground.daemon.trust = trust
    ground.daemon.add(VALID)
    ground.daemon.add_derivation(FOD)
    worker = ground.worker().enter(minor)
    before = ground.daemon.heard()
    sentence = worker.refused(number, body)
    assert name in sentence and sentence.startswith("nix-gateway: alice may not "), sentence
    assert ground.daemon.heard() == before, f"{ground.daemon.heard() - before} bytes of it went up"
    assert worker.is_valid(PATH) == 1, "the session is out of step"
    assert ground.daemon.ops() == [1], ground.daemon.ops()
    assert ground.daemon.store[PATH].nar == VALID.nar
    assert worker.end() == 0


def variants():
    """Both accounts at the newest version, and every version with the untrusted one."""
    for name, case in REFUSED.items():
        for label, trust in ACCOUNTS:
            yield f"{name}_by_the_{label}_account", (case, trust, 38)
        for minor in range(case[3], 38):
            yield f"{name}_at_1_{minor}", (case, 2, minor)


cases.each(globals(), variants(), each_is_refused)


def each_operation_without_a_known_length_ends_the_session(ground, trust):
    """O9: what belongs to builds themselves."""
    ground.daemon.trust = trust
    worker = ground.worker().enter()
    worker.send(wire.u64(1000) + wire.u64(0) + wire.text(DRV) + wire.text("out"))
    worker.has_ended("SubmitOutput")
    assert ground.daemon.ops() == []


cases.each(globals(), [(f"with_the_{label}_account", trust) for label, trust in ACCOUNTS],
           each_operation_without_a_known_length_ends_the_session)


def each_operation_of_a_later_version_is_unknown_before_it(ground, case):
    number, body, minor = case
    worker = ground.worker().enter(minor)
    worker.send(wire.u64(number) + body)
    worker.has_ended("not known")
    assert ground.daemon.ops() == []


cases.each(globals(), (("46_at_1_33", (46, TARGETS + wire.u64(0), 33)),
                       ("47_at_1_35", (47, wire.text(PATH) + wire.text("/l"), 35)), ("48_at_1_37", (48, b"", 37))),
           each_operation_of_a_later_version_is_unknown_before_it)

HOSTILE_SETTINGS = [("post-build-hook", "/tmp/hook"), ("sandbox", "false"), ("substituters", "http://cache.invalid"),
                    ("build-hook", "/tmp/hook"), ("trusted-public-keys", "evil:AAAA"), ("extra-sandbox-paths", "/etc"),
                    ("require-sigs", "false"), ("builders", "ssh://elsewhere"), ("build-users-group", "")]


def only_our_own_settings_went_up(ground):
    """Of op 19, where the gateway sends it at all: no name but `timeout`, and nothing of what this client asked for."""
    heard = b"".join(bytes(connection.received) for connection in ground.daemon.connections)
    for name, value in HOSTILE_SETTINGS:
        assert name.encode() not in heard and (len(value) < 8 or value.encode() not in heard), name
    for connection in ground.daemon.connections:
        for request in connection.requests:
            if request.op == 19:
                assert {name for name, _value in request.fields[12]} <= {b"timeout"}, request
                assert request.fields[0] == 0 and request.fields[4] != 9999, request


def each_setting_stays_here(ground, trust):
    """O10, O11: read, answered, and not passed on."""
    ground.daemon.trust = trust
    worker = ground.worker().enter()
    answer = worker.ask(19, options((1, 1, 1, 7, 9999, 8888, 1, 7, 0, 0, 0, 0), HOSTILE_SETTINGS))
    assert answer.error is None, answer.error
    assert worker.is_valid(PATH) == 0
    only_our_own_settings_went_up(ground)
    assert ground.daemon.ops() == [1]


cases.each(globals(), [(f"with_the_{label}_account", trust) for label, trust in ACCOUNTS], each_setting_stays_here)


def settings_upstream(ground):
    """The last ones: jobs, silence, cores, and the one named setting."""
    fields = [request.fields for connection in ground.daemon.connections for request in connection.requests
              if request.op == 19][-1]
    return fields[4], fields[5], fields[10], dict(fields[12]).get(b"timeout")


def each_wish_is_held_to_the_grant(ground, case):
    """O11. More than is granted is cut to it, less is given."""
    (jobs, silence, cores, timeout), expected = case
    ground.policy("max-jobs = 2\nmax-silent-time = 60s\ncores = 3\ntimeout = 2h")
    worker = ground.worker().enter()
    fixed = (0, 0, 0, 3, jobs, silence, 1, 0, 0, 0, cores, 1)
    assert worker.ask(19, options(fixed, [("timeout", str(timeout))])).error is None
    assert worker.is_valid(PATH) == 0
    assert settings_upstream(ground) == expected


cases.each(globals(), (("more", ((9999, 8888, 64, 999999), (2, 60, 3, b"7200"))),
                       ("without_end", ((9999, 0, 0, 0), (2, 60, 3, b"7200"))),
                       ("less", ((1, 30, 2, 600), (1, 30, 2, b"600")))), each_wish_is_held_to_the_grant)


def test_o12_a_flood_of_settings_ends_the_session(ground):
    worker = ground.worker().enter()
    worker.send(wire.u64(19) + wire.u64(0) * 12 + wire.u64(10**6) + wire.pairs([("timeout", "1")] * 1000)[8:])
    worker.has_ended("more items than are allowed")
    only_our_own_settings_went_up(ground)


def test_o12_a_setting_of_megabytes_ends_the_session(ground):
    worker = ground.worker().enter()
    worker.send(wire.u64(19) + wire.u64(0) * 12 + wire.u64(1) + wire.text("timeout") + wire.text(b"1" * (1 << 20)))
    worker.has_ended("longer than is allowed")


def test_o13_the_options_of_a_serve_build_stay_within_the_grant(ground):
    ground.daemon.add_derivation(FOD)
    serve = ground.serve().hello()
    serve.ask(8, wire.text(DRV) + FOD.basic + serve.build_options(keep_failed=1, repeats=5, silent=8888))
    assert serve.result()[0] == 0
    only_our_own_settings_went_up(ground)
    builds = [request for request in ground.daemon.asked() if request.op in (36, 46, 9)]
    assert len(builds) == 1 and builds[0].fields[-1] == 0, builds


def substitute_flag(ground):
    return [request.fields[1] for request in ground.daemon.asked() if request.op == 31]


def each_substitution_is_asked_for_only_where_it_is_granted(ground, case):
    """O14. Without the grant the question is answered all the same, by what is there."""
    granted, start = case
    ground.policy("" if granted else "operations = query build upload download")
    ground.daemon.add(VALID)
    assert start(ground, [PATH, OTHER.path]) == [PATH.encode()]
    assert substitute_flag(ground) == [int(granted)], ground.daemon.asked()


def by_worker(ground, paths):
    worker = ground.worker().enter()
    assert worker.ask(31, wire.texts(paths) + wire.u64(1)).error is None
    return worker.reader.texts()


def by_serve(ground, paths):
    return ground.serve().hello().valid(*paths, substitute=1)


cases.each(globals(), [(f"{label}_by_{start.__name__[3:]}", (granted, start))
                       for label, granted in (("granted", True), ("not_granted", False)) for start in (by_worker, by_serve)],
           each_substitution_is_asked_for_only_where_it_is_granted)

# What the usual grant has: a request, and how its reply is read.
GRANTED = {
    1: (wire.text(PATH), lambda reader: reader.u64()),
    11: (wire.text(PATH), lambda reader: reader.u64()),
    13: (b"", lambda reader: reader.u64()),
    19: (options(), lambda reader: None),
    26: (wire.text(PATH), lambda reader: (reader.u64(), reader.read(len(VALID.info())))),
    31: (wire.texts([PATH]) + wire.u64(0), lambda reader: reader.texts()),
    38: (wire.text(PATH), lambda reader: reader.nar()),
    40: (wire.texts([PATH]), lambda reader: reader.read(5 * 8)),
    10: (wire.text(PATH), lambda reader: reader.u64()),
    32: (wire.texts([PATH]), lambda reader: reader.texts()),
    30: (wire.pairs([(PATH, VALID.ca)]), lambda reader: reader.u64()),
    41: (wire.text(DRV), lambda reader: reader.pairs()),
    9: (TARGETS + wire.u64(0), lambda reader: reader.u64()),
    36: (wire.text(DRV) + FOD.basic + wire.u64(0), lambda reader: reader.read(RESULT)),
    46: (TARGETS + wire.u64(0), lambda reader: (reader.u64(), reader.text(), reader.read(RESULT))),
    8: (wire.text("t") + wire.text("the text") + wire.texts([]), lambda reader: reader.text()),
}


def each_granted_operation_works(ground, trust):
    """Not everything is refused: the same table's other half."""
    ground.daemon.trust = trust
    ground.daemon.add(VALID)
    ground.daemon.add_derivation(FOD)
    worker = ground.worker().enter()
    for number, (body, read) in GRANTED.items():
        answer = worker.ask(number, body)
        assert answer.error is None, f"{number}: {answer.error}"
        read(worker.reader)
    assert worker.is_valid(PATH) == 1 and worker.is_silent(0.05)
    assert worker.end() == 0


cases.each(globals(), [(f"with_the_{label}_account", trust) for label, trust in ACCOUNTS], each_granted_operation_works)

# In the order in which a refusal lists them.
CLASSES = {"query": (1, wire.text(PATH)), "build": (9, TARGETS + wire.u64(0)), "upload": (7, add()),
           "download": (38, wire.text(PATH)), "substitute": (10, wire.text(PATH))}


def each_class_can_be_taken_from_a_grant(ground, name):
    rest = " ".join(word for word in CLASSES if word != name)
    ground.policy(f"operations = {rest}")
    ground.daemon.add(VALID)
    ground.daemon.add_derivation(FOD)
    worker = ground.worker().enter()
    before = ground.daemon.heard()
    sentence = worker.refused(*CLASSES[name])
    assert f"(allowed: {rest})" in sentence, sentence
    assert ground.daemon.heard() == before
    number, body = CLASSES["build" if name == "query" else "query"]
    answer = worker.ask(number, body)
    assert answer.error is None, answer.error


cases.each(globals(), [(name, name) for name in CLASSES], each_class_can_be_taken_from_a_grant)


def each_build_of_bare_paths_needs_no_right_to_build(ground, number):
    """What names no derivation can only be substituted."""
    ground.policy("operations = query substitute")
    ground.daemon.add_derivation(FOD)
    worker = ground.worker().enter()
    assert worker.ask(number, wire.texts([PATH]) + wire.u64(0)).error is None
    worker.reader.read(8 if number == 9 else 8 + len(wire.text(PATH)) + RESULT)
    worker.refused(number, wire.texts([PATH, f"{DRV}!out"]) + wire.u64(0))
    worker.refused(number, wire.texts([DRV]) + wire.u64(0))
    assert worker.is_valid(PATH) == 0


cases.each(globals(), (("by_9", 9), ("by_46", 46)), each_build_of_bare_paths_needs_no_right_to_build)


def each_realisation_that_a_daemon_would_not_read_stays_here(ground, trust):
    """Such a daemon takes what comes behind the number for the next request, so neither may go up, whatever the grant."""
    ground.policy("operations = *\nderivations = *")
    ground.daemon.trust, ground.daemon.features = trust, ("delete-dead-specific-referrers", "realisation-with-path-not-hash")
    worker = ground.worker().enter()
    before = ground.daemon.heard()
    worker.refused(42, wire.text(REALISATION), "to nobody with this Nix daemon")
    assert worker.ask(43, wire.text("sha256:" + "0" * 64 + "!out")).error is None
    assert worker.reader.u64() == 0
    assert ground.daemon.heard() == before
    assert worker.is_valid(PATH) == 0 and worker.end() == 0


cases.each(globals(), [(f"with_the_{label}_account", trust) for label, trust in ACCOUNTS],
           each_realisation_that_a_daemon_would_not_read_stays_here)


def test_a_realisation_goes_to_a_daemon_that_reads_it(ground):
    ground.policy("operations = *\nderivations = *")
    ground.daemon.answers[42] = lambda connection, _request: connection.last()
    ground.daemon.answers[43] = lambda connection, _request: connection.last(wire.texts([REALISATION]))
    worker = ground.worker().enter()
    assert worker.ask(42, wire.text(REALISATION)).error is None
    assert worker.ask(43, wire.text("sha256:" + "0" * 64 + "!out")).error is None
    assert worker.reader.texts() == [REALISATION.encode()]
    assert ground.daemon.ops() == [42, 43]


def each_build_log_that_the_daemon_would_not_take_stays_here(ground, case):
    trust, name, sentence = case
    ground.policy("operations = *")
    ground.daemon.trust = trust
    worker = ground.worker().enter()
    before = ground.daemon.heard()
    worker.refused(45, wire.text(name) + wire.frames(b"a log\n" * 20000), sentence)
    assert ground.daemon.heard() == before and worker.is_valid(PATH) == 0 and worker.end() == 0


cases.each(globals(), (("untrusted", (2, DRV[11:], "trusted accounts only")),
                       ("of_no_derivation", (1, PATH[11:], "belongs to a derivation")),
                       ("of_a_whole_path", (1, DRV, "belongs to a derivation"))),
           each_build_log_that_the_daemon_would_not_take_stays_here)


def each_build_log_that_the_daemon_takes_goes_up_whole(ground, step):
    ground.policy("operations = *")
    ground.daemon.trust = 1

    def keep(connection, request):
        connection.content(request)
        connection.last(wire.u64(1))
    ground.daemon.answers[45] = keep
    worker, content = ground.worker().enter(), bytes(range(256)) * 1500
    assert worker.ask(45, wire.text(DRV[11:]) + wire.frames(content, step)).error is None
    assert worker.reader.u64() == 1
    [request] = ground.daemon.asked()
    assert (request.op, request.fields[0], request.content) == (45, DRV[11:].encode(), content)
    assert worker.is_valid(PATH) == 0 and worker.end() == 0


cases.each(globals(), (("in_small_frames", 777), ("in_one_frame", 1 << 20)), each_build_log_that_the_daemon_takes_goes_up_whole)


def test_a_build_log_that_the_daemon_refuses_in_its_middle_is_read_to_its_end(ground):
    ground.policy("operations = *")
    ground.daemon.trust = 1
    ground.daemon.answers[45] = lambda connection, _request: connection.error("no space left on device")
    worker = ground.worker().enter()
    answer = worker.ask(45, wire.text(DRV[11:]) + wire.frames(b"a log\n" * 200000))
    assert "no space left on device" in answer.error
    assert worker.is_valid(PATH) == 0 and worker.end() == 0


def each_question_about_a_derivation_names_one(ground, number):
    """Some daemons do not survive it where it names something else."""
    ground.daemon.add(VALID)
    worker = ground.worker().enter()
    worker.refused(number, wire.text(PATH), "paths that end in .drv")
    assert worker.is_valid(PATH) == 1 and ground.daemon.ops() == [1]


cases.each(globals(), (("by_22", 22), ("by_28", 28), ("by_41", 41)), each_question_about_a_derivation_names_one)


NEXT = wire.Object("next", b"in front of it")
ADDRESSES = (("of_other_content", OTHER.ca), ("of_another_kind", "fixed:r:sha1:" + "0" * 32), ("of_a_text", FOD.ca),
             ("that_is_none", "fixed"), ("of_no_known_kind", "fixed:git:sha1:" + "0" * 32))


def each_question_for_what_can_be_fetched_names_addresses_that_give_the_paths(ground, ca):
    """Some daemons do not survive any other; where there is none, the path itself is asked for."""
    worker = ground.worker().enter()
    worker.refused(30, wire.pairs([(NEXT.path, NEXT.ca), (PATH, ca)]), f"content addresses that give their paths): {PATH};")
    fine = [(NEXT.path, NEXT.ca), (PATH, VALID.ca), (DRV, FOD.ca), (OTHER.path, "")]
    assert worker.ask(30, wire.pairs(fine)).error is None and worker.reader.u64() == 0
    assert ground.daemon.ops() == [30]


cases.each(globals(), ADDRESSES, each_question_for_what_can_be_fetched_names_addresses_that_give_the_paths)


def test_what_is_no_signature_is_not_added_to_a_path(ground):
    ground.policy("operations = *")
    ground.daemon.trust = 1
    worker = ground.worker().enter()
    good = "x:" + "A" * 86 + "=="
    for bad in ("x", "x:", "x:AAAA", ":" + good[2:], good + "A"):
        assert bad in worker.refused(37, wire.text(PATH) + wire.texts([good, bad]), "signatures")
    assert worker.ask(37, wire.text(PATH) + wire.texts([good])).error is None and worker.reader.u64() == 1
    assert ground.daemon.ops() == [37]


def test_a_session_that_is_refused_again_and_again_is_ended(ground):
    """Each refusal is a record: a client that does nothing else would fill the disk of the audit."""
    worker = ground.worker().enter()
    for _ in range(20):
        worker.send(wire.u64(34) * 500)
        for _ in range(500):
            worker.is_refused(worker.answer())
    answer = worker.ask(34)
    assert "10000 requests of this session have been refused" in answer.error, answer.error
    assert worker.rest() == b"" and worker.end() == 1
    assert len(ground.records("denied")) == 10001 and len(ground.records("session-end")) == 1


def test_a_refusal_quotes_foreign_bytes_escaped(ground):
    """Names of a client come back on its terminal, and into the audit."""
    worker = ground.worker().enter()
    sentence = worker.refused(12, wire.text(b"/tmp/\x1b]0;x\x07\n%s\xff"))
    assert all(" " <= letter < "\x7f" for letter in sentence), sentence
    assert worker.is_valid(PATH) == 0


if __name__ == "__main__":
    main(globals())
