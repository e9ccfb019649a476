"""Checks of the settings themselves: what is set, and whether it fits together."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import WARNING, Error, run_checks
from django.http.request import validate_host

from operations.doctor.findings import Finding, Visit, fault, listed, ok, warning
from operations.doctor.web import is_local

SHORT_TOKEN = 20  # characters
FEW_CHARACTERS = 10  # different ones, in a secret that was made by hand or by a repetition
DEVELOPMENT = "This is a development environment."


def environment(visit: Visit) -> Finding:
    """ENVIRONMENT says production, and DEBUG is off there."""
    if not settings.PRODUCTION:
        if settings.RENDER_HOSTS or is_public(visit.url):
            return fault("ENVIRONMENT is development on a public host.", "Set ENVIRONMENT to production.")
        return ok(f"{DEVELOPMENT} In production set ENVIRONMENT to production.")
    if settings.DEBUG:
        return fault(
            "DEBUG is on in production, and shows code and settings.", "Remove DEBUG, or set it to false."
        )
    return ok("ENVIRONMENT is production, and DEBUG is off.")


def is_public(url: str) -> bool:
    """Return whether an address is that of a service for others."""
    return bool(url) and not is_local(url)


def system_checks(visit: Visit) -> Finding:
    """Django's system checks, and the gallery's own, have nothing to say."""
    found = [
        message
        for message in run_checks(include_deployment_checks=settings.PRODUCTION)
        if message.level >= WARNING and not message.is_silenced()
    ]
    if not found:
        return ok("The system checks have nothing to say.")
    errors = [message for message in found if message.level > WARNING or isinstance(message, Error)]
    found = [*errors, *(message for message in found if message not in errors)]
    said = listed([f"{message.id}: {message.msg}" for message in found], 3)
    hints = " ".join(dict.fromkeys(str(message.hint) for message in found if message.hint))
    return (fault if errors else warning)(said, hints or "Run `manage.py check --deploy`.")


def secrets(visit: Visit) -> Finding:
    """The secrets are long enough, and were not made by hand."""
    if not settings.PRODUCTION:
        return ok(f"{DEVELOPMENT} Its secret is random, in DATA/jwt-secret.")
    generate = "Generate another: `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
    if len(set(settings.JWT_SECRET)) < FEW_CHARACTERS:
        return fault("JWT_SECRET consists of a few characters only, and can be guessed.", generate)
    if settings.JWT_SECRET_PREVIOUS and len(set(settings.JWT_SECRET_PREVIOUS)) < FEW_CHARACTERS:
        return fault(
            "JWT_SECRET_PREVIOUS consists of a few characters only: who guesses it can sign tokens.",
            "Remove JWT_SECRET_PREVIOUS; whoever has a token of then signs in again.",
        )
    if settings.JWT_SECRET_PREVIOUS == settings.JWT_SECRET:
        return warning("JWT_SECRET_PREVIOUS is the same as JWT_SECRET.", "Remove JWT_SECRET_PREVIOUS.")
    if not settings.METRICS_TOKEN:
        return warning("METRICS_TOKEN is not set, so nobody sees the metrics.", "Set METRICS_TOKEN.")
    if len(settings.METRICS_TOKEN) < SHORT_TOKEN or settings.METRICS_TOKEN == settings.JWT_SECRET:
        return warning("METRICS_TOKEN is short, or the same as JWT_SECRET.", generate)
    previous = settings.METRICS_TOKEN_PREVIOUS
    if previous and (len(previous) < SHORT_TOKEN or previous == settings.JWT_SECRET):
        return warning(
            "METRICS_TOKEN_PREVIOUS is short, or the same as JWT_SECRET, and /metrics takes it.",
            "Remove METRICS_TOKEN_PREVIOUS once Prometheus has METRICS_TOKEN.",
        )
    return ok("The secrets are long, and different from each other.")


def hosts(visit: Visit) -> Finding:
    """The service answers its own name, and no other."""
    allowed = settings.ALLOWED_HOSTS
    host = urlsplit(visit.url).hostname
    if not settings.PRODUCTION:
        return ok(f"{DEVELOPMENT} It answers every host name.")
    if host and not validate_host(host, allowed):
        return fault(f"ALLOWED_HOSTS lacks {host}.", f"Add {host} to ALLOWED_HOSTS.")
    if not allowed:
        return fault(
            "ALLOWED_HOSTS is empty, so every request is refused.", "Set it to the service's host name."
        )
    if "*" in allowed:
        return warning("ALLOWED_HOSTS is *: any host name is answered.", "Set it to the service's host name.")
    return ok(f"The service answers {listed(allowed)}.")


def cors(visit: Visit) -> Finding:
    """The origins of the app's web build are named."""
    if not settings.PRODUCTION:
        return ok(f"{DEVELOPMENT} The API answers every origin.")
    if settings.CORS_ALLOW_ALL_ORIGINS:
        return warning("CORS_ORIGINS is *: any web page may call the API.", "Name the origins of the app.")
    if not settings.CORS_ALLOWED_ORIGINS:
        return warning(
            "CORS_ORIGINS is not set, so the app's web build cannot call the API.",
            "Set it to the origins of the app, or ignore this where there is no web build.",
        )
    plain = [origin for origin in settings.CORS_ALLOWED_ORIGINS if not origin.startswith("https://")]
    if plain:
        return warning(f"CORS_ORIGINS has origins without TLS: {listed(plain)}.", "Use https:// origins.")
    return ok(f"The API answers pages of {listed(settings.CORS_ALLOWED_ORIGINS)}.")


def csrf(visit: Visit) -> Finding:
    """The origins that may send the console's forms are those of this service."""
    origins = settings.CSRF_TRUSTED_ORIGINS
    strange = [
        origin
        for origin in origins
        if not validate_host(urlsplit(origin).hostname or "", settings.ALLOWED_HOSTS)
    ]
    if strange:
        return warning(
            f"CSRF_TRUSTED_ORIGINS names what is no host of this service: {listed(strange)}.",
            "Keep only what a proxy in front makes of the service's name; others could send the console's forms.",
        )
    if not origins:
        return ok("Only pages of this service send the console's forms.")
    return ok(f"Pages of {listed(origins)} may send the console's forms.")


def mail(visit: Visit) -> Finding:
    """Nothing sends email: addresses of administrators would make Django mail tracebacks."""
    if settings.ADMINS or settings.MANAGERS:
        return warning(
            "Django would mail tracebacks to ADMINS.", "Empty ADMINS and MANAGERS: the log has them."
        )
    return ok("Nothing sends email.")
