"""The secret that a backup is encrypted with, and how it lies in the file.

With BACKUP_KEY it is encrypted to these public keys by age (https://age-encryption.org/v1): the host that writes a
backup cannot read it again. Without, it lies there as it is, and the encryption only shows what is damaged.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

import pyrage

from d1backend.archive import ContainerReader, KeyRing
from operations.backups.errors import BackupError

_SEALED, _OPEN = "key.age", "key"
_CONTEXT = "backup of a design gallery"
_IDENTITY = "AGE-SECRET-KEY-"
_LARGEST_IDENTITY = 100_000  # bytes


def recipients(text: str) -> list[str]:
    """The public keys in BACKUP_KEY, with spaces or commas between. Raises BackupError for one that is none."""
    found = text.replace(",", " ").split()
    for place, key in enumerate(found, 1):
        try:
            pyrage.x25519.Recipient.from_str(key)
        except pyrage.RecipientError:
            which = f"Key {place} of BACKUP_KEY" if len(found) > 1 else "BACKUP_KEY"
            raise BackupError(
                f"{which} is no public key of age. `age-keygen` prints one, which begins with age1."
            ) from None
    return found


def new_secret() -> str:
    return secrets.token_hex(32)


def ring_of(secret: str) -> KeyRing:
    return KeyRing([secret], _CONTEXT)


def member_of(secret: str, to: Sequence[str]) -> tuple[str, bytes]:
    """The member of the file that holds the secret: its name and data."""
    if not to:
        return _OPEN, secret.encode()
    return _SEALED, pyrage.encrypt(secret.encode(), [pyrage.x25519.Recipient.from_str(key) for key in to])


def read_identities(path: Path) -> list[pyrage.x25519.Identity]:
    """The private keys in a file that `age-keygen` wrote. Raises BackupError when it has none."""
    try:
        with path.open("rb") as file:
            lines = file.read(_LARGEST_IDENTITY).decode(errors="replace").split()
    except OSError as error:
        raise BackupError(f"The identity {path} cannot be read ({error.strerror}).") from error
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(_IDENTITY)]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise BackupError(f"{path} has no private key of age, a line that begins with {_IDENTITY}1.")
    return found


def secret_in(file: ContainerReader, identities: Sequence[pyrage.x25519.Identity]) -> str | None:
    """The secret of a backup; None when none of these identities opens it.

    Raises ArchiveError when the file has no secret.
    """
    if file.has(_OPEN):
        return file.read(_OPEN).decode(errors="replace")
    sealed = file.read(_SEALED)
    if not identities:
        return None
    try:
        return pyrage.decrypt(sealed, list(identities)).decode(errors="replace")
    except pyrage.DecryptError:
        return None
