"""The lines of Django and gunicorn, without the paths, host names and addresses that clients sent."""

import logging


def reworded(record: logging.LogRecord) -> bool:
    """Reword a line. Return whether to write it: a filter of the handler.

    The request log has a line for each response: of `django.request` only tracebacks say more. What gunicorn logs at
    DEBUG are addresses that clients asked for, and its settings.
    """
    if record.name == "gunicorn.error":
        return record.levelno > logging.DEBUG
    if record.name == "django.request":
        return bool(record.exc_info) and reworded_failure(record)
    if record.name.startswith("django.security."):
        what = record.name.removeprefix("django.security.")
        if what == "csrf":
            # "Origin checking failed - https://… does not match any trusted origins."
            reason = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
            what = f"CSRF: {reason.partition(' - ')[0]}"
        record.msg, record.args, record.exc_info = "a request was refused: %s", (what,), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def reworded_failure(record: logging.LogRecord) -> bool:
    """Reword the failure of a page. While the database is away it is a sentence, as for the API."""
    from core.api.errors import status_of_django  # gunicorn loads this module before Django is set up

    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if isinstance(error, Exception) and status_of_django(error) != 500:
        record.msg, record.args, record.exc_info = "a page was not answered: %s", (error,), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    else:
        record.msg, record.args = "unhandled exception of a page", ()
    return True
