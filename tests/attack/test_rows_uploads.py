#!/usr/bin/env python3
"""U2 to U7, U14 to U16, U18 to U20, and the archives of U9 to U12 once more with an account that the daemon trusts: what a
client may put into the store. The daemon's record shows what was kept from it."""
import time

from ground import cases, main
from signing import Unsigned, fingerprint, signer
import fake_daemon
import test_upload_archives as archives
import uploads
import wire

ACCOUNTS = (("untrusted", 2), ("trusted", 1))
TAKEN_OFF = "unsigned paths not stored, to be rebuilt here"
LACKS = "neither content-addressed nor signed"
CA = wire.Object("addressed", b"by its content")
NEXT = wire.Object("next", b"what comes behind it")
SMALL_KIB = 80 * 1024
REPAIR, DONT_CHECK = 9, 10          # fields of AddToStoreNar
PLAIN = Unsigned()


def by_accounts(test):
    cases.each(globals(), [(f"with_the_{label}_account", trust) for label, trust in ACCOUNTS], test)
    return test


def by_accounts_and(variants, test):
    cases.each(globals(), [(f"{name}_with_the_{label}_account", (value, trust)) for name, value in variants
                           for label, trust in ACCOUNTS], test)


def prepared(ground, trust, grant=""):
    ground.policy(grant)
    ground.daemon.trust = trust
    ground.daemon.connections.clear()


def many(*items, dont_check=1):
    whole = wire.u64(len(items)) + b"".join(items)
    return wire.u64(44) + wire.u64(0) + wire.u64(dont_check) + wire.frames(whole, step=1000)


def one(item, dont_check=1, archive=None, **lies):
    return wire.u64(39) + item.add_nar(dont_check=dont_check, **lies) + wire.frames(archive or item.nar)


UPLOADS = (("by_39", one), ("by_44", lambda item, dont_check=1, **lies: many(item.item(**lies), dont_check=dont_check)))


def added(ground):
    """What the daemon was asked to store."""
    return [request for request in ground.daemon.asked() if request.op in (7, 8, 39, 44)]


def nothing_was_added(ground):
    assert added(ground) == [], added(ground)


def is_taken_off(session, body, count=1):
    session.send(body)
    answer = session.answer()
    assert answer.error is None, answer.error
    assert any(f"nix-gateway: {count} {TAKEN_OFF}".encode() in line for line in answer.lines()), answer.log


def is_refused(ground, session, body, sentence):
    """And the next upload works."""
    session.send(body)
    error = session.is_refused(session.answer(), sentence)
    before = len(added(ground))
    session.send(one(NEXT))
    answer = session.answer()
    assert answer.error is None, answer.error
    assert len(added(ground)) == before + 1 and NEXT.path in ground.daemon.store
    return error


# --- U2, U3: nobody has signed it ---

def each_u2_unsigned_path_is_taken_off_the_wire(ground, case):
    upload, trust = case
    prepared(ground, trust)
    session = ground.worker().enter()
    is_taken_off(session, upload(PLAIN))
    nothing_was_added(ground)
    [record] = ground.records("rebuild")
    assert (record["path"], record["bytes"]) == (PLAIN.path, len(PLAIN.nar))
    assert session.is_valid(PLAIN.path) == 0
    assert session.ask(31, wire.texts([PLAIN.path]) + wire.u64(0)).error is None and session.reader.texts() == []
    assert session.ask(26, wire.text(PLAIN.path)).error is None and session.reader.u64() == 0
    assert session.end() == 0


def each_u2_unsigned_path_is_refused_where_policy_says_so(ground, case):
    upload, trust = case
    prepared(ground, trust, "unsigned-uploads = refuse")
    error = is_refused(ground, ground.worker().enter(), upload(PLAIN), PLAIN.path)
    assert LACKS in error, error
    assert [request.fields[0] for request in added(ground)] == [NEXT.path.encode()]


def each_u2_unsigned_path_of_a_copy_is_refused(ground, case):
    """dontCheckSigs 0: the client believes that it is stored."""
    upload, trust = case
    prepared(ground, trust)
    is_refused(ground, ground.worker().enter(), upload(PLAIN, dont_check=0), PLAIN.path)


