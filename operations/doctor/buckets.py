"""Checks of the two buckets on R2, by a scratch object that each check stores and removes again."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages

from core.r2 import Bucket, client_config
from operations.backups.places import PRIVATE
from operations.doctor import web
from operations.doctor.d1 import judged_clock
from operations.doctor.findings import Finding, Visit, fault, listed, ok, skipped, warning

PUBLIC = "default"  # the alias in STORAGES
NAMES = {PUBLIC: "CLOUDFLARE_R2_BUCKET_NAME", PRIVATE: "CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"}
FOLDER = "doctor"
UPLOAD_HEADERS = ("content-type", "if-none-match")  # of a presigned PUT
NOT_USED = "R2 is not used: images are files in DATA."
NO_PRIVATE = "There is no private bucket."
CONFIG = client_config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
KEYS = "CLOUDFLARE_R2_ACCESS_KEY and CLOUDFLARE_R2_SECRET_KEY"
RULE = "Give the bucket the CORS rule of docs/deployment.md, with this origin."


class Refused(Exception):
    """R2 refused a call; `finding` says which variable is wrong."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.sentence)
        self.finding = finding


def bucket_of(alias: str) -> Bucket | None:
    """Return the bucket that the settings name; None if there is none."""
    found = storages[alias] if alias in settings.STORAGES else None
    return found if isinstance(found, Bucket) else None


def client_of(bucket: Bucket) -> Any:
    """Return a client of the bucket that tries once, and not for long."""
    session = bucket._create_session()
    return session.client("s3", region_name="auto", endpoint_url=bucket.endpoint_url, config=CONFIG)


@contextmanager
def refusals(alias: str) -> Iterator[None]:
    """Raise Refused, with the variable to correct, for an error of R2."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        raise Refused(meaning(alias, code, status)) from None
    except BotoCoreError as error:
        raise Refused(
            fault(
                f"R2 cannot be reached: {type(error).__name__}.",
                "Look at CLOUDFLARE_ACCOUNT_ID, a part of R2's address, and at CLOUDFLARE_R2_ENDPOINT_URL if set.",
            )
        ) from None


def meaning(alias: str, code: str, status: int | None) -> Finding:
    """Return the fault for an error code of S3. https://developers.cloudflare.com/r2/api/error-codes/"""
    bucket = NAMES[alias]
    known = {
        "NoSuchBucket": (
            f"The account has no bucket with the name in {bucket}.",
            "Create it, or correct the name.",
        ),
        "InvalidAccessKeyId": (
            "R2 does not know CLOUDFLARE_R2_ACCESS_KEY.",
            f"Create an R2 API token with Object Read & Write, and set {KEYS}.",
        ),
        "SignatureDoesNotMatch": (
            "CLOUDFLARE_R2_SECRET_KEY does not belong to CLOUDFLARE_R2_ACCESS_KEY.",
            f"Create an R2 API token with Object Read & Write, and set {KEYS}.",
        ),
        "AccessDenied": (
            f"The R2 key may not use the bucket in {bucket}.",
            f"Give the token of {KEYS} Object Read & Write for this bucket, or correct the bucket's name.",
        ),
        "RequestTimeTooSkewed": (
            "R2 refuses this host's signatures, because its clock is wrong.",
            "Let the host follow NTP.",
        ),
    }
    if code in known:
        return fault(*known[code])
    return fault(
        f"R2 refuses the bucket in {bucket}: status {status}, {code or 'without a code'}.",
        f"Look at {bucket}, {KEYS}, and https://www.cloudflarestatus.com.",
    )


@contextmanager
def scratch(alias: str, bucket: Bucket) -> Iterator[tuple[Any, str, bytes]]:
    """Store an object under a key of its own, and remove it at the end: a client, the key, the content.

    Raises Refused.
    """
    with refusals(alias):
        client = client_of(bucket)
        # Before anything is stored: other S3 servers than R2 create a bucket that is missing.
        client.list_objects_v2(Bucket=bucket.bucket_name, MaxKeys=1)
        key, content = f"{FOLDER}/{secrets.token_hex(16)}.txt", secrets.token_hex(32).encode()
        # A public address may keep what it served once, so it must not find this missing before it is there.
        client.put_object(
            Bucket=bucket.bucket_name,
            Key=key,
            Body=content,
            ContentType="text/plain",
            CacheControl="no-store",
        )
        try:
            yield client, key, content
        finally:
            client.delete_object(Bucket=bucket.bucket_name, Key=key)


def takes_objects(alias: str) -> Finding:
    """The keys may store, read and delete an object."""
    bucket = bucket_of(alias)
    if bucket is None:
        return ok(NOT_USED) if alias == PUBLIC else skipped(NO_PRIVATE)
    try:
        with scratch(alias, bucket) as (client, key, content):
            stored = client.get_object(Bucket=bucket.bucket_name, Key=key)["Body"].read()
        if stored != content:
            return fault(
                "R2 gave back another object than was stored.", "Look at CLOUDFLARE_R2_ENDPOINT_URL."
            )
        with refusals(alias):
            left = client.list_objects_v2(Bucket=bucket.bucket_name, Prefix=key).get("KeyCount", 0)
    except Refused as refused:
        return refused.finding
    if left:
        return fault("R2 did not delete an object.", f"Give the token of {KEYS} Object Read & Write.")
    return ok("An object was stored, read and deleted.")


