"""Refuses an environment that is wrong before anything starts: all that is wrong, in a sentence each."""

from collections.abc import Iterator
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from core.variables import combinations
from core.variables.declared import ALL, Blank
from core.variables.reading import Environment, sentence

FILE = Path(__file__).resolve().parents[2] / ".env"


def load(file: Path = FILE) -> Environment:
    """Return the environment of this process, after it has taken what `file` adds. Raises ImproperlyConfigured."""
    try:
        environ.Env.read_env(file)
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{file.name} must be a text in UTF-8.") from None
    env = Environment()
    check(env)
    return env


def check(env: Environment) -> None:
    """Raise ImproperlyConfigured with a sentence for each fault, a line each."""
    found = [*faults(env)] or [*combinations.faults(env)]
    if found:
        raise ImproperlyConfigured("\n".join(found))


def faults(env: Environment) -> Iterator[str]:
    """Yield a sentence for each variable whose value is wrong, and one for all that are blank and must not be."""
    blank = []
    for variable in ALL.values():
        try:
            env[variable]
        except ImproperlyConfigured as error:
            yield str(error)
        if env.is_blank(variable):
            if variable.blank is Blank.NEVER:
                yield sentence(variable, "")
            elif variable.blank is Blank.IN_DEVELOPMENT and env.is_production:
                blank.append(variable.name)
    if blank:
        yield f"{', '.join(blank)} must have a value, or not be set, in production."
