"""Refuses an environment that is wrong before anything starts: all that is wrong, in a sentence each."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from core.variables import combinations
from core.variables.declared import ALL, DATA, Blank
from core.variables.kinds import shortened
from core.variables.reading import Environment, sentence

BYTE_ORDER_MARK = "\ufeff"  # what Windows puts before a text: it would be part of the first name
LINE = re.compile(r"(export )?[A-Za-z_0-9]+=")
ROOT = Path(__file__).resolve().parents[2]


def load(file: Path = ROOT / ".env") -> Environment:
    """Return the environment of this process, after it has taken what `file` adds. Raises ImproperlyConfigured."""
    require_lines(file)
    environ.Env.read_env(file)
    env = Environment()
    check(env)
    require_folder(env)
    return env


def require_lines(file: Path) -> None:
    """Raise ImproperlyConfigured if a line of the file is not read. No message shows it, as it may hold a secret."""
    no_text = ImproperlyConfigured(f"{file.name} must be a text in UTF-8, without a byte order mark.")
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise no_text from None
    except OSError:  # there is no such file
        return
    if "\0" in text or text.startswith(BYTE_ORDER_MARK):
        raise no_text
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith("#") and not LINE.match(line):
            sentence = (
                f"Line {number} of {file.name} must be NAME=value, without space before or after the name."
            )
            raise ImproperlyConfigured(sentence)


def data_folder(env: Environment) -> Path:
    """Return the folder of everything that this process writes: database, images, secrets, cache."""
    return Path(env[DATA] or ROOT / "data").resolve()


def require_folder(env: Environment) -> None:
    """Raise ImproperlyConfigured if DATA is no folder that this user can write, or could not create it."""
    try:
        folder = data_folder(env)
        nearest = next(path for path in (folder, *folder.parents) if path.exists())
        fits = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    except OSError:  # of a name that is too long
        fits = False
    if not fits:
        text = shortened(str(env[DATA] or folder))
        raise ImproperlyConfigured(f"DATA is {text}, and must be a folder that this user can write.")


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
