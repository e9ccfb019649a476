"""Which lookups of an address may narrow an admin's list: those that its filters declare, and none on a secret."""

from typing import Any

from django.contrib.admin import ListFilter
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP

from core.secret_fields import is_secret


def is_declared(page: Any, lookup: str, request: Any) -> bool:
    """Whether the page's filters offer this lookup.

    Django allows one on any field of the model itself, which tells a secret letter by letter. A name that is no
    field is a filter's own parameter, or is ignored later.
    """
    fields = fields_of(page.model, lookup)
    if any(is_secret(field) for field in fields):
        return False
    parameters, paths = declared(page, request)
    if not fields or lookup in parameters:
        return True
    names = [field.name for field in fields]
    if len(names) > 1 and getattr(fields[-1], "primary_key", False):
        del names[-1]  # a filter on a relation asks for the key of its target
    return LOOKUP_SEP.join(names) in paths


def fields_of(model: type[Model], lookup: str) -> list[Any]:
    """The fields that a lookup goes through; what follows the last of them is a transform or a comparison."""
    fields: list[Any] = []
    for part in lookup.split(LOOKUP_SEP):
        try:
            field: Any = model._meta.pk if part == "pk" else model._meta.get_field(part)
        except FieldDoesNotExist:
            break
        fields.append(field)
        if not getattr(field, "path_infos", None):
            break
        model = field.path_infos[-1].to_opts.model
    return fields


def declared(page: Any, request: Any) -> tuple[set[str], set[str]]:
    """The parameters that the page's own filters take, and the paths of the fields that it filters by."""
    parameters: set[str] = set()
    paths = {page.date_hierarchy} if page.date_hierarchy else set()
    for one in page.get_list_filter(request):
        if isinstance(one, type) and issubclass(one, ListFilter):
            parameters |= {*getattr(one, "parameter_names", ()), getattr(one, "parameter_name", "") or ""}
        else:
            paths.add(one if isinstance(one, str) else one[0])
    return parameters, paths
