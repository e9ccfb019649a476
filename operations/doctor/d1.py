"""Checks of Cloudflare D1: whether it answers, how fast, what of the allowance is left, and its clock."""

import urllib3
from django.conf import settings

from d1backend.errors import RateLimited
from d1backend.protocol.budget import budget_of
from operations.doctor import d1_probe, web
from operations.doctor.findings import Finding, Visit, duration, fault, ok, skipped, warning

NOT_USED = "D1 is not used: the database is SQLite in a file."
FAR = 0.5  # seconds of a round trip, above which writes feel slow
LITTLE_LEFT = 0.2  # of the share
# https://developers.cloudflare.com/d1/platform/limits/
LARGEST = 10 * 1000**3  # bytes of a database on the paid plan
CLOCK_WARNING, CLOCK_FAULT = 2.0, 10.0  # seconds
UNKNOWN_ROUTE, UNKNOWN_DATABASE = 7003, 7404


def is_used() -> bool:
    return str(settings.DATABASES["default"]["ENGINE"]) == "d1backend"


def answers(visit: Visit) -> Finding:
    """D1 answers, and takes the account, the token and the database."""
    if not is_used():
        return ok(NOT_USED)
    try:
        found = d1_probe.ask_d1()
    except RateLimited as error:
        return fault(
            f"This host has spent its share of D1's calls; the next is free in {error.retry_after:.0f} s.",
            "Run it again then; if it happens often, look at HOSTS, D1_ALLOWANCE and gallery_d1_requests_total.",
        )
    except urllib3.exceptions.HTTPError as error:
        return fault(
            f"D1 cannot be reached: {web.reason_of(error)}.",
            "Look at this host's network and https://www.cloudflarestatus.com, and at CLOUDFLARE_D1_BASE_URL if set.",
        )
    if found.status == 200:
        visit.d1 = found
        return ok(f"D1 answers and takes the token; a round trip takes {found.round_trip * 1000:.0f} ms.")
    return refusal(found)


def refusal(found: d1_probe.Answers) -> Finding:
    """Return the fault for an answer without success."""
    if found.status == 429:
        return fault(
            "D1 blocks the account, which has sent more than its allowance.",
            "Wait five minutes, and set HOSTS to the number of hosts and commands that run at one time.",
        )
    if UNKNOWN_DATABASE in found.codes:
        return fault(
            "D1 has no database with the id in CLOUDFLARE_D1_DATABASE_ID.",
            "Copy the id from Cloudflare's dashboard, of a database in the account CLOUDFLARE_ACCOUNT_ID.",
        )
    if UNKNOWN_ROUTE in found.codes:
        return fault(
            "CLOUDFLARE_ACCOUNT_ID is not the id of an account.",
            "Copy it from Cloudflare's dashboard: 32 characters, 0-9 and a-f.",
        )
    if found.status in (401, 403):
        return refused_token()
    return fault(
        f"D1 answers with status {found.status}.",
        "Look at https://www.cloudflarestatus.com, and at CLOUDFLARE_D1_BASE_URL if it is set.",
    )


def refused_token() -> Finding:
    """Return the fault for a refused token: it is wrong, or it is not for this account."""
    try:
        active = d1_probe.token_is_active()
    except urllib3.exceptions.HTTPError:
        active = None
    if active:
        return fault(
            "The API token is good, but not for D1 in the account CLOUDFLARE_ACCOUNT_ID.",
            "Correct CLOUDFLARE_ACCOUNT_ID, or give the token the permission D1: Edit for that account.",
        )
    account = "" if active is False else ", or CLOUDFLARE_ACCOUNT_ID is another's"
    return fault(
        f"D1 refuses CLOUDFLARE_API_TOKEN{account}.",
        "Create an API token with the permission D1: Edit in Cloudflare's dashboard, and set it.",
    )


def speed(visit: Visit) -> Finding:
    """A round trip is short enough that writes feel quick."""
    if visit.d1 is None:
        return skipped(NOT_USED)
    took = f"The shortest round trip to D1 took {visit.d1.round_trip * 1000:.0f} ms"
    if visit.d1.round_trip <= FAR:
        return ok(f"{took}.")
    advice = "Run the service near the database: its region is in Cloudflare's dashboard."
    return warning(f"{took}, which each write waits for.", advice)


def allowance(visit: Visit) -> Finding:
    """What this host may still send in the five minutes of D1's allowance."""
    if visit.d1 is None:
        return skipped(NOT_USED)
    budget = budget_of(d1_probe.d1_settings()[0])
    used, share = budget.used(), budget.share
    if not share:
        return ok("D1's API at CLOUDFLARE_D1_BASE_URL has no allowance; D1_ALLOWANCE would set one.")
    left = max(0, share - used)
    said = "" if visit.d1.left is None else f" D1 says that the account has {visit.d1.left} left."
    sentence = f"This host may send {left} of its {share} calls to D1 in these five minutes.{said}"
    least = min(left, share if visit.d1.left is None else visit.d1.left)
    if least >= LITTLE_LEFT * share:
        return ok(sentence)
    advice = "If nobody imports or fills a copy, find who calls: gallery_d1_requests_total, and HOSTS."
    return warning(sentence, advice)


def size(visit: Visit) -> Finding:
    """The database is well under D1's limit."""
    if visit.d1 is None:
        return skipped(NOT_USED)
    part = visit.d1.size / LARGEST
    sentence = f"The database has {visit.d1.size / 1000**2:,.1f} MB, {part:.1%} of D1's 10 GB."
    if part < 0.8:
        return ok(sentence)
    return warning(sentence, "Run `manage.py tidy`, and plan what comes after: D1 takes no more than 10 GB.")


def schema(visit: Visit) -> Finding:
    """d1backend's mark of the schema's version is there."""
    if visit.d1 is None:
        return skipped(NOT_USED)
    if visit.d1.schema is None:
        return fault(
            "The database has no version of its schema: d1backend never migrated it.",
            "Run `manage.py migrate`; if it holds data of another program, CLOUDFLARE_D1_DATABASE_ID is wrong.",
        )
    return ok(f"The schema has the version {visit.d1.schema}.")


def clock(visit: Visit) -> Finding:
    """This host's clock agrees with D1's."""
    if visit.d1 is None:
        return skipped(NOT_USED)
    return judged_clock("D1", web.seconds_ahead(visit.d1.moment, visit.d1.sent, visit.d1.received))


def judged_clock(whose: str, ahead: float) -> Finding:
    """Judge by how many seconds this host's clock is ahead."""
    if abs(ahead) < CLOCK_WARNING:
        return ok(f"This host's clock agrees with {whose}'s.")
    sentence = (
        f"This host's clock is {duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} {whose}'s."
    )
    advice = "Let the host follow NTP: tokens and presigned addresses begin and end by its clock."
    return (fault if abs(ahead) >= CLOCK_FAULT else warning)(sentence, advice)
