"""Values that are in their range and still do not work, alone or beside others: what the start need not refuse."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from core.variables import declared as v
from core.variables.checking import ROOT, data_folder
from core.variables.combinations import has_d1, has_r2
from core.variables.reading import Environment
from d1backend.options import ALLOWANCE
from operations.doctor.findings import Finding, Visit, listed, ok, warning
from operations.doctor.web import is_local
from uploads.pipeline.costs import FIXED, PLAIN

MEGABYTE = 1024**2
QUOTES = ('"', "'")
LIMITS = [
    v.ANONYMOUS_REQUESTS,
    v.USER_REQUESTS,
    v.SIGN_IN_REQUESTS,
    v.UPLOAD_REQUESTS,
    v.REGISTRATIONS,
    v.SIGN_IN_FAILURES,
    v.SIGN_INS,
    v.UNAPPROVED_SIGN_INS,
    v.AVATAR_UPLOADS,
    v.PRESIGNED_UPLOADS,
    v.UNKNOWN_UPLOADS,
]
TIMES = 10  # how far a limit may be from the one that was tried
MOST = 40  # files of MAX_FILE_SIZE that would fill the memory of the host
# Below or above which a number hardly does what it is for, and why.
TOO_LOW: list[tuple[v.Variable[Any], float, str]] = [
    (v.TRASH_DAYS, 1, "what is deleted by mistake is gone the same night"),
    (v.MAX_FILE_SIZE, MEGABYTE, "photos of phones have more bytes"),
    (v.MAX_PAGE_SIZE, v.DEFAULT_PAGE_SIZE.default, "apps ask for 20 items and need several calls for a page"),
    (v.DEFAULT_PAGE_SIZE, 5, "apps that name no number get a few items at a time"),
    (v.PRESIGNED_LIFETIME_SECONDS, 60, "a slow upload ends after its address does"),
    (
        v.ACCESS_TOKEN_MINUTES,
        5,
        "each app refreshes its token all the time, and each refresh is a call to D1",
    ),
    (
        v.REFRESH_GRACE_SECONDS,
        5,
        "an app whose answer was lost, or that refreshes twice at once, is signed out",
    ),
    (v.SECURE_HSTS_SECONDS, v.YEAR, "browsers soon try plain HTTP again"),
    (v.WEB_THREADS, 3, "no thread is left for reads while D1 or the store is slow"),
    (v.D1_TIMEOUT, 3, "calls that D1 answers a little later are taken for lost, and sent again"),
]
TOO_HIGH: list[tuple[v.Variable[Any], float, str]] = [
    (v.VIEW_FLUSH_SECONDS, 10, "views show later than the API promises"),
    (v.REPLICA_MAX_AGE, 60, "people see what other hosts wrote a minute late or later"),
    (v.ACCESS_TOKEN_MINUTES, 1440, "an app that is not used for weeks holds a token that works"),
    (v.REFRESH_GRACE_SECONDS, 300, "a stolen refresh token works beside its owner's for so long"),
    (v.PRESIGNED_LIFETIME_SECONDS, v.DAY, "addresses that leak can be uploaded to for days"),
    (v.WEB_THREADS, 64, "the threads of a worker share one processor"),
    (v.D1_TIMEOUT, 60, "people wait for minutes where D1 hangs; it ends a call after 30 s itself"),
    (v.NUM_PROXIES, 5, "with fewer proxies clients choose the address that they are counted by"),
]


def values(visit: Visit) -> Finding:
    """Every value does what it is for, also beside the others."""
    env = Environment()
    if not settings.PRODUCTION:
        return ok("In development any value will do.")
    found = [sentence for rule in RULES for sentence in rule(env)]
    if not found:
        return ok("No value is unusual, alone or beside others.")
    return warning(
        " ".join(found), "Remove what is not meant: without a variable its default counts (docs/settings.md)."
    )


def numbers(env: Environment) -> Iterator[str]:
    for variable, least, why in TOO_LOW:
        if env.text_of(variable) and env[variable] < least:
            yield f"{variable.name} is {env.text_of(variable)}: {why}."
    for variable, most, why in TOO_HIGH:
        if env.text_of(variable) and env[variable] > most:
            yield f"{variable.name} is {env.text_of(variable)}: {why}."


def pictures(env: Environment) -> Iterator[str]:
    """A picture of MAX_MEGAPIXELS can be decoded, and turned as phones ask for."""
    pixels = settings.MAX_MEGAPIXELS * 1_000_000
    needed = 2 * PLAIN * pixels + FIXED
    if needed > settings.DECODING_MEMORY:
        yield (
            f"DECODING_MEMORY_MB is {settings.DECODING_MEMORY // MEGABYTE}: a photo of {settings.MAX_MEGAPIXELS} "
            f"megapixels, which MAX_MEGAPIXELS allows, takes {-(-needed // MEGABYTE)} MB and is refused."
        )
    if settings.MAX_MEGAPIXELS < 12:
        yield f"MAX_MEGAPIXELS is {settings.MAX_MEGAPIXELS}: photos of phones have 12 and more."
    if settings.MAX_FILE_SIZE * MOST > settings.MEMORY_LIMIT:
        yield (
            f"MAX_FILE_SIZE is {settings.MAX_FILE_SIZE:,}: uploads are in memory as a whole, of which this host has "
            f"{settings.MEMORY_LIMIT // MEGABYTE:,} MB."
        )


def limits(env: Environment) -> Iterator[str]:
    """No limit is ten times as strict or as lax as the one that was tried."""
    for limit in LIMITS:
        calls, seconds = env.limit(limit)
        usual = limit.calls.default / limit.seconds.default
        rate = calls / seconds
        if calls * TIMES <= limit.calls.default or rate * TIMES <= usual:
            how, what = "strict", "ordinary use is refused"
        elif rate >= usual * TIMES or calls >= limit.calls.default * TIMES:
            how, what = "lax", "it stops nobody"
        else:
            continue
        yield (
            f"{limit.calls.name} is {calls:,} in {limit.seconds.name} {seconds:,}, {TIMES} times or more as {how} as "
            f"{limit.calls.default:,} in {limit.seconds.default:,}: {what}."
        )


def of_d1(env: Environment) -> Iterator[str]:
    if not has_d1(env):
        return
    flush, calls, threads = env[v.VIEW_FLUSH_SECONDS], env[v.D1_MOST_CALLS], env[v.WEB_THREADS]
    if flush < 1:
        what = "views are never written" if flush == 0 else "writing views takes most of D1's calls"
        yield f"VIEW_FLUSH_SECONDS is {flush:g}: {what}."
    if calls is not None and calls > max(1, threads - v.THREADS_FOR_READS):
        yield (
            f"D1_MOST_CALLS is {calls:,} and WEB_THREADS is {threads}: while D1 hangs, calls to it leave no two "
            "threads for reads."
        )
    allowance = env[v.D1_ALLOWANCE]
    if allowance is not None and not 0 < allowance <= ALLOWANCE and not env[v.CLOUDFLARE_D1_BASE_URL]:
        yield f"D1_ALLOWANCE is {allowance:,}: Cloudflare blocks the account after {ALLOWANCE:,} calls."
    if env[v.SERVE_WHILE_FILLING] and env[v.REPLICA]:
        yield "SERVE_WHILE_FILLING is on: until the copy is filled, all who read spend the calls that it needs."
    if env[v.DATABASE_URL]:
        yield "DATABASE_URL has no effect, because D1's variables are set."


def secrets(env: Environment) -> Iterator[str]:
    if env[v.SECRET_KEY] and env[v.SECRET_KEY] in (settings.JWT_SECRET, settings.METRICS_TOKEN):
        yield "SECRET_KEY is the same as another secret."
    if env[v.METRICS_TOKEN_PREVIOUS] and env[v.METRICS_TOKEN_PREVIOUS] == settings.METRICS_TOKEN:
        yield "METRICS_TOKEN_PREVIOUS is the same as METRICS_TOKEN."
    if env[v.ADMIN_PASSWORD]:
        yield "ADMIN_PASSWORD is set: only `create_admin` needs it, once, and whoever sees the variables knows it."


def addresses(env: Environment) -> Iterator[str]:
    """What holds a token, or a page of HTTPS shows, does not travel in the clear."""
    for variable in (v.CLOUDFLARE_D1_BASE_URL, v.CLOUDFLARE_R2_ENDPOINT_URL, v.CLOUDFLARE_R2_PUBLIC_URL):
        if urlsplit(env[variable]).scheme == "http" and not is_local(env[variable]):
            yield f"{variable.name} is without TLS."
    if plain := [one for one in env[v.CSRF_TRUSTED_ORIGINS] if one.startswith("http://")]:
        yield f"CSRF_TRUSTED_ORIGINS has origins without TLS: {listed(plain)}."
    if "*" in env[v.FORWARDED_ALLOW_IPS] and not settings.RENDER_HOSTS:
        yield "FORWARDED_ALLOW_IPS is *: whoever reaches the port can say that a request came by HTTPS."


def places(env: Environment) -> Iterator[str]:
    """What must last does not lie where the next deploy puts the new code."""
    files = [] if has_d1(env) else [(Path(str(settings.DATABASES["default"]["NAME"])), "the database")]
    if not (has_d1(env) and has_r2(env)):
        files.append((data_folder(env) / "media", "data"))
    for path, what in files:
        between = [folder for folder in path.parents if folder != ROOT and folder.is_relative_to(ROOT)]
        if path.is_relative_to(ROOT) and not any(folder.is_mount() for folder in between):
            name = "DATABASE_URL" if what == "the database" and env[v.DATABASE_URL] else "DATA"
            yield f"{name} puts {what} into the folder of the code, which a deploy replaces."


def written(env: Environment) -> Iterator[str]:
    """Nothing is in quotes, which Docker's --env-file and dashboards keep, and `.env` where one of two is missing."""
    for variable in v.ALL.values():
        text = env.text_of(variable)
        if text.startswith(QUOTES) or text.endswith(QUOTES):
            yield f"{variable.name} begins or ends with a quote, which is part of it: without, it is another value."
    if env[v.DATA] and not Path(env[v.DATA]).is_absolute():
        yield "DATA is relative: a command that starts in another folder has another."


def logs(env: Environment) -> Iterator[str]:
    if env[v.LOG_LEVEL] in ("ERROR", "CRITICAL"):
        yield f"LOG_LEVEL is {env[v.LOG_LEVEL]}: answers and warnings, such as D1 out of reach, leave no line."
    elif env[v.LOG_LEVEL] == "DEBUG":
        yield "LOG_LEVEL is DEBUG: the log grows fast."


RULES: list[Callable[[Environment], Iterator[str]]] = [
    numbers,
    pictures,
    limits,
    of_d1,
    secrets,
    addresses,
    places,
    written,
    logs,
]
