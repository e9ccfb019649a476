"""What every app of the gallery shares. The version is written here alone; /info, /health and the OpenAPI show it."""

__version__ = "0.1.0"
