"""Checks from outside, at the public address of --url: what a client and a browser meet."""

import json
import re
import secrets
from urllib.parse import urlencode, urljoin, urlsplit

from django.conf import settings

from operations.doctor import web
from operations.doctor.findings import Finding, Visit, fault, listed, ok, warning

YEAR = 31_536_000  # seconds
STRANGER = "https://doctor.invalid"  # an origin that is nobody's (RFC 2606)
API_HEADERS = ("authorization", "content-type", "idempotency-key")
LINKED = re.compile(rb'(?:href|src)="([^"]+\.(?:css|js)[^"]*)"')
FORM_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
LOGIN = "/admin/login/"
# For documentation, so they are no client's (RFC 5737).
MADE_UP = ("192.0.2.{}", "198.51.100.{}")
CALLS = 6  # of the sign-ins that one network has, which come back at one a second


def answers(visit: Visit) -> Finding:
    """The service answers there, by that name, over TLS."""
    try:
        answer = web.ask("GET", f"{visit.url}/health/live")
    except web.Unreachable as error:
        return fault(
            f"{visit.url} cannot be reached: {error}.",
            "Correct --url, the domain's entry in DNS, or the proxy; look at the service's log.",
        )
    if answer.status == 400:
        host = urlsplit(visit.url).hostname
        return fault(f"The service does not answer the name {host}.", "Add it to ALLOWED_HOSTS.")
    if answer.status != 200:
        return fault(
            f"/health/live has status {answer.status} instead of 200.",
            "Correct --url or the proxy; if they are right, look at the service's log.",
        )
    version = content_of(answer).get("version")
    if version != settings.VERSION:
        sentence = f"The service has version {version}, and this code {settings.VERSION}."
        return warning(sentence, "Finish the deploy, or run the doctor of that release.")
    return ok(f"The service answers, version {version}.")


def https(visit: Visit) -> Finding:
    """Plain HTTP leads to HTTPS, and browsers remember that."""
    if not visit.url.startswith("https://"):
        return fault("--url is plain HTTP.", "Give the https:// address: the app must use no other.")
    plain = "http://" + visit.url.removeprefix("https://")
    try:
        answer = web.ask("GET", f"{plain}/info")
    except web.Unreachable:
        answer = None  # nothing listens there, which is as safe
    if answer is not None:
        target = answer.headers.get("location", "")
        if answer.status not in (301, 302, 307, 308) or not target.startswith("https://"):
            return fault(
                f"Plain HTTP is answered with status {answer.status}, without a redirect to HTTPS.",
                "Set SECURE_SSL_REDIRECT to true, and let the proxy send X-Forwarded-Proto.",
            )
    found = web.ask("GET", f"{visit.url}/info")
    if found.status in (301, 302, 307, 308):
        return fault(
            "HTTPS is answered with a redirect, without end.",
            "Let the proxy send X-Forwarded-Proto: https; the service takes it for plain HTTP.",
        )
    seconds = re.search(r"max-age=(\d+)", found.headers.get("strict-transport-security", ""))
    if seconds is None or int(seconds[1]) < YEAR:
        return warning(
            "Browsers are told for less than a year that this is HTTPS only.",
            f"Set SECURE_HSTS_SECONDS to {YEAR}, and let the proxy pass Strict-Transport-Security on.",
        )
    return ok("Plain HTTP leads to HTTPS, and HSTS holds for a year.")


def health(visit: Visit) -> Finding:
    """/health says that all parts are well."""
    answer = web.ask("GET", f"{visit.url}/health")
    found = content_of(answer)
    parts = found.get("checks", {})
    ill = [name for name, part in parts.items() if isinstance(part, dict) and part.get("status") != "healthy"]
    if answer.status == 200 and found.get("status") == "healthy":
        return ok("/health says that every part is healthy.")
    sentence = f"/health has status {answer.status}; not well: {listed(ill) or 'not known'}."
    advice = "Look at the checks of these parts, and at the service's log."
    return (warning if answer.status == 200 else fault)(sentence, advice)


