"""Where images lie."""

from django.core.files.storage import FileSystemStorage


class FolderStorage(FileSystemStorage):
    """A folder of this host."""