def each_u3_unsigned_path_of_a_key_that_may_not_build_is_refused(ground, case):
    upload, trust = case
    prepared(ground, trust, "operations = query upload download")
    error = is_refused(ground, ground.worker().enter(), upload(PLAIN), PLAIN.path)
    assert LACKS in error, error


for test in (each_u2_unsigned_path_is_taken_off_the_wire, each_u2_unsigned_path_is_refused_where_policy_says_so,
             each_u2_unsigned_path_of_a_copy_is_refused, each_u3_unsigned_path_of_a_key_that_may_not_build_is_refused):
    by_accounts_and(UPLOADS, test)


@by_accounts
def each_u2_unsigned_path_of_serve_is_refused(ground, trust):
    prepared(ground, trust)
    session = ground.serve().hello()
    session.send(wire.u64(9) + wire.text(PLAIN.path) + PLAIN.info() + PLAIN.nar)
    assert session.reader.u64() == 0
    session.waits_to_say(PLAIN.path)
    nothing_was_added(ground)
    session.send(wire.u64(9) + wire.text(CA.path) + CA.info() + CA.nar)
    assert session.reader.u64() == 1 and CA.path in ground.daemon.store
    assert session.end() == 0


@by_accounts
def each_u2_unsigned_path_among_others_is_the_only_one_taken_off(ground, trust):
    prepared(ground, trust)
    session = ground.worker().enter()
    is_taken_off(session, many(CA.item(), PLAIN.item(), NEXT.item()))
    assert set(ground.daemon.store) == {CA.path, NEXT.path}
    assert session.end() == 0


# --- U4 to U6: who is believed ---

def checks_signatures(ground):
    """The daemon as it is where it has to check: it knows nobody's key."""
    def add(connection, request):
        if request.fields[DONT_CHECK] == 1 or request.fields[8]:
            return fake_daemon.answer_honestly(connection, request)
        connection.content(request)
        path = request.fields[0].decode()
        return connection.error(f"cannot add path '{path}' because it lacks a signature by a trusted key")
    ground.daemon.answers[39] = add


def believed(ground):
    return [request for request in added(ground) if request.fields[DONT_CHECK] != 0]


KEY, SIGN = signer()
OTHER_KEY, OTHER_SIGN = signer()
TRUSTS = f"trust = signed\ntrusted-public-keys = alice-1:{KEY}"


def each_u4_wish_not_to_be_checked_is_not_passed_on(ground, case):
    """For a path that states its content, for one with a signature by a stranger, and for an unsigned one."""
    upload, trust = case
    signed = {"signatures": [SIGN("alice-1", fingerprint(PLAIN))]}
    for item, lies in ((CA, {}), (PLAIN, signed), (PLAIN, {})):
        prepared(ground, trust)
        checks_signatures(ground)
        session = ground.worker().enter()
        session.send(upload(item, **lies))
        assert session.answer().error is None
        assert believed(ground) == [] and len(added(ground)) == (1 if item is CA or lies else 0), added(ground)
        assert session.is_valid(item.path) == (1 if item is CA else 0)
        assert session.end() == 0


def each_u5_signature_of_a_listed_key_is_believed(ground, case):
    """The other half: what the rows below change is what decides."""
    upload, trust = case
    item = Unsigned("signed", b"x", [CA.path, NEXT.path])
    prepared(ground, trust, TRUSTS)
    checks_signatures(ground)
    session = ground.worker().enter()
    session.send(upload(item, signatures=[SIGN("alice-1", fingerprint(item))]))
    assert session.answer().error is None
    request, = added(ground)
    assert request.fields[DONT_CHECK] == 1 and request.fields[REPAIR] == 0 and request.content == item.nar
    assert session.is_valid(item.path) == 1
    assert session.end() == 0


def each_u4_signature_that_nobody_checks_is_not_stored(ground, case):
    """What is no signature stays with a path for good, and some clients then take the path for broken."""
    upload, trust = case
    own, junk = SIGN("alice-1", fingerprint(PLAIN)), ["no signature", "a:b", "cache-1:" + "A" * 86 + "=="]
    for item, signatures, grant, left in ((CA, junk, "", []), (PLAIN, [*junk, own], TRUSTS, [own.encode()]),
                                          (PLAIN, junk, "", [junk[-1].encode()])):
        prepared(ground, trust, grant)
        session = ground.worker().enter()
        session.send(upload(item, signatures=signatures))
        assert session.answer().error is None
        request, = added(ground)
        assert request.fields[7] == left, request
        assert session.end() == 0


