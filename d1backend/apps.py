"""d1backend as an installed app: brings the command d1_replica, and keeps the replica's triggers through migrations."""

from django.apps import AppConfig


class D1BackendConfig(AppConfig):
    name = "d1backend"
    verbose_name = "Cloudflare D1"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from d1backend.replica.installing import keep_installed

        post_migrate.connect(keep_installed, sender=self)
