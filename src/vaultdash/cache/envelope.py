"""Values handed to a store that is not trusted: with their expiry, under a message authentication code."""

import hashlib
import hmac
import struct

_EXPIRY = struct.Struct(">Q")  # milliseconds since 1970
_MAC_BYTES = hashlib.sha256().digest_size


def enclosed(secret: bytes, key: str, value: bytes, expires: float) -> bytes:
    """The value with its expiry (seconds since 1970) and an HMAC-SHA256 over key, expiry and value."""
    expiry = _EXPIRY.pack(int(expires * 1000))
    return _mac(secret, key, expiry, value) + expiry + value


def opened(secret: bytes, key: str, envelope: bytes, now: float) -> bytes | None:
    """The value; None when it is not ours, was put under another key, was changed, or is expired."""
    head = _MAC_BYTES + _EXPIRY.size
    if len(envelope) < head:
        return None
    mac, expiry, value = envelope[:_MAC_BYTES], envelope[_MAC_BYTES:head], envelope[head:]
    if not hmac.compare_digest(mac, _mac(secret, key, expiry, value)):
        return None
    return value if now * 1000 < _EXPIRY.unpack(expiry)[0] else None


def _mac(secret: bytes, key: str, expiry: bytes, value: bytes) -> bytes:
    """The key goes in as its digest, so that no part can be mistaken for another."""
    return hmac.digest(secret, hashlib.sha256(key.encode()).digest() + expiry + value, "sha256")
