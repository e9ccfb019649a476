"""Prepare the demo gallery. Run by `make run` before the server.

The first run creates the gallery and its admin; each run prints the addresses.
"""

import json
import os
import re
import secrets
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from demo.vocabulary import KINDS

DESIGNS = 240
# Those that describe the demo's textiles.
WORDS = sorted({word for kind in KINDS for word in re.findall(r"\b[a-z]{4,8}\b", kind.sentence)})
PASSWORD_WORDS = 6


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the server's port")
        parser.add_argument("--designs", type=int, default=DESIGNS, help="how many designs to draw")

    def handle(self, *args: str, port: int, designs: int, **options: str | bool | None) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo gallery is not for production: use `manage.py create_admin`.")
        sign_in = settings.DATA / "demo-admin.json"
        complete = settings.DATA / "demo-complete"
        credentials = json.loads(sign_in.read_text()) if sign_in.exists() else new_credentials()
        if not (sign_in.exists() and complete.exists()):
            call_command("create_admin", no_input=True, **credentials)
            store_credentials(sign_in, credentials)
        if not complete.exists():
            # Continues where an interrupted first start stopped.
            call_command("seed_demo", designs=designs)
            complete.touch()
        self.announce(f"http://127.0.0.1:{port}", credentials, sign_in)

    def announce(self, address: str, credentials: dict[str, str], sign_in: Path) -> None:
        self.stdout.write(
            f"\n  Design Gallery\n"
            f"    API     {address}/api/designs\n"
            f"    Docs    {address}/docs\n"
            f"    Admin   {address}/admin/\n"
            f"    Sign in as {credentials['username']} with {credentials['password']}"
            f"   (kept in {sign_in})\n"
        )


def new_credentials() -> dict[str, str]:
    """A password of words: easily typed, and no command takes it for an option."""
    words = (secrets.choice(WORDS) for _ in range(PASSWORD_WORDS))
    return {"username": "demo-admin", "password": "-".join(words)}


def store_credentials(path: Path, credentials: dict[str, str]) -> None:
    """Write the sign-in to a file that only its owner can read.

    Called when the admin has this password, so that an interrupted start never leaves one that does not work.
    """
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(credentials, file)
    draft.rename(path)
