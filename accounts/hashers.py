"""bcrypt: counted, because it is the one thing here that is slow on purpose; and as another service stored it."""

from typing import Any

from django.contrib.auth.hashers import BCryptPasswordHasher, BCryptSHA256PasswordHasher

from accounts.metrics import HASH_SECONDS, HASHES_RUNNING

LONGEST = 72  # bytes of a password that bcrypt reads


class MeasuredBcrypt(BCryptSHA256PasswordHasher):
    """Django's own. Its `verify` encodes, so both are counted."""

    def encode(self, password: str, salt: bytes) -> str:  # type: ignore[override]  # the stubs say str
        with HASHES_RUNNING.track_inprogress(), HASH_SECONDS.time():
            return super().encode(password, salt)  # type: ignore[arg-type]


class PlainBCryptPasswordHasher(BCryptPasswordHasher):
    """bcrypt of the password itself, stored as `bcrypt$$2b$…`; only there to check what others have hashed.

    Services of that kind cut a password after 72 bytes without a word. bcrypt 5 refuses a longer one, so this cuts it.
    A sign-in then stores the password anew, by the first of PASSWORD_HASHERS, which reads all of it.
    """

    def encode(self, password: str, salt: Any) -> str:  # bytes, where other hashers take str
        bcrypt = self._load_library()  # type: ignore[attr-defined]  # the stubs lack it
        return f"{self.algorithm}${bcrypt.hashpw(password.encode()[:LONGEST], salt).decode('ascii')}"

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password is right. A wrong one takes as long as for a hash of today's cost."""
        is_right = super().verify(password, encoded)
        if not is_right:
            self.harden_runtime(password, encoded)
        return is_right
