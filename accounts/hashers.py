"""bcrypt, counted: it is the one thing here that is slow on purpose."""

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from accounts.metrics import HASH_SECONDS, HASHES_RUNNING


class MeasuredBcrypt(BCryptSHA256PasswordHasher):
    """Django's own. Its `verify` encodes, so both are counted."""

    def encode(self, password: str, salt: bytes) -> str:  # type: ignore[override]  # the stubs say str
        with HASHES_RUNNING.track_inprogress(), HASH_SECONDS.time():
            return super().encode(password, salt)  # type: ignore[arg-type]
