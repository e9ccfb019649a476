"""Validators of usernames and passwords, for serializers and forms."""

from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError

from accounts.usernames import is_word, username_key, username_plain

USERNAME_LENGTH = (3, 50)  # characters
PASSWORD_LENGTH = (6, 128)  # characters
REASON_LENGTH = 500  # characters, of a rejection
USERNAME_SIZE = "A username has {} to {} characters.".format(*USERNAME_LENGTH)
PASSWORD_SIZE = "A password has {} to {} characters.".format(*PASSWORD_LENGTH)


def validate_username(username: str) -> None:
    """Raise ValidationError unless the username has 3 to 50 letters of any script, digits or `_ . -`.

    Its normal form must follow the rule too: one letter can stand for several words.
    """
    least, most = USERNAME_LENGTH
    if not (least <= len(username) <= most and least <= len(username_plain(username)) <= most):
        raise ValidationError(USERNAME_SIZE)
    if not (is_word(username) and is_word(username_key(username))):
        raise ValidationError("A username may only contain letters, digits and _ . -")


def validate_password(password: str) -> None:
    """Raise ValidationError unless this has 6 to 128 characters and is not one of the common ones."""
    least, most = PASSWORD_LENGTH
    if not least <= len(password) <= most:
        raise ValidationError(PASSWORD_SIZE)
    for validator in get_default_password_validators():
        validator.validate(password)
