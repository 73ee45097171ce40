"""Digests of content, by which equal things are known again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_CHUNK = 1 << 20


def digest(*parts: str | bytes) -> str:
    """Digest of texts and bytes, told apart from any other division into parts.

    Names in another encoding than UTF-8 count as the bytes they are.

    Returns:
        32 hexadecimal digits (BLAKE2b, 16 bytes).

    Example:
        >>> digest("ab", "c") == digest("a", "bc")
        False
    """
    return digest_of(parts)


def digest_of(parts: Iterable[str | bytes]) -> str:
    """Digest as `digest`, of parts that come one by one."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = encoded(part) if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def digest_stream(parts: Iterable[bytes]) -> str:
    """Digest of bytes that come in pieces, however they are divided.

    Returns:
        32 hexadecimal digits (BLAKE2b, 16 bytes).
    """
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        total.update(part)
    return total.hexdigest()


def short_digest(data: bytes, size: int) -> bytes:
    """Digest of `size` bytes, for names that should be short; see `digest_bytes`."""
    return hashlib.blake2b(data, digest_size=size).digest()


def sha256_stream(parts: Iterable[bytes]) -> str:
    """SHA-256 of bytes that come in pieces, in hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


def digest_bytes(data: bytes | memoryview) -> bytes:
    """Digest of bytes; 16 bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


def digest_file(path: str | os.PathLike[str]) -> bytes:
    """Digest of a file's bytes as `digest_bytes`, read in pieces.

    Raises:
        OSError: it cannot be read.
    """
    return bytes.fromhex(digest_stream(_chunks(path)))


def digest_json(value: object) -> str:
    """Digest of plain values (as in JSON), whatever the order of keys."""
    return digest(json.dumps(value, sort_keys=True, default=dict))


def file_sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    return sha256_stream(_chunks(path))


def _chunks(path: str | os.PathLike[str]) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def encoded(name: str) -> bytes:
    """The bytes of a text, whatever is in it: file names need not be UTF-8."""
    return name.encode("utf-8", "surrogatepass")
