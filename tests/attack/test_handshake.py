#!/usr/bin/env python3
"""H1 to H6: what a client may say first, at every version, and what it is told. A daemon of any version is behind it."""
from ground import cases, main
import wire

OURS = range(32, 39)
TOO_OLD = range(10, 32)
PATH = wire.Object("a", b"a").path


def only_a_handshake_went_up(ground):
    """The gateway says hello to the daemon while the client does; nothing else may follow."""
    for connection in ground.daemon.connections:
        greeting = wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3
        assert greeting.startswith(bytes(connection.received)), bytes(connection.received)


def each_client_version_is_served(ground, minor):
    worker = ground.worker().enter(minor)
    assert worker.is_valid(PATH) == 0
    assert worker.end() == 0


def each_daemon_version_is_served(ground, minor):
    ground.daemon.minor = minor
    worker = ground.worker().enter()
    assert worker.minor == 38 and worker.trust == 2, (worker.minor, worker.trust)
    assert worker.is_valid(PATH) == 0
    assert worker.end() == 0


cases.each(globals(), [(f"1_{minor}", minor) for minor in OURS], each_client_version_is_served)
cases.each(globals(), [(f"1_{minor}", minor) for minor in OURS], each_daemon_version_is_served)


# The lines of each of ten thousand keys; a session has use for those of its own key alone.
KEYS = {"of_one_role": "role = ci\n", "with_grants_of_their_own": "protocols = ssh-ng\nsystems = x86_64-linux\ncores = 2\n"}


def each_session_of_ten_thousand_keys_is_small(ground, lines):
    ground.policy("[role ci]\n" + "".join(
        f"[key k{number}]\nfingerprint = SHA256:{number:042}A\n{lines}" for number in range(10000)))
    worker = ground.worker().enter()
    assert worker.own_kib() < 4096, worker.own_kib()
    assert worker.is_valid(PATH) == 0
    assert worker.end() == 0


cases.each(globals(), KEYS.items(), each_session_of_ten_thousand_keys_is_small)


def each_client_that_is_too_old_is_told(ground, minor):
    """H2. In the form of its own version: it would print nothing else."""
    worker = ground.worker()
    answer = worker.hello(minor)
    worker.is_refused(answer, f"worker protocol 1.{minor}; Nix 2.4")
    assert worker.rest() == b""
    assert worker.end() == 1 and "Nix 2.4" in worker.said(), worker.said()
    only_a_handshake_went_up(ground)


cases.each(globals(), [(f"1_{minor}", minor) for minor in TOO_OLD], each_client_that_is_too_old_is_told)


def test_a_client_from_before_1_10_is_let_go(ground):
    worker = ground.worker()
    worker.send(wire.u64(wire.CLIENT_MAGIC) + wire.version(9))
    assert worker.reader.read(16)
    assert worker.rest() == b"" and worker.end() == 1 and "unknown version" in worker.said(), worker.said()


def each_first_words_of_another_protocol_end_the_session(ground, said):
    """H1."""
    worker = ground.worker()
    worker.send(said)
    assert worker.rest() == b""
    assert worker.end() == 1 and "does not speak the Nix worker protocol" in worker.said(), worker.said()
    only_a_handshake_went_up(ground)


FOREIGN = (("http", b"GET / HTTP/1.1\r\n\r\n"), ("tls", bytes.fromhex("16030100c5010000c103034b1d9c2e1f")),
           ("zero", bytes(8)), ("all_ones", b"\xff" * 8), ("serve", wire.u64(wire.SERVE_CLIENT_MAGIC)),
           ("high_bits", wire.u64(1 << 32 | wire.CLIENT_MAGIC)), ("the_daemons_magic", wire.u64(wire.DAEMON_MAGIC)))
cases.each(globals(), FOREIGN, each_first_words_of_another_protocol_end_the_session)


def each_strange_version_ends_the_session(ground, number):
    """H3."""
    worker = ground.worker()
    worker.send(wire.u64(wire.CLIENT_MAGIC) + wire.u64(number) + wire.u64(0) * 3)
    assert len(worker.rest()) == 16
    assert worker.end() == 1 and "unknown version" in worker.said(), worker.said()
    only_a_handshake_went_up(ground)


STRANGE = ("0x10123", "0x223", "0x23", "0x23000", "0x100000126", "0xffffffffffffffff", "0x0", "0x100")
cases.each(globals(), [(number, int(number, 16)) for number in STRANGE], each_strange_version_ends_the_session)


def test_a_client_of_a_later_minor_is_served_at_ours(ground):
    worker = ground.worker().enter(99)
    assert worker.minor == 38 and worker.is_valid(PATH) == 0


def test_features_that_the_gateway_cannot_decode_are_not_said_back(ground):
    """H4. The same words offered by the daemon are not in force either."""
    words = ["provenance", "zzz", "realisation-with-path-not-hash", "queryActiveBuilds", "addTempRoots",
             "versionedAddToStoreMultiple", "delete-dead-specific-referrers", "submit-output", ""]
    ground.daemon.features = words
    worker = ground.worker().enter(features=words)
    assert not set(worker.features) & set(map(wire.octets, words)), worker.features
    assert worker.is_valid(PATH) == 0
    assert ground.daemon.the_connection().features == []


