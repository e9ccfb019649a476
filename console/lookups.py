"""Which lookups of a list's address are allowed: those that its filters offer, and none on a secret field."""

from django.contrib.admin import ListFilter, ModelAdmin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, ForeignObjectRel, Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest

from core.secret_fields import is_secret

ModelField = Field | ForeignObjectRel


def is_offered(page: ModelAdmin, lookup: str, request: HttpRequest) -> bool:
    """Whether the page's filters offer this lookup.

    Django itself allows a lookup on every field of the model, and so lets staff guess a secret letter by letter.
    A name that is no field is a parameter of a filter, or Django ignores it later.
    """
    fields = fields_on_path(page.model, lookup)
    if any(is_secret(field) for field in fields):
        return False
    parameters, paths = offered(page, request)
    if not fields or lookup in parameters:
        return True
    names = [field.name for field in fields]
    if len(names) > 1 and getattr(fields[-1], "primary_key", False):
        del names[-1]  # a filter on a relation asks for the key of its target
    return LOOKUP_SEP.join(names) in paths


def fields_on_path(model: type[Model], lookup: str) -> list[ModelField]:
    """The fields that a lookup follows. What comes after them is a transform or a comparison."""
    fields: list[ModelField] = []
    for part in lookup.split(LOOKUP_SEP):
        try:
            field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        except FieldDoesNotExist:
            break
        fields.append(field)
        path = getattr(field, "path_infos", None)
        if not path:
            break
        model = path[-1].to_opts.model
    return fields


def offered(page: ModelAdmin, request: HttpRequest) -> tuple[set[str], set[str]]:
    """The parameters of the page's own filters, and the paths of the fields that it filters by."""
    parameters: set[str] = set()
    paths = {page.date_hierarchy} if page.date_hierarchy else set()
    for item in page.get_list_filter(request):
        if isinstance(item, type) and issubclass(item, ListFilter):
            parameters |= {*getattr(item, "parameter_names", ()), getattr(item, "parameter_name", "") or ""}
        else:
            paths.add(str(item[0] if isinstance(item, list | tuple) else item))
    return parameters, paths
