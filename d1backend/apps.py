"""d1backend as an installed app: it adds its commands, and connects the replica and Time Travel to migrations."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from django.dispatch import Signal


class D1BackendConfig(AppConfig):
    name = "d1backend"
    verbose_name = "Cloudflare D1"

    def ready(self) -> None:
        self._connect()

    @contextmanager
    def bare_migrations(self) -> Iterator[None]:
        """Let `migrate` neither note a bookmark nor log changes for copies: of a new database that is being filled."""
        handlers = self._handlers()
        for signal, handler in handlers:
            signal.disconnect(handler, sender=self)
        try:
            yield
        finally:
            self._connect()

    def _connect(self) -> None:
        for signal, handler in self._handlers():
            signal.connect(handler, sender=self)

    def _handlers(self) -> "list[tuple[Signal, Callable[..., None]]]":
        from django.db.models.signals import post_migrate, pre_migrate

        from d1backend.replica.migration import announce_migration, install_log_after_migrate
        from d1backend.time_travel import note_bookmark

        return [
            (pre_migrate, note_bookmark),
            (pre_migrate, announce_migration),
            (post_migrate, install_log_after_migrate),
        ]
