"""The app of what every other app shares."""

from django.apps import AppConfig


class GalleryProjectConfig(AppConfig):
    name = "gallery_project"
    verbose_name = "Gallery"

    def ready(self) -> None:
        from django.conf import settings

        from d1backend.http import request_sent
        from gallery_project import allowance, checks, private_files  # noqa: F401  registers the system checks

        request_sent.connect(allowance.count, dispatch_uid="gallery_project.allowance")
        private_files.tighten(settings.DATA)
