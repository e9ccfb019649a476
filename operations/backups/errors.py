"""What a backup or a restore refuses."""


class BackupError(Exception):
    """A sentence for a person: what is wrong, and what to do."""
