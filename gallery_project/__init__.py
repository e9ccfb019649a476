"""What every app of the gallery shares."""

__version__ = "0.1.0"