def test_a_feature_list_without_end_ends_the_session(ground):
    worker = ground.worker()
    worker.send(wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(1 << 40))
    assert len(worker.rest()) == 16
    assert worker.end() == 1 and "nix-gateway: " in worker.said(), worker.said()
    only_a_handshake_went_up(ground)


def each_client_is_told_that_it_is_not_trusted(ground, case):
    """H5. What the daemon thinks of our account is not what we think of the key. A daemon below 1.35 does not say what it
    thinks, and is asked in a way that changes nothing."""
    ground.daemon.minor, ground.daemon.trust = case
    assert ground.worker().enter().trust == 2


def each_key_with_full_trust_is_told_what_the_daemon_thinks(ground, case):
    ground.policy("trust = full")
    ground.daemon.minor, ground.daemon.trust = case
    assert ground.worker().enter().trust == ground.daemon.trust


ACCOUNTS = [(f"by_1_{minor}_with_the_{label}_account", (minor, trust)) for minor in OURS
            for label, trust in (("untrusted", 2), ("trusted", 1))]
cases.each(globals(), ACCOUNTS, each_client_is_told_that_it_is_not_trusted)
cases.each(globals(), ACCOUNTS, each_key_with_full_trust_is_told_what_the_daemon_thinks)


def test_the_daemons_version_is_passed_on(ground):
    ground.daemon.version = "2.99.1 (Some Nix)"
    assert ground.worker().enter().version == "2.99.1 (Some Nix)"


def test_affinity_and_reserve_stay_here(ground):
    """H6."""
    worker = ground.worker().enter(affinity=7, reserve=1)
    assert worker.is_valid(PATH) == 0
    heard = bytes(ground.daemon.the_connection().received[:40])
    assert heard == wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3, heard


def each_client_that_sends_its_version_twice_is_served(ground, minor):
    """Nix 2.23.0 to 2.23.4: the second copy stands where the affinity is due, and makes of it a number more."""
    worker = ground.worker()
    worker.send(wire.u64(wire.CLIENT_MAGIC) + wire.version(minor) * 2 + wire.u64(0) * 2)
    assert worker.reader.u64() == wire.DAEMON_MAGIC and worker.reader.u64() == 0x126
    assert worker.reader.text() == b"2.34.8" and worker.reader.u64() == 2
    worker.minor = minor
    assert worker.answer().error is None
    assert worker.is_valid(PATH) == 0


cases.each(globals(), [("1_37", 37)], each_client_that_sends_its_version_twice_is_served)


def test_a_handshake_byte_by_byte(ground):
    worker = ground.worker()
    for byte in wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3:
        worker.send(bytes([byte]))
    worker.minor = 38
    worker.reader.read(16 + 8)
    assert worker.reader.text() == b"2.34.8" and worker.reader.u64() == 2
    assert worker.answer().error is None and worker.is_valid(PATH) == 0


def test_the_gateways_magic_does_not_wait_for_the_clients_version(ground):
    worker = ground.worker()
    worker.send(wire.u64(wire.CLIENT_MAGIC))
    assert worker.reader.u64() == wire.DAEMON_MAGIC and worker.reader.u64() == 0x126


def test_a_handshake_cut_at_every_byte_leaves_nothing_behind(ground):
    whole = wire.u64(wire.CLIENT_MAGIC) + wire.version(38) + wire.u64(0) * 3
    for cut in range(len(whole)):
        worker = ground.worker()
        worker.send(whole[:cut])
        worker.end(2)
    only_a_handshake_went_up(ground)


def test_a_client_over_socketpairs_is_served(ground):
    """Some builds of sshd give these in the place of pipes."""
    worker = ground.worker(sockets=True).enter()
    assert worker.is_valid(PATH) == 0 and worker.end() == 0


def each_serve_version_is_served(ground, minor):
    serve = ground.serve().hello(minor)
    assert serve.minor == min(minor, 7) and serve.valid(PATH) == []
    assert serve.end() == 0


cases.each(globals(), [(f"2_{minor}", minor) for minor in (5, 6, 7, 8, 99)], each_serve_version_is_served)


def each_strange_serve_greeting_ends_the_session(ground, said):
    serve = ground.serve()
    serve.send(said)
    serve.rest()
    assert serve.end() == 1 and "nix-gateway: " in serve.said(), serve.said()
    only_a_handshake_went_up(ground)


cases.each(globals(), (("http", b"GET / HTTP/1.1\r\n\r\n"), ("worker", wire.u64(wire.CLIENT_MAGIC) + wire.version(38)),
                       ("too_old", wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(4, 2)),
                       ("major_1", wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(7, 1)),
                       ("major_3", wire.u64(wire.SERVE_CLIENT_MAGIC) + wire.version(7, 3))),
           each_strange_serve_greeting_ends_the_session)


if __name__ == "__main__":
    main(globals())
