"""Validators of what people send about themselves, for serializers and forms."""

from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError

from accounts.details import check_email, is_one_line, is_telephone
from accounts.usernames import is_reserved, is_word, username_key, username_plain

USERNAME_LENGTH = (3, 50)  # characters
PASSWORD_LENGTH = (6, 128)  # characters
REASON_LENGTH = 500  # characters, of a rejection
USERNAME_SIZE = "A username has {} to {} characters.".format(*USERNAME_LENGTH)
PASSWORD_SIZE = "A password has {} to {} characters.".format(*PASSWORD_LENGTH)


def validate_username(username: str) -> None:
    """Raise ValidationError unless the username has 3 to 50 letters of any script, digits or `_ . -`.

    It may not look like a name of the audit trail for who has left.
    Its normal form must follow the rule too: one letter can stand for several words.
    """
    least, most = USERNAME_LENGTH
    if not (least <= len(username) <= most and least <= len(username_plain(username)) <= most):
        raise ValidationError(USERNAME_SIZE)
    if not (is_word(username) and is_word(username_key(username))):
        raise ValidationError("A username may only contain letters, digits and _ . -")
    if is_reserved(username):
        raise ValidationError("Names like this stand for accounts that were deleted. Choose another one.")


def validate_password(password: str) -> None:
    """Raise ValidationError unless this has 6 to 128 characters and is not one of the common ones."""
    least, most = PASSWORD_LENGTH
    if not least <= len(password) <= most:
        raise ValidationError(PASSWORD_SIZE)
    for validator in get_default_password_validators():
        validator.validate(password)


def validate_one_line(text: str) -> None:
    """Raise ValidationError if the text has a line break or another control character."""
    if not is_one_line(text):
        raise ValidationError("This must be one line without control characters.")


def validate_contact(contact: str) -> None:
    """Raise ValidationError unless this is an e-mail address or a telephone number of 6 to 15 digits."""
    validate_one_line(contact)
    if is_telephone(contact):
        return
    try:
        check_email(contact)
    except ValidationError:
        sentence = "This must be an e-mail address or a telephone number of 6 to 15 digits."
        raise ValidationError(sentence) from None
