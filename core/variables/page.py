"""The page docs/settings.md, made of what is declared."""

from typing import Any

from core.variables.declared import SECTIONS, Blank, Section, Variable

HEAD = """# Settings

Every variable of the environment that the gallery reads. This page is made from `core/variables/declared.py`: change a
variable there, then run `manage.py print_settings > docs/settings.md`.

A wrong value stops the start, of the server and of every command, with one sentence that names the variable and what it
must be; so do values that contradict each other. No sentence shows a secret. A variable that is set to nothing counts
as not set, except where the table says otherwise. Space around a value does not count. A `.env` file beside `manage.py`
is read too; variables of the environment take precedence.
"""
FLAGS = "Flags are `true`, `on`, `yes`, `y`, `1`, or `false`, `off`, `no`, `n`, `0`.\n"
BLANKS = {
    Blank.ALWAYS: "",
    Blank.IN_DEVELOPMENT: "; in production never empty",
    Blank.NEVER: "; never empty",
}


def markdown() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, FLAGS, *(table(section) for section in SECTIONS)])


def table(section: Section) -> str:
    lines = [
        f"## {section.title}",
        "",
        "| variable | what it must be | default | what it does |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *(row(variable) for variable in section.variables), ""])


def row(variable: Variable[Any]) -> str:
    must = variable.kind.words.replace("|", "\\|") + BLANKS[variable.blank]
    return f"| `{variable.name}` | {must} | {default_of(variable)} | {variable.purpose} |"


def default_of(variable: Variable[Any]) -> str:
    if variable.otherwise:
        return variable.otherwise
    written = variable.kind.written(variable.default)
    return f"`{written}`" if written else ""
