"""A checksum inside a Parquet file, so that a damaged file is found before it is parsed.

One flipped bit can make a Parquet reader abort the whole process or return a wrong price. The seal is a metadata
value of fixed length: the SHA-256 of the file with that value blank.
"""

import hashlib

SEAL_KEY = "vaultdash.seal"
_PREFIX = b"sha256:"
_LENGTH = 64
BLANK_SEAL = (_PREFIX + b"0" * _LENGTH).decode()


def sealed(content: bytes) -> bytes:
    """`content` with its blank seal filled in."""
    start = content.rindex(_PREFIX) + len(_PREFIX)
    return content[:start] + _digest(content, start) + content[start + _LENGTH :]


def is_intact(content: bytes) -> bool:
    """True when the content carries a seal and is what was sealed."""
    start = content.rfind(_PREFIX) + len(_PREFIX)
    if start < len(_PREFIX) or start + _LENGTH > len(content):
        return False
    return content[start : start + _LENGTH] == _digest(content, start)


def _digest(content: bytes, start: int) -> bytes:
    blank = content[:start] + b"0" * _LENGTH + content[start + _LENGTH :]
    return hashlib.sha256(blank).hexdigest().encode()
