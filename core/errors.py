"""What a service may refuse, in words for a person and a code for a program.

Services raise these; core.api.errors turns them into HTTP answers, and the admin into messages.
"""

from collections.abc import Mapping


class GalleryError(Exception):
    """A refusal: `message` is one sentence for a person, `code` is stable, `fields` what is at fault."""

    code = "error"
    message = "The request could not be carried out."

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.fields = dict(fields or {})
        self.retry_after = retry_after  # seconds
        super().__init__(self.message)


class Invalid(GalleryError):
    """The input is at fault."""

    code = "invalid"
    message = "Some of what was sent is not valid."


class NotAuthenticated(GalleryError):
    """Nobody is signed in, or not any longer."""

    code = "not_authenticated"
    message = "Please sign in."


class Forbidden(GalleryError):
    """The caller is known and may not do this."""

    code = "forbidden"
    message = "You are not allowed to do this."


class NotFound(GalleryError):
    """There is no such thing, or not for this caller."""

    code = "not_found"
    message = "There is nothing here."


class Conflict(GalleryError):
    """It contradicts what is stored."""

    code = "conflict"
    message = "This contradicts what is stored."


class TooLarge(GalleryError):
    """More bytes than are taken."""

    code = "too_large"
    message = "This is too large."


class TooMany(GalleryError):
    """Too many tries; `retry_after` says in how many seconds the next may come."""

    code = "too_many_requests"
    message = "Too many requests. Please try again later."


class Unavailable(GalleryError):
    """The database or the storage is out of reach."""

    code = "unavailable"
    message = "The service is out of reach for the moment. Please try again."


def invalid_field(field: str, sentence: str, *, code: str = "invalid") -> Invalid:
    """The refusal of one field's value."""
    return Invalid(sentence, code=code, fields={field: [sentence]})
