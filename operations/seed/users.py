"""The users of the seed: their names, passwords and rights."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError

from accounts import validators
from accounts.details import CONTACT_LENGTH, FULL_NAME_LENGTH
from accounts.models import User
from accounts.usernames import SIGNS, username_forms, username_plain
from operations.seed.report import LeftOut, quoted
from operations.seed.rows import Reader
from operations.seed.source import Row

TABLE = "users"
NEEDED = ("id", "username", "password_hash")
COLUMNS = (
    *NEEDED,
    *(
        "is_admin",
        "is_approved",
        "is_active",
        "full_name",
        "contact",
        "last_login",
        "created_at",
        "updated_at",
    ),
)
BCRYPT = re.compile(r"(\$2[aby]\$[0-9]{2}\$)([./0-9A-Za-z]{22})([./0-9A-Za-z]{31})")
DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"  # of bcrypt's base 64
COSTS = range(4, 17)  # one more doubles the time: 16 takes 4 s
LONGEST = 40  # characters of a new name before its number
USED = {"salt": 0b110000, "digest": 0b111100}  # the bits of the last digit that bcrypt reads


class Users:
    """Makes the users in the order of their ids. With `rename`, those whose names cannot be kept get another one."""

    def __init__(self, *, rename: bool, now: datetime) -> None:
        self.rename, self.now = rename, now
        self.taken: set[int] = set()
        self.admins = 0  # that are approved
        # Of each form of a name that is unique, whose it is.
        self.owners: dict[tuple[str, str], str] = {}

    def user(self, row: Row, changes: list[str]) -> User:
        """The unsaved user. Raises LeftOut."""
        read = Reader(row, changes, self.now)
        key = read.key()
        if key in self.taken:
            raise LeftOut("this id is there twice.")
        username = self.username(key, read.text("username"), changes)
        created, updated = read.dates()
        is_approved = read.flag("is_approved")
        if is_approved and not read.flag("is_active", default=True):
            is_approved = False
            changes.append("is_active is off, so they wait for approval.")
        fields = {
            "username": username,
            "password": password_of(read.text("password_hash"), changes),
            "full_name": checked(read, "full_name", FULL_NAME_LENGTH, validators.validate_one_line),
            "contact": checked(read, "contact", CONTACT_LENGTH, validators.validate_contact),
        }
        user = User(
            pk=key,
            **fields,
            **User.derived(fields),
            is_admin=read.flag("is_admin"),
            is_approved=is_approved,
            reviewed_at=updated if is_approved else None,
            last_login=read.moment("last_login"),
            created_at=created,
            updated_at=updated,
        )
        self.admins += user.is_admin and user.is_approved
        self.taken.add(key)
        return user

    def username(self, key: int, username: str, changes: list[str]) -> str:
        """The name, which is then taken, or another one for it. Raises LeftOut."""
        fault = self.fault_of(username)
        if fault is None:
            self.take(username)
            return username
        if not self.rename:
            raise LeftOut(f"the username {quoted(username)} {fault} --rename gives them another one.")
        base = allowed(username) or f"user-{key}"
        number, name = 2, base
        while self.fault_of(name) is not None:
            name = f"{base}-{number}"
            number += 1
        self.take(name)
        changes.append(f"the username {quoted(username)} {fault} They sign in as {quoted(name)} now.")
        return name

    def fault_of(self, username: str) -> str | None:
        """The rest of a sentence that says why nobody may have the name; None if it is free."""
        try:
            validators.validate_username(username)
        except ValidationError as error:
            return f"cannot be kept: {' '.join(error.messages)}"
        owner = next(filter(None, map(self.owners.get, username_forms(username).items())), None)
        return f"may be confused with that of {quoted(owner)}." if owner else None

    def take(self, username: str) -> None:
        self.owners |= dict.fromkeys(username_forms(username).items(), username)


def allowed(username: str) -> str:
    """What is left of a name that breaks the rule; empty if that is no name either."""
    plain = username_plain(username)
    kept = "".join(char if unicodedata.category(char)[0] in "LM" or is_plain(char) else "-" for char in plain)
    name = re.sub("-{2,}", "-", kept).strip("-")[:LONGEST]
    try:
        # Two letters become a name with the number that follows.
        validators.validate_username(f"{name}-2")
    except ValidationError:
        return ""
    return name


def is_plain(character: str) -> bool:
    return unicodedata.category(character) == "Nd" or character in SIGNS


def password_of(stored: str, changes: list[str]) -> str:
    """The text to store for a hash of bcrypt's; one that fits no password, with a note, for anything else."""
    found = BCRYPT.fullmatch(stored)
    if found is None or int(found[1][4:6]) not in COSTS:
        changes.append("the password is not stored as bcrypt does it, so it is gone: give them a reset code.")
        return make_password(None)
    return f"bcrypt${found[1]}{canonical(found[2], 'salt')}{canonical(found[3], 'digest')}"


def canonical(text: str, part: str) -> str:
    """The text as bcrypt itself writes it. Some libraries set bits of the last digit that it does not read."""
    return text[:-1] + DIGITS[DIGITS.index(text[-1]) & USED[part]]


def checked(read: Reader, column: str, most: int, validate: Callable[[str], None]) -> str:
    """A detail of the user; empty, with a note, where the rule for it refuses it."""
    text = read.text(column)
    try:
        if text:
            validate(text)
        fault = f"It may have at most {most} characters." if len(text) > most else ""
    except ValidationError as error:
        fault = " ".join(error.messages)
    if fault:
        read.changes.append(f"{column} is {quoted(text)}, and is left out: {fault}")
        return ""
    return text
