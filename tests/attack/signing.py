"""Paths that nobody can compute, and their signatures as who holds a key makes them."""
import base64
import ctypes
import ctypes.util

import wire


class Unsigned(wire.Object):
    """A path that is what its name says to nobody but the client."""

    def __init__(self, name="built-elsewhere", value=b"a result", references=()):
        super().__init__(name, value, references)
        self.path, self.ca = wire.store_path("output:out", wire.sha256(name).hexdigest(), name), ""


def signer(seed=None):
    """A key of this run, or the one that these 32 bytes make: (public key as policies have it, function that signs)."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
    public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
    assert sodium.sodium_init() >= 0
    if seed is None:
        assert sodium.crypto_sign_keypair(public, secret) == 0
    else:
        assert len(seed) == 32 and sodium.crypto_sign_seed_keypair(public, secret, seed) == 0

    def sign(name, text):
        signature = ctypes.create_string_buffer(64)
        content = text.encode()
        assert sodium.crypto_sign_detached(signature, None, content, ctypes.c_ulonglong(len(content)), secret) == 0
        return f"{name}:{base64.b64encode(signature.raw).decode()}"
    return base64.b64encode(public.raw).decode(), sign


def fingerprint(item, path=None, size=None, references=None, nar_hash=None):
    digest = wire.nix32(bytes.fromhex(nar_hash or item.hash))
    return (f"1;{path or item.path};sha256:{digest};{size or len(item.nar)};"
            + ",".join(item.references if references is None else references))