SIGNED = Unsigned("signed", b"x", [CA.path, NEXT.path])
ABOUT_ANOTHER = {
    "u5_key_of_another": OTHER_SIGN("other-1", fingerprint(SIGNED)),
    "u5_key_of_another_under_the_name": OTHER_SIGN("alice-1", fingerprint(SIGNED)),
    "u5_name_of_another": SIGN("other-1", fingerprint(SIGNED)),
    "u5_no_signature_at_all": "alice-1:",
    "u5_zeros": "alice-1:" + "A" * 86 + "==",
    "u5_something_behind_it": SIGN("alice-1", fingerprint(SIGNED)) + "A",
    "u6_other_size": SIGN("alice-1", fingerprint(SIGNED, size=len(SIGNED.nar) + 8)),
    "u6_other_path": SIGN("alice-1", fingerprint(SIGNED, path=PLAIN.path)),
    "u6_other_content": SIGN("alice-1", fingerprint(SIGNED, nar_hash=PLAIN.hash)),
    "u6_one_reference_fewer": SIGN("alice-1", fingerprint(SIGNED, references=SIGNED.references[:1])),
    "u6_no_references": SIGN("alice-1", fingerprint(SIGNED, references=[])),
    "u6_one_reference_more": SIGN("alice-1", fingerprint(SIGNED, references=SIGNED.references + [PLAIN.path])),
    "u6_references_in_another_order": SIGN("alice-1", fingerprint(SIGNED, references=SIGNED.references[::-1])),
}


def each_signature_about_something_else(ground, signature, trust):
    """Taken off where the hook sends it, refused where a copy does, and in no case believed."""
    for dont_check in (1, 0):
        for _name, upload in UPLOADS:
            prepared(ground, trust, TRUSTS)
            checks_signatures(ground)
            session = ground.worker().enter()
            body = upload(SIGNED, dont_check=dont_check, signatures=[signature])
            if dont_check:
                is_taken_off(session, body)
            else:
                is_refused(ground, session, body, SIGNED.path)
            assert believed(ground) == [] and SIGNED.path not in ground.daemon.store
            assert session.end() == 0


for what, signature_text in ABOUT_ANOTHER.items():
    for account, flag in ACCOUNTS:
        def one_signature(ground, case=(signature_text, flag)):
            each_signature_about_something_else(ground, *case)
        globals()[f"test_{what}_is_no_signature_with_the_{account}_account"] = one_signature
del one_signature


@by_accounts
def each_u6_references_out_of_order_are_refused_though_signed_so(ground, trust):
    item = Unsigned("signed", b"x", [CA.path, NEXT.path])
    item.references.reverse()
    prepared(ground, trust, TRUSTS)
    is_refused(ground, ground.worker().enter(), one(item, signatures=[SIGN("alice-1", fingerprint(item))]), "order")
    assert believed(ground) == [] and item.path not in ground.daemon.store


# --- U7, U14: what a head claims ---

def each_u7_claim_about_the_past_is_rewritten(ground, case):
    upload, trust = case
    prepared(ground, trust)
    session = ground.worker().enter()
    deriver = wire.FixedOutput().path
    session.send(upload(CA, ultimate=1, time=1, deriver=deriver))
    assert session.answer().error is None
    request, = added(ground)
    assert (request.fields[4], request.fields[6], request.fields[REPAIR], request.fields[DONT_CHECK]) == (0, 0, 0, 0), request
    assert request.fields[1] == deriver.encode()
    assert session.end() == 0


def each_u7_deriver_that_is_no_store_path_ends_the_session(ground, case):
    upload, trust = case
    prepared(ground, trust)
    session = ground.worker().enter()
    session.send(upload(CA, deriver="/etc/passwd"))
    session.has_ended("is not a store path")
    nothing_was_added(ground)


