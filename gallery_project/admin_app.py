"""Django's admin app with the gallery's own site in the place of the default one."""

from django.contrib.admin.apps import AdminConfig


class GalleryAdminConfig(AdminConfig):
    default_site = "gallery_project.admin_site.GalleryAdminSite"
