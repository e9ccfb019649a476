"""d1backend as an installed app: it adds its commands, and connects the replica and Time Travel to migrations."""

from django.apps import AppConfig


class D1BackendConfig(AppConfig):
    name = "d1backend"
    verbose_name = "Cloudflare D1"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, pre_migrate

        from d1backend.replica.migration import announce_migration, install_log_after_migrate
        from d1backend.time_travel import note_bookmark

        pre_migrate.connect(note_bookmark, sender=self)
        pre_migrate.connect(announce_migration, sender=self)
        post_migrate.connect(install_log_after_migrate, sender=self)
