"""Fields of a design that staff change in lists, without the design's page."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse, QueryDict
from rest_framework.exceptions import ValidationError

from console.base import GalleryAdmin, actor_of, error_as_json
from console.merging import changed_by, last_changes
from core.errors import GalleryError
from designs import services
from designs.fields import LIVE, Values
from designs.models import Design
from designs.validation import validated_fields

FIELDS = ("title", "status", "featured")


def set_field(model_admin: GalleryAdmin, request: HttpRequest, design_id: int) -> HttpResponse:
    """Change FIELDS of a design, validated as the API does it.

    With `was-` and the name of a field, the value that the page shows: 409 if a colleague has made another of it.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    design = Design.objects.filter(LIVE, pk=design_id).first()
    if design is None:
        return JsonResponse({"message": "This design has been deleted."}, status=404)
    sent = {name: request.POST[name] for name in FIELDS if name in request.POST}
    if not sent:
        return JsonResponse({"message": f"Send one of {', '.join(FIELDS)}."}, status=400)
    try:
        fields = validated_fields(sent, partial=True)
        if sentence := changed_meanwhile(design, fields, request.POST):
            return JsonResponse({"message": sentence, "now": values_of(design)}, status=409)
        services.design_update(actor_of(request), design, fields)
    except (GalleryError, ValidationError) as error:
        return error_as_json(error)
    return JsonResponse(values_of(design))


def values_of(design: Design) -> Values:
    return {name: getattr(design, name) for name in FIELDS}


def changed_meanwhile(design: Design, fields: Values, sent: QueryDict) -> str:
    """Sentences about what colleagues made of the fields since the page showed them; empty if they did nothing."""
    was = {name: sent.get(f"was-{name}") for name in fields}
    changed = [
        name
        for name, new in fields.items()
        if was[name] is not None and as_sent(getattr(design, name)) not in (was[name], as_sent(new))
    ]
    if not changed:
        return ""
    lines = last_changes(design, {name: name for name in changed})
    sentences = [
        f"{changed_by(lines.get(name))} The {name} is now: {shown_value(design, name)}." for name in changed
    ]
    return " ".join([*sentences, "Nothing was stored. Change it again if you still want to."])


def as_sent(value: str | bool) -> str:
    """The value as the list's controls send it."""
    return str(value).lower() if isinstance(value, bool) else value


def shown_value(design: Design, name: str) -> str:
    if name == "featured":
        return "yes" if design.featured else "no"
    return str(getattr(design, f"get_{name}_display", lambda: getattr(design, name))())