def each_u7_deriver_that_is_no_derivation_is_refused(ground, case):
    upload, trust = case
    prepared(ground, trust)
    is_refused(ground, ground.worker().enter(), upload(CA, deriver=PLAIN.path), "the deriver of")
    assert CA.path not in ground.daemon.store


def each_u7_flag_that_is_none_ends_the_session(ground, case):
    upload, trust = case
    for number in (2, 1 << 32, (1 << 64) - 1):
        prepared(ground, trust)
        session = ground.worker().enter()
        session.send(upload(CA, ultimate=number))
        session.has_ended("ultimate")
        nothing_was_added(ground)


DIGEST = wire.nix32(bytes.fromhex(CA.hash))
CLAIMS = {"flat": "fixed:sha256:" + DIGEST, "text": "text:sha256:" + DIGEST, "text_by_sha1": "text:sha1:" + DIGEST[:32],
          "md5": "fixed:r:md5:" + DIGEST[:26], "sha1": "fixed:r:sha1:" + DIGEST[:32], "hex": "fixed:r:sha256:" + CA.hash,
          "another_content": NEXT.ca, "capitals": CA.ca.upper(), "capitals_of_the_digest": "fixed:r:sha256:" + DIGEST.upper(),
          "a_letter_more": CA.ca + "0", "a_letter_less": CA.ca[:-1], "a_blank": CA.ca + " ", "no_digest": "fixed:r:sha256:",
          "no_method": DIGEST, "unknown_method": "fixed:git:sha1:" + DIGEST[:32], "unknown_algorithm": "fixed:r:blake3:" + DIGEST,
          "two_methods": "fixed:r:r:sha256:" + DIGEST, "a_word": "x"}


def each_u14_content_address_that_does_not_give_the_path_is_refused(ground, case):
    claim, trust = case
    for _name, upload in UPLOADS:
        prepared(ground, trust)
        session = ground.worker().enter()
        is_refused(ground, session, upload(CA, ca=claim), "content address")
        assert [request.fields[0] for request in added(ground)] == [NEXT.path.encode()]


def each_u14_content_address_is_no_way_round_a_signature(ground, case):
    """On a path of another kind."""
    upload, trust = case
    prepared(ground, trust)
    is_refused(ground, ground.worker().enter(), upload(PLAIN, ca=CA.ca), "content address")
    assert PLAIN.path not in ground.daemon.store


by_accounts_and(CLAIMS.items(), each_u14_content_address_that_does_not_give_the_path_is_refused)
for test in (each_u4_wish_not_to_be_checked_is_not_passed_on, each_u4_signature_that_nobody_checks_is_not_stored,
             each_u5_signature_of_a_listed_key_is_believed,
             each_u7_claim_about_the_past_is_rewritten, each_u7_deriver_that_is_no_store_path_ends_the_session,
             each_u7_deriver_that_is_no_derivation_is_refused, each_u7_flag_that_is_none_ends_the_session,
             each_u14_content_address_is_no_way_round_a_signature):
    by_accounts_and(UPLOADS, test)


def file_object(name, kind, value, content):
    """A path whose address is that of a file with this content, whatever its archive holds."""
    item, digest = wire.Object(name, value), wire.sha256(content)
    if kind == "text":
        item.path, item.ca = wire.store_path("text", digest.hexdigest(), name), "text:sha256:" + wire.nix32(digest.digest())
    else:
        inner = wire.sha256(f"fixed:out:sha256:{digest.hexdigest()}:").hexdigest()
        item.path, item.ca = wire.store_path("output:out", inner, name), "fixed:sha256:" + wire.nix32(digest.digest())
    return item


def each_u14_address_of_a_file_is_that_of_a_plain_file(ground, case):
    """It is made of the file's bytes alone, so an archive of anything else is not what it speaks of."""
    upload, trust = case
    for grant in ("", "trust = full"):
        prepared(ground, trust, grant)
        session = ground.worker().enter()
        for kind in ("text", "flat"):
            for value in ("/etc/hostname", ("x", b"content"), {"a": b"content"}):
                item = file_object("a-file", kind, value, b"content")
                session.send(upload(item))
                session.is_refused(session.answer(), "no plain file")
                assert session.is_valid(item.path) == 0, "nothing of it was stored, and both sides are in step"
                uploads.is_not_whole(ground, item, item.nar)
            item = file_object("a-file", kind, b"content", b"content")
            session.send(upload(item))
            assert session.answer().error is None and item.path in ground.daemon.store
        assert session.end() == 0
        ground.daemon.store.clear()


