"""The versions of a design: the lines of the audit trail that made them. There is no other history."""

from collections.abc import Iterable, Mapping

from django.db.models import Exists, Max, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from core import audit
from core.errors import Conflict, NotFound
from core.json_types import Json
from core.models import AuditEntry
from core.selectors import entries_about
from d1backend import gather
from d1backend.replica import on_primary
from designs.fields import AUDITED, Status, Values
from designs.models import Design
from designs.selectors import NO_SUCH_DESIGN

# What the caller sends where the trail has the pictures.
SENT_NAMES = {"image_keys": "r2_object_key"}


class EditConflict(Conflict):
    """Fields that a change names were changed since the version that it is based on. `design` is as it is now."""

    code = "edit_conflict"
    message = "Others have changed this design since you read it."

    def __init__(self, design: Design, fields: Mapping[str, list[str]]) -> None:
        super().__init__(fields=fields)
        self.design = design


def lines_of(design_id: int) -> QuerySet[AuditEntry]:
    """The lines that made the versions, in their order; not those of a purged design of the same id (an import's)."""
    about = entries_about(Design._meta.model_name or "", str(design_id)).order_by("version")
    purged = about.filter(version=None, action="design.purge").order_by().values("object_id")
    purge = Subquery(purged.annotate(last=Max("pk")).values("last"))
    return about.filter(version__isnull=False, pk__gt=Coalesce(purge, 0))


def lines_since(design_id: int, version: int) -> QuerySet[AuditEntry]:
    return lines_of(design_id).filter(version__gt=version)


def unchanged_since(design: Design, version: int, names: Iterable[str]) -> Q:
    """The condition that no line since a version has one of these fields."""
    touching = lines_since(design.pk, version).order_by().filter(changes__has_any_keys=list(names))
    return ~Q(Exists(touching))


def raise_conflicts(design: Design, version: int, changes: audit.Changes, fields: Iterable[str]) -> None:
    """Raise EditConflict if one of the changes is of a field that has another value than it had at the version.

    The errors name the `fields` that the caller sent, and say who changed each last and when.
    """
    if version > design.version:
        raise EditConflict(design, {"version": ["The design has never had this version."]})
    was: dict[str, Json] = {}
    last: dict[str, AuditEntry] = {}
    for line in lines_since(design.pk, version):
        for name, (old, _) in line.changes.items():
            was.setdefault(name, old)
            last[name] = line
    sent = set(fields)
    errors = {
        name if name in sent else SENT_NAMES[name]: [changed_by(last[name])]
        for name, (now, _) in changes.items()
        if name in last and was[name] != now
    }
    if errors:
        raise EditConflict(design, errors)


def changed_by(line: AuditEntry) -> str:
    who = line.actor_username or "The system"
    return f"{who} changed this on {line.created_at:%d %B %Y at %H:%M:%S} UTC."


def values_at(design: Design, version: int) -> Values:
    """The AUDITED fields that had other values at a version, with those values.

    A status of the trash is the one that a restore gives. Raises NotFound if the design has never had the version.
    """
    if version > design.version:
        raise NotFound("The design has never had this version.")
    pairs: dict[str, tuple[Json, Json]] = {}
    for line in lines_since(design.pk, version):
        for name, pair in line.changes.items():
            pairs.setdefault(name, pair)
    values = {name: old for name, (old, _) in pairs.items() if name in AUDITED}
    if values.get("status") == Status.DELETED:
        values["status"] = pairs["status"][1]
    return values


def design_versions(design_id: int, start: int, stop: int) -> tuple[list[AuditEntry], int]:
    """The lines of the versions from place `start` to before `stop`, newest first, and how many versions there are.

    The first version has no changes. It has a line of its own only where a design was created by a service: the demo
    gallery's were not. Raises NotFound if there is no such design, not even in the trash.
    """
    with on_primary():  # where the audit trail is, and in the same round trip
        designs, lines = gather(
            Design.objects.filter(pk=design_id).only("version", "created_at"),
            lines_of(design_id).order_by("-version")[start:stop],
        )
    if not designs:
        raise NotFound(NO_SUCH_DESIGN)
    total = designs[0].version
    if start + len(lines) == total - 1 and len(lines) < stop - start:
        lines.append(AuditEntry(version=1, created_at=designs[0].created_at))
    for line in lines:
        if line.version == 1:
            line.changes = {}
    return lines, total
