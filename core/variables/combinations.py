"""What variables say together: halves of a set, and values that contradict each other."""

import re
from collections.abc import Iterator
from typing import Any

from core.variables import declared as v
from core.variables.reading import Environment

D1_SET = (v.CLOUDFLARE_D1_DATABASE_ID, v.CLOUDFLARE_API_TOKEN)
R2_KEYS = (v.CLOUDFLARE_R2_ACCESS_KEY, v.CLOUDFLARE_R2_SECRET_KEY)
R2_SET = (*R2_KEYS, v.CLOUDFLARE_R2_BUCKET_NAME, v.CLOUDFLARE_R2_PUBLIC_URL)
LEAST_CALLS = 12  # of a host in five minutes: what 100 hosts have of Cloudflare's allowance
HEXADECIMAL_32 = re.compile(r"[0-9a-f]{32}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def has_d1(env: Environment) -> bool:
    """Return whether the database is on D1."""
    return all(env[variable] for variable in (v.CLOUDFLARE_ACCOUNT_ID, *D1_SET))


def has_r2(env: Environment) -> bool:
    """Return whether images are in R2."""
    return all(env[variable] for variable in (v.CLOUDFLARE_ACCOUNT_ID, *R2_SET))


def faults(env: Environment) -> Iterator[str]:
    """Yield a sentence for each contradiction. Each value for itself is right."""
    yield from half_set(env, "D1", D1_SET, v.CLOUDFLARE_D1_BASE_URL)
    yield from half_set(env, "R2", R2_SET, v.CLOUDFLARE_R2_ENDPOINT_URL)
    yield from private_bucket(env)
    yield from ids_at_cloudflare(env)
    yield from needed_in_production(env)
    yield from one_source_of_addresses(env)
    yield from share_of_calls(env)
    if env[v.DEFAULT_PAGE_SIZE] > env[v.MAX_PAGE_SIZE]:
        yield (
            f"DEFAULT_PAGE_SIZE is {env[v.DEFAULT_PAGE_SIZE]}, and must not be more than MAX_PAGE_SIZE, "
            f"which is {env[v.MAX_PAGE_SIZE]}."
        )
    if env[v.REFRESH_TOKEN_DAYS] * 24 * 60 <= env[v.ACCESS_TOKEN_MINUTES]:
        yield (
            f"REFRESH_TOKEN_DAYS is {env[v.REFRESH_TOKEN_DAYS]}, and must be longer than ACCESS_TOKEN_MINUTES, "
            f"which is {env[v.ACCESS_TOKEN_MINUTES]}."
        )


def half_set(
    env: Environment, what: str, names: tuple[v.Variable[Any], ...], place: v.Variable[str]
) -> Iterator[str]:
    """The variables of D1 or R2 are all set, or none. Both need the account, which alone requires neither."""
    if not any(env[variable] for variable in (*names, place)):
        return
    missing = [one.name for one in (v.CLOUDFLARE_ACCOUNT_ID, *names) if not env[one]]
    if missing:
        yield f"{', '.join(missing)} must be set too, or none of {what}'s variables."


def private_bucket(env: Environment) -> Iterator[str]:
    name, bucket = v.CLOUDFLARE_R2_PRIVATE_BUCKET_NAME.name, env[v.CLOUDFLARE_R2_PRIVATE_BUCKET_NAME]
    if not bucket:
        return
    if missing := [one.name for one in (v.CLOUDFLARE_ACCOUNT_ID, *R2_KEYS) if not env[one]]:
        yield f"{name} needs {', '.join(missing)} too."
    if bucket == env[v.CLOUDFLARE_R2_BUCKET_NAME]:
        yield f"{name} must be another bucket than the public CLOUDFLARE_R2_BUCKET_NAME."


def ids_at_cloudflare(env: Environment) -> Iterator[str]:
    """Cloudflare's ids have a known shape; those of another D1 API or S3 server may be anything."""
    account, database = env[v.CLOUDFLARE_ACCOUNT_ID], env[v.CLOUDFLARE_D1_DATABASE_ID]
    elsewhere = env[v.CLOUDFLARE_D1_BASE_URL], env[v.CLOUDFLARE_R2_ENDPOINT_URL]
    if account and not any(elsewhere) and not HEXADECIMAL_32.fullmatch(account):
        yield "CLOUDFLARE_ACCOUNT_ID must be the account's id: 32 digits of 0 to 9 and a to f."
    if database and not elsewhere[0] and not UUID.fullmatch(database):
        yield (
            "CLOUDFLARE_D1_DATABASE_ID must be the database's id, not its name: "
            "digits of 0 to 9 and a to f, like 01234567-89ab-cdef-0123-456789abcdef."
        )


def needed_in_production(env: Environment) -> Iterator[str]:
    if not env.is_production:
        return
    if not env[v.JWT_SECRET]:
        yield "JWT_SECRET must be set when ENVIRONMENT=production."
    if not env[v.DATA] and not (has_d1(env) and has_r2(env)):
        # The code's folder, which each deploy replaces, is no place for them.
        yield "DATA must name a folder that outlives a deploy, in production without D1 and R2."


def one_source_of_addresses(env: Environment) -> Iterator[str]:
    if env[v.CLIENT_ADDRESS_HEADER] and env[v.NUM_PROXIES]:
        yield "CLIENT_ADDRESS_HEADER and NUM_PROXIES must not both be set: set the one that fits the proxies."


def share_of_calls(env: Environment) -> Iterator[str]:
    """A host whose share of D1's calls has no room for one would refuse everything."""
    allowance, hosts = env[v.D1_ALLOWANCE], env[v.HOSTS]
    if allowance and allowance < LEAST_CALLS * hosts:
        yield (
            f"D1_ALLOWANCE is {allowance}, and must be at least {LEAST_CALLS * hosts}: {LEAST_CALLS} calls in five "
            f"minutes for each of HOSTS, which is {hosts}. 0 is no limit."
        )