def metrics(visit: Visit) -> Finding:
    """/metrics takes the token, and nothing else."""
    if not settings.METRICS_TOKEN:
        return warning("METRICS_TOKEN is not set, so /metrics is a 404.", "Set METRICS_TOKEN.")
    without = web.ask("GET", f"{visit.url}/metrics")
    if without.status == 200:
        return fault("/metrics shows itself without a token.", "Look what else answers at that address.")
    answer = web.ask("GET", f"{visit.url}/metrics", {"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    if answer.status != 200 or b"gallery_" not in answer.body:
        return fault(
            f"/metrics has status {answer.status} with this METRICS_TOKEN.",
            "Set the same METRICS_TOKEN for the service and here, and let the proxy pass Authorization on.",
        )
    return ok("/metrics takes METRICS_TOKEN, and nobody without it.")


def cors(visit: Visit) -> Finding:
    """The API answers browsers at the origins of CORS_ORIGINS, and no others."""
    address = f"{visit.url}/api/designs"
    refused = [
        (origin, why)
        for origin in settings.CORS_ALLOWED_ORIGINS
        if (why := web.preflight(address, origin, "POST", API_HEADERS))
    ]
    if refused:
        return fault(
            f"The API refuses {listed([origin for origin, _ in refused])} of CORS_ORIGINS: {refused[0][1]}.",
            "Set the same CORS_ORIGINS for the service and here, and let the proxy pass OPTIONS on.",
        )
    if not web.preflight(address, STRANGER, "POST", API_HEADERS):
        return warning("The API answers pages of any origin.", "Name the origins of the app in CORS_ORIGINS.")
    return ok("The API answers the origins of CORS_ORIGINS, and no others.")


def static_files(visit: Visit) -> Finding:
    """The page for the console's sign-in comes with its styles and scripts."""
    page = web.ask("GET", f"{visit.url}{LOGIN}")
    if page.status != 200:
        return fault(
            f"The console's sign-in has status {page.status}.",
            "Run `manage.py collectstatic --no-input` before the start, and look at the service's log.",
        )
    found = sorted({link.decode() for link in LINKED.findall(page.body)})
    missing = [link for link in found if web.ask("GET", urljoin(f"{visit.url}{LOGIN}", link)).status != 200]
    if missing or not found:
        return fault(
            f"{len(missing)} of the {len(found)} styles and scripts of the console are missing.",
            "Run `manage.py collectstatic --no-input` before the start.",
        )
    return ok(f"The console's sign-in comes with its {len(found)} styles and scripts.")


def forms(visit: Visit) -> Finding:
    """A browser may send the console's forms: origin, host and scheme agree behind the proxy."""
    page = web.ask("GET", f"{visit.url}{LOGIN}")
    token = FORM_TOKEN.search(page.body)
    if page.status != 200 or token is None:
        return fault("The console's sign-in shows no form.", "Look at the check of its static files.")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(cookie.partition(";")[0] for cookie in page.cookies),
        "Origin": visit.url,
        "Referer": f"{visit.url}{LOGIN}",
    }
    # Without a name it is no attempt to sign in, and no limit counts it.
    body = urlencode({"csrfmiddlewaretoken": token[1].decode(), "username": "", "password": ""}).encode()
    answer = web.ask("POST", f"{visit.url}{LOGIN}", headers, body)
    if answer.status == 403:
        return fault(
            "The console refuses forms from its own pages.",
            f"Let the proxy pass Host and X-Forwarded-Proto on, or add {visit.url} to CSRF_TRUSTED_ORIGINS.",
        )
    return ok("The console takes the forms of its own pages.")


def client_address(visit: Visit) -> Finding:
    """Nobody is another client for the limits by sending a header.

    Sign-ins without a body are refused before anything is read, and count for their network.
    """
    names = ["X-Forwarded-For", *filter(None, [settings.CLIENT_ADDRESS_HEADER])]
    own = [remaining(visit, {}) for _ in range(CALLS)][-1]
    if own is None:
        return warning(
            "The service does not say how many calls are left.", "Let the proxy pass RateLimit-… on."
        )
    for name in names:
        made_up = ", ".join(network.format(secrets.randbelow(254) + 1) for network in MADE_UP)
        as_other = remaining(
            visit, {name: made_up if name == "X-Forwarded-For" else made_up.partition(",")[0]}
        )
        if as_other is not None and as_other > own + 2:
            return fault(
                f"Whoever sends {name} counts as another client, so no limit holds.",
                "Set CLIENT_ADDRESS_HEADER to a header that the outermost proxy overwrites, or correct NUM_PROXIES.",
            )
    most = settings.SIGN_IN_REQUESTS[0]
    if own < most / 2:
        return warning(
            f"Of the {most} sign-ins of this network {own} are left: others count as the same client.",
            "If all clients share one limit, set CLIENT_ADDRESS_HEADER or NUM_PROXIES (docs/deployment.md).",
        )
    return ok("The service tells this client by its address, whatever headers it sends.")


def remaining(visit: Visit, headers: dict[str, str]) -> int | None:
    """Return how many calls are left after a sign-in without a body."""
    sent = {"Content-Type": "application/json", **headers}
    answer = web.ask("POST", f"{visit.url}/api/auth/login", sent, b"{}")
    left = answer.headers.get("ratelimit-remaining", "")
    return int(left) if left.isdecimal() else None


def content_of(answer: web.Answer) -> dict[str, object]:
    try:
        content = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
