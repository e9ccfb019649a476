"""Run a command with Cloudflare's two services on this machine: D1's engine, and an S3 server in place of R2.

    DATA=folder python -m devtools.local_cloud make run PORT=8000

Their data lies in $DATA/d1 and $DATA/s3, and they end with the command. The command finds their addresses where
it would find Cloudflare's: in the variables of docs/settings.md.
"""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from d1backend.local import D1Local
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools.s3_server import S3Server

ACCOUNT = "local"
BUCKET = DATABASE = "gallery"
PRIVATE_BUCKET = "gallery-private"  # for snapshots of the copy of D1


def database_id(d1: D1Local) -> str:
    """Return the id of the only database; the first start creates it."""
    api = Api(Settings(account_id=ACCOUNT, api_token=d1.token, base_url=d1.url))
    return api.find(DATABASE) or api.create(DATABASE)


def ensure_buckets(store: S3Server) -> None:
    client = store.client()
    found = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
    for name in {BUCKET, PRIVATE_BUCKET}.difference(found):
        client.create_bucket(Bucket=name)
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "HEAD", "PUT"], "AllowedHeaders": ["*"]}
    client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})


def variables(d1: D1Local, store: S3Server) -> dict[str, str]:
    return {
        "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
        "CLOUDFLARE_D1_DATABASE_ID": database_id(d1),
        "CLOUDFLARE_API_TOKEN": d1.token,
        "CLOUDFLARE_D1_BASE_URL": d1.url,
        "CLOUDFLARE_R2_ACCESS_KEY": store.access_key,
        "CLOUDFLARE_R2_SECRET_KEY": store.secret_key,
        "CLOUDFLARE_R2_BUCKET_NAME": BUCKET,
        "CLOUDFLARE_R2_PUBLIC_URL": f"{store.endpoint}/{BUCKET}",
        "CLOUDFLARE_R2_ENDPOINT_URL": store.endpoint,
    }


def main(command: list[str]) -> int:
    """Run `command` until it ends, and return its exit status."""
    data = Path(os.environ["DATA"]).resolve()
    (data / "s3").mkdir(parents=True, exist_ok=True)
    with (
        D1Local(persist=str(data / "d1"), token=secrets.token_urlsafe(16)) as d1,
        S3Server(data / "s3", public_bucket=BUCKET) as store,
    ):
        ensure_buckets(store)
        private = {"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": PRIVATE_BUCKET}
        process = subprocess.Popen(command, env={**os.environ, **variables(d1, store), **private})
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda number, frame: process.send_signal(signal.SIGTERM))
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
