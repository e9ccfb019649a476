"""Users, sign-ins and approval."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from django.contrib.auth.models import update_last_login

        from accounts import gauges, personal, selectors
        from accounts.api.authentication import user_id_of
        from accounts.triggers import TRIGGERS
        from core import hooks
        from core.triggers import register

        register(self.label, TRIGGERS)
        hooks.signed_in_user.provide(user_id_of)
        hooks.users_named.provide(selectors.users_by_name)
        hooks.exporters.provide(personal.export)
        hooks.gauges.provide(gauges.read)
        # accounts.triggers does this in the statement that stores the sign-in.
        user_logged_in.disconnect(update_last_login, dispatch_uid="update_last_login")
        # Runs after the receiver of django.contrib.auth that creates the permissions, because it connects later.
        post_migrate.connect(equip_editors, dispatch_uid="accounts.equip_editors")


def equip_editors(app_config: AppConfig, using: str, apps: Any = installed, **kwargs: Any) -> None:
    """Give the group of editors every permission on the models of the apps that they edit."""
    from accounts.models import EDITORS

    if app_config.label not in settings.EDITED_APPS:
        return
    try:
        groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return  # auth is not migrated yet
    editors, _ = groups.objects.using(using).get_or_create(name=EDITORS)
    editors.permissions.add(
        *permissions.objects.using(using).filter(content_type__app_label=app_config.label)
    )
