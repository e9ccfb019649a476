"""Second tries of a call that makes something: a key that the client chose gets the first answer again.

The answer is kept in the transaction of what the call makes, so there is never one without the other. Nothing is looked
up before: the second transaction with a key fails, on any host, and only then the first answer is read.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import KeptAnswer, User
from core.errors import Conflict
from core.sql import stored_time
from d1backend import insert_unkeyed

LIFETIME = timedelta(hours=24)
DELETE_OLD = "DELETE FROM idempotency_keys WHERE user_id = %s AND created_at < %s"


@dataclass(frozen=True)
class Attempt:
    """One try of a caller's `call` with the `key` they chose; `fingerprint` stands for what they sent."""

    user: User
    call: str
    key: str
    fingerprint: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.user.pk}\n{self.call}\n{self.key}".encode()).hexdigest()

    def keep(self, status: int, body: str) -> None:
        """Keep the answer, in the transaction of what it tells of, which fails with IntegrityError if there is one.

        Answers of this caller that are over a day old are deleted.
        """
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(DELETE_OLD, [self.user.pk, stored_time(now - LIFETIME)])
        insert_unkeyed(
            KeptAnswer(
                digest=self.digest,
                user=self.user,
                fingerprint=self.fingerprint,
                status=status,
                body=body,
                created_at=now,
            )
        )

    def kept(self) -> KeptAnswer | None:
        """Return the answer to the first try. Raises Conflict (`idempotency_mismatch`) if that sent something else."""
        since = timezone.now() - LIFETIME
        answer = KeptAnswer.objects.filter(digest=self.digest, created_at__gte=since).first()
        if answer is not None and answer.fingerprint != self.fingerprint:
            raise Conflict(
                "This Idempotency-Key was used for another request. Please choose a new one.",
                code="idempotency_mismatch",
            )
        return answer
