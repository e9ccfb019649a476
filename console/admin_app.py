"""Django's admin app with the gallery's site instead of the default one."""

from django.contrib.admin.apps import AdminConfig


class GalleryAdminConfig(AdminConfig):
    default_site = "console.site.GalleryAdminSite"

    def ready(self) -> None:
        super().ready()
        from django.contrib import admin
        from django.contrib.auth.models import Group

        admin.site.unregister(Group)  # editors are chosen on the user's page
