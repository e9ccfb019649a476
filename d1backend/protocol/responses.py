"""What an HTTP response of the API means: the request did not run, may have run, was refused, or failed in D1."""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from d1backend.errors import InterfaceError, NotFoundError, OperationalError, ProgrammingError, RateLimited
from d1backend.protocol.messages import error_of, may_have_run, tidy

_TOKEN_CODES = {6003, 9106, 9109, 10000}
_NAME_IS_TAKEN = 7502
_NO_ROUTE = 7003
# The JSON object that the API answers with.
Answer = dict[str, Any]
_REQUEST_TIMEOUT, _TOO_MANY = 408, 429


class NotDoneError(Exception):
    """D1 did not answer the request; `error` is for the application, `wait` (seconds) what the server asked for."""

    def __init__(self, error: Exception, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


class UnsentError(NotDoneError):
    """The request did not run and may be retried."""


class LostError(NotDoneError):
    """The request may have run."""


class RefusedError(NotDoneError):
    """The request did not run, and a retry would not help."""


def rate_limited(wait: float) -> UnsentError:
    """The failure for a 429 that asks to wait so many seconds (0: it does not say)."""
    error = RateLimited("D1's API refuses more requests for now (429)")
    error.retry_after = wait
    return UnsentError(error, wait)


def parse_response(status: int, headers: Mapping[str, str], data: bytes, parts: int | None) -> Answer:
    """The JSON object of a successful response, with the results of `parts` statements when that is given.

    Raises a NotDoneError when D1 did not answer, and the exception of messages.error_of() for an error of D1.
    """
    answer = _parsed(data)
    wait = _seconds(headers.get("Retry-After"))
    if status == _TOO_MANY:
        raise rate_limited(wait)
    if status >= 500 or status == _REQUEST_TIMEOUT:
        raise LostError(OperationalError(f"D1 answered {status} with {_kind(answer, data)}"), wait)
    if status >= 400 and _is_page(data):
        raise RefusedError(OperationalError(f"D1 refuses the request: {status} with {_kind(answer, data)}"))
    if answer is None or (answer.get("success") and not _complete(answer, parts)):
        raise LostError(OperationalError(f"D1 answered {status} with {_kind(answer, data)}"))
    if status < 400 and answer.get("success"):
        return answer
    raise _refusal(status, answer)


def _parsed(data: bytes) -> Answer | None:
    try:
        answer = json.loads(data)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _complete(answer: Answer, parts: int | None) -> bool:
    result = answer.get("result")
    if parts is None:
        return "result" in answer
    return isinstance(result, list) and len(result) == parts and all("results" in part for part in result)


def _is_page(data: bytes) -> bool:
    return data.lstrip()[:1] == b"<"


def _kind(answer: Answer | None, data: bytes) -> str:
    if answer is not None:
        return _messages(answer) or "no results"
    return "a page, not JSON" if _is_page(data) else "JSON cut short" if data else "nothing"


def _messages(answer: Answer) -> str:
    errors = answer.get("errors") or []
    return "; ".join(str(e.get("message", "")) for e in errors if isinstance(e, dict))


def _refusal(status: int, answer: Answer) -> Exception:
    """What an answer without success means; messages.py reads the errors of the statements themselves."""
    message = _messages(answer)
    codes = {e.get("code") for e in answer.get("errors") or [] if isinstance(e, dict)}
    if status in (401, 403) or codes & _TOKEN_CODES:
        return RefusedError(OperationalError(f"D1 refuses the API token ({status}: {message})"))
    if status == 404:
        kind = NotFoundError if _NO_ROUTE in codes else OperationalError
        return RefusedError(kind(f"D1 does not know the account or the database ({message})"))
    if codes & {7400, _NO_ROUTE}:
        return RefusedError(InterfaceError(f"D1 does not understand the request ({message})"))
    if _NAME_IS_TAKEN in codes:
        return RefusedError(ProgrammingError(tidy(message)))
    ran = may_have_run(message)
    if ran is None:
        return error_of(message)
    return (LostError if ran else UnsentError)(OperationalError(tidy(message)))


def _seconds(value: str | None) -> float:
    """Retry-After in seconds, from a number or an HTTP date."""
    if not value:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
