"""Makes Django's LOGGING. Without Django's settings, because gunicorn asks for it before they are loaded."""

import logging
import os
import sys
from typing import Any

from core.logs.hiding import known

# LOG_LEVEL holds for these. Other packages stay at INFO: at DEBUG botocore logs signatures, and Django every SQL
# statement with its values.
OWN = ("gallery", "core", "accounts", "uploads", "designs", "console", "demo", "operations", "d1backend")


def default_format(production: bool) -> str:
    """Return the format where LOG_FORMAT names none: programs read the log of production."""
    return "json" if production else "lines"


class Handler(logging.StreamHandler[Any]):
    """Writes lines to stderr."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Say that a line could not be written, and not what should have been in it, as logging does by itself."""
        kind = getattr(sys.exc_info()[0], "__name__", "")
        failure = logging.LogRecord(
            "gallery.logs",
            logging.ERROR,
            "",
            0,
            "a line of %s was not written: %s",
            (record.name, kind),
            None,
        )
        try:
            self.stream.write(self.format(failure) + self.terminator)
        except (OSError, ValueError):  # stderr is closed
            return


def configuration(level: str, form: str) -> dict[str, Any]:
    """Return the settings of logging, for logging.config.dictConfig.

    `level` is that of the gallery's own lines, `form` json or lines. No line has the value of a variable of the
    environment that is named like a secret; hiding.known takes others.
    """
    known.add_variables(os.environ)
    calm = level if level != "DEBUG" else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "core.logs.formatters.JsonFormatter"},
            "lines": {"()": "core.logs.formatters.LinesFormatter"},
        },
        "filters": {
            "reworded": {
                "()": "django.utils.log.CallbackFilter",
                "callback": "ext://core.logs.foreign.reworded",
            }
        },
        "handlers": {
            "stderr": {
                "class": "core.logs.configuration.Handler",
                "formatter": form,
                "filters": ["reworded"],
            }
        },
        "root": {"handlers": ["stderr"], "level": calm},
        "loggers": {
            **{name: {"level": level} for name in OWN},
            "django": {"handlers": [], "level": calm},  # in place of Django's own, which write to elsewhere
            "django.server": {"handlers": [], "level": "CRITICAL"},  # the paths of runserver's requests
            "environ": {"level": "WARNING"},  # that there is no file .env
            # gunicorn keeps its level, which is a setting of its own.
            "gunicorn.error": {"handlers": [], "propagate": True},
            # It warns of each answer to HEAD that it drops the body, which is what it is for.
            "gunicorn.http.wsgi": {"level": "ERROR"},
        },
    }