def public_takes_objects(visit: Visit) -> Finding:
    """The keys may use the public bucket."""
    return takes_objects(PUBLIC)


def private_takes_objects(visit: Visit) -> Finding:
    """The keys may use the private bucket."""
    if bucket_of(PRIVATE) is None and bucket_of(PUBLIC) is not None:
        return warning(
            "There is no private bucket for snapshots, backups and the ids of deleted users.",
            f"Create one without a public address, and set {NAMES[PRIVATE]}.",
        )
    return takes_objects(PRIVATE)


def public_address(visit: Visit) -> Finding:
    """The public address serves what is in the bucket."""
    bucket = bucket_of(PUBLIC)
    if bucket is None:
        return skipped(NOT_USED)
    address = settings.STORAGES[PUBLIC]["OPTIONS"]["public_url"]
    named = "CLOUDFLARE_R2_PUBLIC_URL"
    try:
        with scratch(PUBLIC, bucket) as (_, key, content):
            answer = web.ask("GET", f"{address}/{key}")
    except Refused as refused:
        return refused.finding
    except web.Unreachable as error:
        return fault(f"{named} cannot be reached: {error}.", "Correct it, or the domain's entry in DNS.")
    if answer.status == 200 and answer.body == content:
        return judged_address(address)
    return fault(
        f"{named} does not serve what is in {NAMES[PUBLIC]}: status {answer.status}.",
        f"Set {named} to the public domain of that bucket, and allow public access to it.",
    )


def judged_address(address: str) -> Finding:
    if ".r2.dev" in address:
        return warning(
            "CLOUDFLARE_R2_PUBLIC_URL is an r2.dev address, which Cloudflare throttles.",
            "Connect a domain of your own to the bucket.",
        )
    if not address.startswith("https://") and not web.is_local(address):
        return warning("CLOUDFLARE_R2_PUBLIC_URL is plain HTTP.", "Set it to the https:// address.")
    return ok("CLOUDFLARE_R2_PUBLIC_URL serves an object that was just stored.")


def private_is_private(visit: Visit) -> Finding:
    """Nobody reads the private bucket without a key."""
    bucket = bucket_of(PRIVATE)
    if bucket is None:
        return skipped(NO_PRIVATE)
    try:
        with scratch(PRIVATE, bucket) as (_, key, content):
            readers = [where for where, url in addresses(bucket, key) if shows(url, content)]
    except Refused as refused:
        return refused.finding
    if readers:
        return fault(
            f"Anybody can read the bucket in {NAMES[PRIVATE]}, by {readers[0]}.",
            "Remove its public access: it holds snapshots, backups and the ids of deleted users.",
        )
    return ok("The private bucket shows nothing without a key.")


def addresses(bucket: Bucket, key: str) -> list[tuple[str, str]]:
    """Return the addresses by which an object of the private bucket must not be readable."""
    found = [("R2's own address", f"{bucket.endpoint_url}/{bucket.bucket_name}/{key}")]
    if public := settings.STORAGES[PUBLIC].get("OPTIONS", {}).get("public_url"):
        found.append(("CLOUDFLARE_R2_PUBLIC_URL", f"{public}/{key}"))
    return found


def shows(url: str, content: bytes) -> bool:
    try:
        return web.ask("GET", url).body == content
    except web.Unreachable:
        return False


def cors(visit: Visit) -> Finding:
    """A browser at each origin of the app may upload to a presigned address."""
    bucket = bucket_of(PUBLIC)
    if bucket is None:
        return skipped(NOT_USED)
    origins = settings.CORS_ALLOWED_ORIGINS
    if not origins:
        return skipped("CORS_ORIGINS names no origin, so no browser uploads to the bucket.")
    address = f"{bucket.endpoint_url}/{bucket.bucket_name}/incoming/{secrets.token_hex(8)}"
    try:
        refused = [
            (origin, why)
            for origin in origins
            if (why := web.preflight(address, origin, "PUT", UPLOAD_HEADERS))
        ]
    except web.Unreachable as error:
        return fault(
            f"R2 cannot be reached: {error}.", "Look at CLOUDFLARE_ACCOUNT_ID and this host's network."
        )
    if refused:
        return fault(
            f"The bucket refuses uploads from {listed([origin for origin, _ in refused])} of CORS_ORIGINS: "
            f"{refused[0][1]}.",
            RULE,
        )
    return ok(f"The bucket takes uploads from {listed(origins)}.")


def clock(visit: Visit) -> Finding:
    """This host's clock agrees with R2's, which presigned addresses depend on."""
    bucket = bucket_of(PUBLIC)
    if bucket is None:
        return skipped(NOT_USED)
    sent = time.time()
    try:
        answer = web.ask("HEAD", f"{bucket.endpoint_url}/")
    except web.Unreachable as error:
        return fault(
            f"R2 cannot be reached: {error}.", "Look at CLOUDFLARE_ACCOUNT_ID and this host's network."
        )
    received, moment = time.time(), web.moment_of(answer.headers.get("date", ""))
    if moment is None:
        return warning("R2 does not say what time it is.", "Look at CLOUDFLARE_R2_ENDPOINT_URL.")
    return judged_clock("R2", web.seconds_ahead(moment, sent, received))
