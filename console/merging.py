"""Forms that merge: of what a page showed, only the fields that its reader changed are stored.

A form carries the values that it was made from (Django's hidden initial values). When it comes back, each field is
compared three ways: as it was shown, as it is stored now, and as it was sent. What only others changed is taken over.
What both changed to different values is a conflict: the page shows both, and the reader chooses.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Model
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.timezone import localtime

from core.models import AuditEntry
from core.selectors import entries_about

MINE, THEIRS = "mine", "theirs"
ASKED = "conflict"  # names the fields for which the page has asked
CHOICE = "choose-{}"  # the answer for a field
CARRIED = "initial-"  # before the names of the values that a form was made from (Django's prefix)
UNNAMED = ""
LINES_READ = 50  # of the audit trail, to find who changed a field last
SHOWN_LENGTH = 300  # characters of a value in the question
PLAIN = (forms.widgets.Input, forms.Textarea, forms.Select)
NEVER = (forms.FileInput, forms.PasswordInput, forms.SelectMultiple)


class MergingForm(forms.BaseForm):
    """The base that merging() gives a form. `conflicts` are the fields for the reader to choose.

    A form that comes without the values it was made from is taken as it is: whatever differs was changed.
    A form may have `trail_names`, the audit trail's names of fields that it calls otherwise (UNNAMED if lines do not
    tell the field), `replaced_by`, the file that is sent instead of a value, by the field of that value, and its own
    `last_changes(names)`.
    """

    conflicts: list[str]
    data: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflicts, self.untouched = [], set[str]()
        self.shown: dict[str, str] = {}
        for field in self.fields.values():
            field.show_hidden_initial = is_mergeable(field)
        if self.is_bound:
            self.data = self.data.copy()
            for name, field in self.fields.items():
                carried = self.data.get(self.add_initial_prefix(name))
                if field.show_hidden_initial and carried is not None:
                    self.shown[name] = carried
                    self.merge(name, field)

    def merge(self, name: str, field: forms.Field) -> None:
        """Take over what others changed, unless the reader changed it too: then note the conflict."""
        now, mine = self.stored_value(name), read(field, self[name].data)
        is_changed = mine not in (read(field, self.shown[name]), read(field, now))
        is_asked, choice = name in asked(self.data), self.data.get(CHOICE.format(name))
        if is_changed and (self.others_changed(name) or (is_asked and choice not in (MINE, THEIRS))):
            self.conflicts.append(name)
        elif not is_changed or (is_asked and choice == THEIRS):
            self.untouched.add(name)
            put(self.data, self.add_prefix(name), field, now)
        self.data[self.add_initial_prefix(name)] = now

    def stored_value(self, name: str) -> str:
        """What is stored now, as a hidden field carries it."""
        field = self.fields[name]
        return stored_text(field, self.get_initial_for_field(field, name))

    def others_changed(self, name: str) -> bool:
        """Return whether a field is stored with another value than the page was made from."""
        field = self.fields[name]
        return name in self.shown and read(field, self.shown[name]) != read(field, self.stored_value(name))

    @cached_property
    def changed_data(self) -> list[str]:
        """The fields that the reader changed (Django's name)."""
        return [
            name
            for name, bound in self._bound_items()  # type: ignore[attr-defined]
            if name not in self.untouched and has_changed(bound)
        ]

    def _clean_form(self) -> None:
        """Say the conflicts before the form cleans itself, so that nothing of them is stored."""
        replaced_by: Mapping[str, str] = getattr(self, "replaced_by", {})
        replaced = [
            name for name, file in replaced_by.items() if self.files.get(file) and self.others_changed(name)
        ]
        if self.conflicts or replaced:
            lines = self.lines_of([*self.conflicts, *replaced])
            for name in self.conflicts:
                self.add_error(name, self.question(name, lines.get(name)))
            for name in replaced:
                self.add_error(
                    name, f"{changed_by(lines.get(name))} To replace theirs, choose your file again."
                )
            labels = ", ".join(str(self[name].label) for name in [*self.conflicts, *replaced])
            files = " Choose your files again." if self.files else ""
            self.add_error(
                None, f"Nothing is saved yet, because somebody else changed the same: {labels}.{files}"
            )
        super()._clean_form()  # type: ignore[misc]

    def question(self, name: str, line: AuditEntry | None) -> SafeString:
        """Both values of a field, who changed it and when, and the choice."""
        field = self.fields[name]
        context = {
            "name": name,
            "label": self[name].label,
            "choice": CHOICE.format(name),
            "who": line.actor_username if line else "",
            "sentence": changed_by(line),
            "theirs": as_shown(field, self.stored_value(name)),
            "mine": as_shown(field, self[name].data),
        }
        return SafeString(render_to_string("admin/core/conflict.html", context))

    def lines_of(self, names: Iterable[str]) -> Mapping[str, AuditEntry]:
        """The line of the audit trail that changed each of the fields last, as far as it tells."""
        own: Callable[[Iterable[str]], Mapping[str, AuditEntry]] | None = getattr(self, "last_changes", None)
        if own is not None:
            return own(names)
        trail_names: Mapping[str, str] = getattr(self, "trail_names", {})
        return last_changes(self.instance, {name: trail_names.get(name, name) for name in names})  # type: ignore[attr-defined]


def merging(form: type[forms.BaseForm]) -> type[Any]:
    """The same form, as one that merges."""
    return type(form.__name__, (MergingForm, form), {"__doc__": form.__doc__})


def last_changes(target: Model, names: Mapping[str, str]) -> dict[str, AuditEntry]:
    """The newest line about an object that has each field; `names` are the trail's names by those of the form."""
    lines = entries_about(target._meta.model_name or "", str(target.pk))[:LINES_READ]
    found: dict[str, AuditEntry] = {}
    for line in lines:
        for name, trail_name in names.items():
            is_unnamed = trail_name == UNNAMED and not line.changes and line.action.endswith(".update")
            if is_unnamed or trail_name in line.changes:
                found.setdefault(name, line)
    return found


def typed_work(sent: QueryDict) -> list[tuple[str, str]]:
    """What the reader of a form that merges changed in it, for a page that cannot save it: fields and texts."""
    work = []
    for carried in sent:
        name = carried.removeprefix(CARRIED)
        shown, text = (line_ends(sent.get(key, "")) for key in (carried, name))
        if shown in ("True", "False"):  # a box, of which a form sends only that it is ticked
            text = str(name in sent)
        if name != carried and text != shown:
            work.append((name.replace("_", " ").capitalize(), text))
    return work


def changed_by(line: AuditEntry | None) -> str:
    """Who changed it and when, in a sentence."""
    if line is None:
        return "Somebody else changed this since you opened the page."
    when = date_format(localtime(line.created_at), "DATETIME_FORMAT")
    return f"{line.actor_username or 'The system'} changed this on {when}."


def is_mergeable(field: forms.Field) -> bool:
    widget = getattr(field.widget, "widget", field.widget)  # that of a foreign key may be wrapped
    return not field.disabled and isinstance(widget, PLAIN) and not isinstance(widget, NEVER)


def asked(data: Any) -> list[str]:
    names: list[str] = data.getlist(ASKED) if hasattr(data, "getlist") else list(data.get(ASKED, []))
    return names


def stored_text(field: forms.Field, value: Any) -> str:
    """A stored value as the hidden field carries it."""
    return field.hidden_widget().format_value(field.prepare_value(value)) or ""


def put(data: Any, name: str, field: forms.Field, text: str) -> None:
    """Make the form's data those of a reader who left the field at this value."""
    if isinstance(field, forms.BooleanField):
        data.pop(name, None)
        if not field.to_python(text):
            return
    data[name] = text


def read(field: forms.Field, raw: Any) -> Any:
    """The value of what a form carries, to compare it; browsers end the lines of a form with CR LF."""
    if isinstance(raw, str):
        raw = line_ends(raw)
    if isinstance(field, forms.ModelChoiceField):
        return raw or ""  # to_python() would ask the database
    try:
        return field.to_python(raw)
    except forms.ValidationError:
        return raw


def line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def has_changed(bound: forms.BoundField) -> bool:
    field = bound.field
    if not field.show_hidden_initial:
        return bool(field.has_changed(bound.initial, bound.data))
    return bool(read(field, stored_text(field, bound.initial)) != read(field, bound.data))


def as_shown(field: forms.Field, raw: Any) -> SafeString:
    """A value as people know it: by its field's own `as_shown(raw)`, or in words, cut to SHOWN_LENGTH."""
    own: Callable[[Any], SafeString] | None = getattr(field, "as_shown", None)
    if own is not None and raw:
        return own(raw)
    words = in_words(field, raw)
    if not words:
        return mark_safe("<em>empty</em>")
    return format_html("<q>{}</q>", Truncator(words).chars(SHOWN_LENGTH))


def in_words(field: forms.Field, raw: Any) -> str:
    if isinstance(field, forms.BooleanField):
        return "yes" if field.to_python(raw) else "no"
    choices = {} if isinstance(field, forms.ModelChoiceField) else dict(getattr(field, "choices", []))
    return str(choices.get(raw, raw or ""))
