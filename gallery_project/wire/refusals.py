"""Answers that the worker gives without the application, in the API's envelope."""

import json
import logging
import re
import uuid
from http import HTTPStatus
from urllib.parse import unquote

from gunicorn.http import errors

from core.logs.current import CURRENT

logger = logging.getLogger("gallery.request")

REQUEST_ID = re.compile(rb"\r\nx-request-id:[ \t]*([A-Za-z0-9._-]{1,128})[ \t]*\r\n", re.I)
STATUS_OF = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.ExpectationFailed: 417,
    errors.UnsupportedTransferCoding: 501,
    errors.ForbiddenProxyRequest: 403,
    errors.InvalidResponseHeader: 500,
    errors.InvalidResponseHeaderName: 500,
    errors.ConfigurationProblem: 500,
}
MALFORMED = (400, "The request is not well-formed HTTP.", "malformed")
CUT_SHORT = (400, "The body ended early, or its framing is broken.", "cut_short")


class Refusal(Exception):
    """A request that the worker refuses: status, sentence and code as in core.api.errors, which has their defaults."""

    def __init__(self, status: int, message: str = "", code: str = "") -> None:
        super().__init__(status, message, code)
        self.status, self.message, self.code = status, message, code


def refusal_of(error: BaseException) -> Refusal:
    """Return what to answer to an exception of gunicorn's parser, or of the application."""
    if isinstance(error, Refusal):
        return error
    status = STATUS_OF.get(type(error))
    if status is not None:
        return Refusal(status)
    return Refusal(*MALFORMED) if isinstance(error, errors.ParseException) else Refusal(500)


def limits_of(head: bytes, address: str) -> dict[str, str]:
    """Count a call of the API that the application never sees, and return its headers of limits.

    It is nobody's but the address's: the head may be half there. On this host alone, because the loop of the worker may
    not wait for Redis.
    """
    from core.client_address import network_of
    from core.limits import Allowance, Limit, host_cells
    from core.limits.middleware import headers_of
    from core.middleware import is_api

    target = b"".join(head.split(b" ", 2)[1:2])
    if not is_api(target.partition(b"?")[0].decode("latin-1")):
        return {}
    allowance = Allowance(Limit.of("ANONYMOUS_REQUESTS"), f"address {network_of(address)}")
    return headers_of(allowance.standing(host_cells.shift(allowance.cell, allowance.cell.step)))


def note_refusal(status: int, head: bytes, request_id: str) -> None:
    """Count it and log a line, as core.request_log does for the answers of the application."""
    from core.routes import UNMATCHED, method_of, route_of_path
    from gallery_project.metrics import REFUSALS

    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    target = rest.partition(" ")[0].partition("?")[0]
    fields = {
        "request_id": request_id,
        "user_id": current.user_id if (current := CURRENT.get()) is not None else None,
        "method": method_of(method),
        "route": route_of_path(unquote(target)) if target.startswith("/") else UNMATCHED,
        "status": status,
    }
    REFUSALS.labels(fields["method"], fields["route"], str(int(status))).inc()
    logger.info("%s %s %d", fields["method"], fields["route"], status, extra={"fields": fields})


def request_id_of(head: bytes) -> str:
    """Return the id of the request that this thread runs; of another the one that its client sent, or a new one."""
    if (current := CURRENT.get()) is not None:
        return current.request_id
    sent = REQUEST_ID.search(head)
    return sent[1].decode() if sent else uuid.uuid4().hex


def answer(error: BaseException, head: bytes = b"", address: str = "") -> bytes:
    """Return a whole response, after which the connection ends, and log it. `head` is of the request from `address`."""
    from core.api.errors import envelope, error_headers  # gunicorn loads this module before Django is set up

    refusal = refusal_of(error)
    request_id = request_id_of(head)
    body = json.dumps(envelope(refusal.status, refusal.message, refusal.code)).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Request-ID": request_id,
        "Cache-Control": "no-store",
        **error_headers(refusal.status),
        **limits_of(head, address),
        "Connection": "close",
    }
    note_refusal(refusal.status, head, request_id)
    if refusal.status in (500, 503):
        logger.error("a request failed", exc_info=error, extra={"fields": {"request_id": request_id}})
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head.startswith(b"HEAD ") else body)
