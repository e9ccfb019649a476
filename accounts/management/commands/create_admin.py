"""Create an approved admin, or make an existing user one. Idempotent.

Name and password come from the options, else from ADMIN_USERNAME and ADMIN_PASSWORD, else from a prompt.
"""

import getpass
from argparse import ArgumentParser
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import selectors, services, validators
from core.errors import Conflict
from core.variables import declared
from core.variables.reading import Environment


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username")
        parser.add_argument(
            "--password", help="visible to others in the list of processes; ADMIN_PASSWORD is not"
        )
        parser.add_argument(
            "--no-input", action="store_true", help="never prompt; fail if something is missing"
        )

    def handle(
        self, *args: str, username: str | None, password: str | None, no_input: bool, **options: str
    ) -> None:
        ask = missing if no_input else input
        ask_secretly = missing if no_input else getpass.getpass
        env = Environment()
        username = (username or env[declared.ADMIN_USERNAME] or ask("Username: ")).strip()
        password = password or env[declared.ADMIN_PASSWORD] or ask_secretly("Password: ")
        self.refuse_bad("username", validators.validate_username, username)
        self.refuse_bad("password", validators.validate_password, password)
        user = selectors.user_by_name(username)
        if user is None:
            try:
                services.user_create(None, username, password, is_admin=True, is_editor=False)
            except Conflict as error:
                raise CommandError(f"{error.message} It may be confused with that of another user.") from None
            self.stdout.write(self.style.SUCCESS(f"{username} is made, and is an approved admin."))
            return
        new = None if user.check_password(password) else password
        services.user_update(None, user.pk, is_admin=True, is_approved=True, password=new)
        self.stdout.write(self.style.SUCCESS(f"{user.username} is an approved admin with this password."))

    def refuse_bad(self, what: str, validate: Callable[[str], None], value: str) -> None:
        try:
            validate(value)
        except ValidationError as error:
            raise CommandError(f"This {what} cannot be used: {' '.join(error.messages)}") from None


def missing(prompt: str) -> str:
    name = prompt.rstrip(": ").upper()
    raise CommandError(f"Give --{name.lower()} or set ADMIN_{name}; --no-input asks nobody.")
