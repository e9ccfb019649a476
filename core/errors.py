"""The exceptions of services: a sentence for a person, and a code for a program.

Services raise them. core.api.errors turns them into HTTP responses, the admin into messages.
"""

from collections.abc import Mapping

from core.json_types import Json


class GalleryError(Exception):
    """A rejected call: `message` is one sentence for a person, `code` is stable, `fields` maps fields to sentences.

    `extra` has the members that the body of this error has besides those of every error.
    """

    code = "error"
    message = "The request could not be carried out."

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
        extra: Mapping[str, Json] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.fields = dict(fields or {})
        self.extra = dict(extra or {})
        self.retry_after = retry_after  # seconds
        super().__init__(self.message)


class Invalid(GalleryError):
    """The input is not valid."""

    code = "invalid"
    message = "Some of the values are not valid."


class NotAuthenticated(GalleryError):
    """The caller is not signed in, or their session has ended."""

    code = "not_authenticated"
    message = "Please sign in."


class Forbidden(GalleryError):
    """The caller is signed in and may not do this."""

    code = "forbidden"
    message = "You are not allowed to do this."


class NotFound(GalleryError):
    """The object does not exist, or not for this caller."""

    code = "not_found"
    message = "There is nothing at this URL."


class Conflict(GalleryError):
    """The call conflicts with the stored data."""

    code = "conflict"
    message = "This conflicts with the stored data."


class TooLarge(GalleryError):
    """More bytes than the limit."""

    code = "too_large"
    message = "This is too large."


class TooMany(GalleryError):
    """Too many attempts. `retry_after` is the number of seconds to wait."""

    code = "too_many_requests"
    message = "Too many requests. Please try again later."


class Unavailable(GalleryError):
    """The database or the storage is unavailable."""

    code = "unavailable"
    message = "The service is temporarily unavailable. Please try again."


def invalid_field(field: str, sentence: str, *, code: str = "invalid") -> Invalid:
    """Return the exception for one invalid field."""
    return Invalid(sentence, code=code, fields={field: [sentence]})
