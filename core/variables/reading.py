"""Reads single variables of the environment by what is declared of them."""

import os
from collections.abc import Mapping
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from core.variables import declared
from core.variables.declared import RateLimit, Variable
from core.variables.kinds import Refused, shortened

T = TypeVar("T")


class Environment:
    """The values of the declared variables in `given`, by default those of this process."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self.given = os.environ if given is None else given

    def __getitem__(self, variable: Variable[T]) -> T:
        """Return the value of a variable; its default if it is not set or blank. Raises ImproperlyConfigured."""
        text = self.text_of(variable)
        if not text:
            return variable.default
        try:
            return variable.kind.parse(text)
        except Refused as refused:
            raise ImproperlyConfigured(sentence(variable, text, refused.part)) from None

    def get(self, variable: Variable[T | None], otherwise: T) -> T:
        """Return the value of a variable whose default depends on something; `otherwise` if it is not set or blank."""
        value = self[variable]
        return otherwise if value is None else value

    def limit(self, of: RateLimit) -> tuple[int, int]:
        """Return a limit: the calls at once, and the seconds in which they come back."""
        return self[of.calls], self[of.seconds]

    def text_of(self, variable: Variable[T]) -> str:
        """Return the text of a variable without surrounding space, right or not; empty if it is not set."""
        text = self.given.get(variable.name, "")
        return text.strip() if text.isspace() or not variable.keeps_space else text

    def is_blank(self, variable: Variable[T]) -> bool:
        """Return whether a variable is set to nothing."""
        return variable.name in self.given and not self.text_of(variable)

    @property
    def is_production(self) -> bool:
        return self.text_of(declared.ENVIRONMENT) == declared.PRODUCTION


def sentence(variable: Variable[T], text: str, part: str = "") -> str:
    """Return why a text is refused, or a part of it, without what no message may show."""
    must = f"must be {variable.kind.words}."
    if not variable.kind.shown:
        return f"{variable.name} {must}"
    if part and part != text:
        return f"{variable.name} has {shortened(part)}, and {must}"
    return f"{variable.name} is {shortened(text)}, and {must}"
