"""Encrypts and authenticates the objects of an archive: AES-256-GCM with a key of its own for each archive.

The key comes from a secret by HKDF-SHA256 (RFC 5869) with a random salt, which begins each object. An object is bound
to its archive by that key, and to its position by the associated data, so none can take the place of another.
"""

import hashlib
import json
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from d1backend.archive.format import FORMAT, MANIFEST, ArchiveError

_MAGIC = b"D1AR" + bytes([FORMAT])
_SALT, _NONCE, _KEY = 16, 12, 32  # bytes
_HEADER = len(_MAGIC) + _SALT


class ArchiveKey:
    """The key of one archive."""

    def __init__(self, secret: str, context: str, salt: bytes) -> None:
        info = json.dumps(["d1backend archive", FORMAT, context]).encode()
        key = HKDF(algorithm=SHA256(), length=_KEY, salt=salt, info=info).derive(secret.encode())
        self._salt, self._cipher = salt, AESGCM(key)

    def seal(self, position: str, data: bytes) -> bytes:
        """The bytes to store for the object at `position`, the name of a part or of the manifest."""
        nonce = os.urandom(_NONCE)
        return _MAGIC + self._salt + nonce + self._cipher.encrypt(nonce, data, self._bound(position))

    def unseal(self, position: str, stored: bytes) -> bytes:
        """The data of an object.

        Raises ArchiveError when it is damaged, of another position or archive, or encrypted with another key.
        """
        if stored[:_HEADER] == _MAGIC + self._salt:
            nonce, sealed = stored[_HEADER : _HEADER + _NONCE], stored[_HEADER + _NONCE :]
            try:
                return self._cipher.decrypt(nonce, sealed, self._bound(position))
            except (InvalidTag, ValueError):
                pass
        raise ArchiveError(f"its {position} is damaged or was encrypted with another key")

    def _bound(self, position: str) -> bytes:
        return self._salt + position.encode()


class KeyRing:
    """The secrets that archives of one purpose are encrypted with, newest first.

    `context` names the purpose and what the archives are of; archives of another context cannot be read.
    """

    def __init__(self, secrets: Sequence[str], context: str) -> None:
        self._secrets, self._context = tuple(secrets), context

    def new_key(self) -> ArchiveKey:
        """A key for an archive to write, from the newest secret."""
        return ArchiveKey(self._secrets[0], self._context, os.urandom(_SALT))

    def open_manifest(self, stored: bytes) -> tuple[ArchiveKey, bytes]:
        """The key of an archive and the data of its manifest; each secret is tried.

        Raises ArchiveError as ArchiveKey.unseal() does, and for another format.
        """
        if stored[:4] != _MAGIC[:4]:
            raise ArchiveError(f"its {MANIFEST} is damaged")
        if stored[: len(_MAGIC)] != _MAGIC:
            raise ArchiveError(f"it is of format {stored[4:5].hex()}, and this version reads {FORMAT:02x}")
        salt = stored[len(_MAGIC) : _HEADER]
        for secret in self._secrets[:-1]:
            key = ArchiveKey(secret, self._context, salt)
            try:
                return key, key.unseal(MANIFEST, stored)
            except ArchiveError:
                continue
        key = ArchiveKey(self._secrets[-1], self._context, salt)
        return key, key.unseal(MANIFEST, stored)


def digest_of(stored: bytes) -> str:
    """The SHA-256 of a stored object in hexadecimal."""
    return hashlib.sha256(stored).hexdigest()