by_accounts_and(UPLOADS, each_u14_address_of_a_file_is_that_of_a_plain_file)


# --- U9 to U12 with the trusted account ---

def each_archive(ground, case):
    way, broken = case
    ground.daemon.trust = 1
    archives.each_broken_archive_is_refused(ground, (way, broken))


for what, broken_archive in archives.BROKEN.items():
    for way_name, upload_way in uploads.ALL:
        def one_archive(ground, case=(upload_way, broken_archive)):
            each_archive(ground, case)
        if what.startswith("u"):
            globals()[f"test_{what}_is_refused_by_{way_name}_with_the_trusted_account"] = one_archive
del one_archive


# --- U15, U16 ---

@by_accounts
def each_u15_path_that_needs_one_taken_off_is_taken_off_too(ground, trust):
    """At any distance, in one upload or the next; for a daemon would refuse it."""
    over = wire.Object("over", b"over", [PLAIN.path])
    above = wire.Object("above", b"above", [over.path])
    later = wire.Object("later", b"later", [above.path, CA.path])
    prepared(ground, trust)
    session = ground.worker().enter()
    is_taken_off(session, many(PLAIN.item(), over.item(), CA.item(), above.item()), 3)
    is_taken_off(session, one(later))
    assert list(ground.daemon.store) == [CA.path]
    before = ground.daemon.heard()
    head = wire.text("text") + wire.text("text:sha256") + wire.texts([later.path]) + wire.u64(0)
    session.refused(7, head + wire.frames(b"it refers to " + later.path.encode()), later.path)
    assert ground.daemon.heard() == before
    assert session.end() == 0


@by_accounts
def each_u15_path_that_needs_itself_is_stored(ground, trust):
    prepared(ground, trust)
    item = wire.Object("selfish", b"it is me")
    item.path = wire.store_path("source:self", item.hash, "selfish")
    item.references = [item.path]
    session = ground.worker().enter()
    session.send(one(item))
    assert session.answer().error is None
    assert item.path in ground.daemon.store and session.end() == 0


def each_u16_unsigned_path_that_is_there_already_is_drained(ground, case):
    """Nothing is told of it, for nothing is missing; and what is there stays, whatever was sent."""
    (upload, grant), trust = case
    prepared(ground, trust, grant)
    ground.daemon.store[PLAIN.path] = fake_daemon.Stored(PLAIN.nar)
    forged = Unsigned(value=b"another result")
    assert forged.path == PLAIN.path
    for item in (PLAIN, forged):
        session = ground.worker().enter()
        session.send(upload(item))
        answer = session.answer()
        assert answer.error is None and answer.lines() == [], (answer.error, answer.log)
        nothing_was_added(ground)
        assert session.is_valid(PLAIN.path) == 1 and ground.daemon.store[PLAIN.path].nar == PLAIN.nar
        assert session.end() == 0


by_accounts_and([(f"{name}_{label}", (upload, grant)) for name, upload in UPLOADS
                 for label, grant in (("to_be_rebuilt", ""), ("to_be_refused", "unsigned-uploads = refuse"))],
                each_u16_unsigned_path_that_is_there_already_is_drained)


# --- U18, U19: texts ---

FOD = wire.FixedOutput("q")


def with_attributes(json):
    """The same with structured attributes."""
    return FOD.text.replace(b'[("builder"', b'[("__json","%s"),("builder"' % json.replace(b'"', b'\\"'), 1)


