"""Exceptions that nobody caught, and warnings of Python, as lines of the log."""

import logging
import sys
import threading
from types import TracebackType

logger = logging.getLogger("gallery.uncaught")


def log_uncaught() -> None:
    """Let this process log them, in place of the plain text that Python prints."""
    logging.captureWarnings(True)
    sys.excepthook = of_process
    threading.excepthook = of_thread


def of_process(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, where)
        return
    logger.critical("the process ends", exc_info=(kind, error, where))


def of_thread(failure: threading.ExceptHookArgs) -> None:
    name = failure.thread.name if failure.thread is not None else ""
    if failure.exc_value is not None:
        logger.error("the thread %s ends", name, exc_info=failure.exc_value)
