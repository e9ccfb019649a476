"""What every app of the gallery shares. The version stands here alone; /info, /health and the API's document show it."""

__version__ = "0.1.0"