MALFORMED = {"string_without_end": b'Derive([("out', "nothing": b"", "no_derivation": b"hello", "word_alone": b"Derive(",
             "cut": FOD.text[:-1], "bytes_behind": FOD.text + b" ", "blank": FOD.text.replace(b"],[],[]", b"], [],[]", 1),
             "dynamic": FOD.text.replace(b"Derive(", b'DrvWithVersion("xp-dyn-drv",', 1), "nul": FOD.text.replace(b"q", b"\0", 1),
             "escape_at_the_end": b'Derive([("out\\', "many_brackets": b"Derive(" + b"[" * 100000,
             "deep_attributes": with_attributes(b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"),
             "attributes_that_are_none": with_attributes(b"[1]"), "attributes_cut": with_attributes(b'{"a"')}


def text_object(name, text):
    """A path with the content address of a text."""
    item = wire.Object(name, text)
    digest = wire.sha256(text)
    item.path, item.ca = wire.store_path("text", digest.hexdigest(), name), "text:sha256:" + wire.nix32(digest.digest())
    return item


def each_u18_malformed_derivation_is_refused(ground, case):
    """By every way that a text has; the daemon is not told of it."""
    text, trust = case
    item = text_object("q.drv", text)
    by_7 = wire.u64(7) + wire.text("q.drv") + wire.text("text:sha256") + wire.texts([]) + wire.u64(0) + wire.frames(text)
    by_8 = wire.u64(8) + wire.text("q.drv") + wire.text(text) + wire.texts([])
    for body in (by_7, by_8, one(item), one(item, dont_check=0), many(item.item())):
        prepared(ground, trust)
        is_refused(ground, ground.worker().enter(), body, "derivation")
        assert [request.fields[0] for request in added(ground)] == [NEXT.path.encode()], added(ground)
    prepared(ground, trust)
    session = ground.serve().hello()
    session.send(wire.u64(9) + wire.text(item.path) + item.info() + item.nar)
    assert session.reader.u64() == 0
    session.waits_to_say("derivation")
    nothing_was_added(ground)
    assert session.end() == 0


by_accounts_and(MALFORMED.items(), each_u18_malformed_derivation_is_refused)


@by_accounts
def each_u18_derivation_that_nobody_has_signed_is_read_as_well(ground, trust):
    """It is not stored either way; a broken one is refused even where a good one is taken off the wire."""
    good, broken = text_object("q.drv", FOD.text), text_object("q.drv", b'Derive([("out')
    good.path, good.ca, broken.ca = FOD.path, "", ""
    prepared(ground, trust)
    session = ground.worker().enter()
    is_refused(ground, session, one(broken), "derivation")
    is_refused(ground, session, many(broken.item()), "derivation")
    is_taken_off(session, one(good))
    assert [request.op for request in added(ground)] == [39, 39] and good.path not in ground.daemon.store
    assert session.end() == 0


@by_accounts
def each_u18_good_derivation_is_stored(ground, trust):
    item = text_object("q.drv", FOD.text)
    prepared(ground, trust)
    session = ground.worker().enter()
    session.send(one(item))
    assert session.answer().error is None and ground.daemon.store[item.path].nar == item.nar
    assert session.end() == 0


@by_accounts
def each_u18_derivation_that_is_no_plain_file_is_refused(ground, trust):
    for value in (("x", FOD.text), {"a": FOD.text}, "/nix/store"):
        item = text_object("q.drv", FOD.text)
        item.nar = wire.nar(value)
        item.hash = wire.sha256(item.nar).hexdigest()
        prepared(ground, trust)
        is_refused(ground, ground.worker().enter(), one(item), item.path)
        assert item.path not in ground.daemon.store


@by_accounts
def each_u18_derivation_by_another_method_is_refused(ground, trust):
    """No daemon would give it the path of a derivation, and some would read it as one."""
    for method in ("fixed:r:sha256", "fixed:sha256", "fixed:r:sha1"):
        content = wire.nar(b'Derive([("out') if ":r:" in method else b'Derive([("out'
        head = wire.u64(7) + wire.text("q.drv") + wire.text(method) + wire.texts([]) + wire.u64(0)
        prepared(ground, trust)
        is_refused(ground, ground.worker().enter(), head + wire.frames(content), "q.drv")
        assert [request.op for request in added(ground)] == [39], added(ground)


def each_u19_text_of_33_mib_is_refused(ground, case):
    (number, name), trust = case
    text = b"t" * (33 << 20)
    prepared(ground, trust)
    session = ground.worker().enter()
    body = wire.u64(8) + wire.text(name) + wire.u64(len(text))
    if number == 7:
        body = wire.u64(7) + wire.text(name) + wire.text("text:sha256") + wire.texts([]) + wire.u64(0) + wire.frames(text)
    try:
        session.send(body, limit=30)
        answer = session.answer()
        assert answer.error is not None and answer.error.startswith("nix-gateway: "), answer.error
        assert session.peak_kib() < SMALL_KIB, session.peak_kib()
    except wire.Ended:
        pass
    nothing_was_added(ground)
    assert session.end() in (0, 1)


by_accounts_and((("by_8", (8, "text")), ("of_a_derivation_by_8", (8, "q.drv")), ("by_7", (7, "text")),
                 ("of_a_derivation_by_7", (7, "q.drv"))), each_u19_text_of_33_mib_is_refused)


@by_accounts
def each_u19_long_text_goes_up_in_short_frames(ground, trust):
    """A daemon makes room for a whole frame before it reads it."""
    text, drv = b"t" * (5 << 20), wire.FixedOutput(url="http://127.0.0.1:1/" + "l" * (1 << 20))
    prepared(ground, trust)
    session = ground.worker().enter()
    by_7 = wire.u64(7) + wire.text("n") + wire.text("text:sha256") + wire.texts([]) + wire.u64(0)
    by_8 = wire.u64(8) + wire.text("m") + wire.text(text) + wire.texts([])
    for body in (by_7 + wire.frames(text, step=1 << 20), by_8):
        session.send(body)
        assert session.answer().error is None
        session.reader.text()
        if body is not by_8:
            session.reader.text(), session.reader.text(), session.reader.texts(), session.reader.read(24)
            session.reader.texts(), session.reader.text()
    session.send(one(text_object(drv.path[44:], drv.text)))
    assert session.answer().error is None
    requests = added(ground)
    assert [request.content for request in requests] == [text, text, wire.nar(drv.text)]
    assert max(ground.daemon.the_connection().frame_sizes) <= 65536
    assert session.end() == 0


@by_accounts
def each_u19_reference_that_a_method_does_not_know_is_refused(ground, trust):
    """Some daemons do not survive it. Text, and archives by sha256, have references."""
    prepared(ground, trust)
    session = ground.worker().enter()
    for method in ("fixed:sha256", "fixed:sha1", "fixed:md5", "fixed:r:sha1", "fixed:r:sha512"):
        head = wire.text("n") + wire.text(method) + wire.texts([CA.path]) + wire.u64(0)
        session.refused(7, head + wire.frames(wire.nar(b"n")), "references")
    nothing_was_added(ground)
    head = wire.text("n") + wire.text("fixed:r:sha256") + wire.texts([CA.path]) + wire.u64(0)
    assert session.ask(7, head + wire.frames(wire.nar(b"n"))).error is None


@by_accounts
def each_text_that_refers_to_a_path_taken_off_is_refused_by_8(ground, trust):
    prepared(ground, trust)
    session = ground.worker().enter()
    is_taken_off(session, one(PLAIN))
    session.refused(8, wire.text("n") + wire.text("x") + wire.texts([PLAIN.path]), PLAIN.path)
    session.refused(8, wire.text(".n") + wire.text("x") + wire.texts([]), "no name for a store path")
    nothing_was_added(ground)
    assert session.end() == 0


# --- U20 ---

def each_u20_upload_that_stalls_is_cut(ground, case):
    """The daemon holds a lock for it, and another client waits for that."""
    upload, trust = case
    big = wire.Object("big", b"b" * 100000)
    prepared(ground, trust, "stall-time = 2s")
    session = ground.worker().enter()
    body = upload(big)
    session.send(body[:len(body) // 2])
    stalled = ground.daemon.await_op(39)
    began = time.monotonic()
    assert stalled.ended.wait(4), "the daemon still waits for the rest"
    assert 1 < time.monotonic() - began < 4, time.monotonic() - began
    assert session.wait(5) == 1
    assert big.path not in ground.daemon.store
    other = ground.worker().enter()
    other.send(upload(big))
    assert other.answer().error is None and big.path in ground.daemon.store
    assert other.end() == 0


by_accounts_and(UPLOADS, each_u20_upload_that_stalls_is_cut)


if __name__ == "__main__":
    main(globals())
