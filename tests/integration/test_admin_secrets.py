"""No page of the admin answers a question about a secret: no lookup, order, search or export goes through one."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import User
from console.base import GalleryAdmin
from core.secret_fields import is_secret
from tests.factories.accounts import UserFactory
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

SECRETS = [
    (model, field.name)
    for model in apps.get_models()
    for field in model._meta.local_fields
    if is_secret(field)
]
SUSPICIOUS = re.compile("pass|secret|token|hash|session|refresh")
KNOWN_HARMLESS = {("uploads.Image", "thumbhash"), ("uploads.Image", "perceptual_hash")}
LOOKUPS = ["", "__exact", "__startswith", "__gte", "__in", "__regex", "__isnull", "__length__gt"]
PAGES = dict(admin.site._registry)


def paths_to(model, deep=3):
    """Every way from a model to a secret, over at most `deep` relations, by a name that a lookup may use."""
    for field in model._meta.get_fields(include_hidden=True):
        if isinstance(field, Field) and is_secret(field):
            yield field.name
        if field.is_relation and field.related_model and deep:
            names = {field.name, getattr(field, "attname", field.name)}
            for rest in paths_to(field.related_model, deep - 1):
                yield from (f"{name}__{rest}" for name in names)


CASES = [(model, path) for model in PAGES for path in sorted(set(paths_to(model)))]


@pytest.fixture
def boss():
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(username="Asha", admin=True))
    return client


def list_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def names_in(value):
    """The names of fields in an option of an admin page, whatever it is nested in."""
    if isinstance(value, str):
        return [value.lstrip("-^=@")]
    if isinstance(value, dict):
        return names_in(list(value.values()))
    if isinstance(value, (list, tuple)):
        return [name for part in value for name in names_in(part)]
    return []


def test_what_looks_like_a_secret_is_declared_as_one():
    found = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if SUSPICIOUS.search(f"{field.name} {model.__name__}".lower()) and field.name != "id"
    }
    secrets = {(model._meta.label, name) for model, name in SECRETS}
    harmless = KNOWN_HARMLESS | {("sessions.Session", "expire_date")}
    assert found - harmless - secrets == set()
    assert ("accounts.User", "password") in secrets


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_every_page_is_built_on_the_one_that_refuses(model):
    assert isinstance(PAGES[model], GalleryAdmin)


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_no_list_can_be_narrowed_by_a_secret(rf, boss, lookup):
    request = rf.get("/")
    for model, path in CASES:
        assert not PAGES[model].lookup_allowed(f"{path}{lookup}", "x", request), (model, path)
    assert {model for model, _ in CASES} >= {User}
    assert len(CASES) > 20


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_no_option_of_a_page_names_a_secret(model):
    page = PAGES[model]
    options = [
        *(
            "list_display",
            "list_filter",
            "search_fields",
            "ordering",
            "date_hierarchy",
            "autocomplete_fields",
        ),
        *("fields", "fieldsets", "readonly_fields", "list_editable", "raw_id_fields", "sortable_by"),
    ]
    shown = [page, *(inline(model, admin.site) for inline in page.inlines)]
    for one in shown:
        for name in (name for option in options for name in names_in(getattr(one, option, None))):
            try:
                walked = get_fields_from_path(one.model, name)
            except FieldDoesNotExist:
                continue
            assert not any(is_secret(field) for field in walked), (one, name)


@pytest.mark.parametrize(
    "query",
    [
        "password__startswith=a",
        "password__gte=a",
        "password=a",
        "pk__password__startswith=a",
        "password_setting__startswith=a",
        "reviewed_by__password__startswith=a",
        "reviewed_by_id__password__startswith=a",
        "sign_ins__refresh_id__startswith=a",
        "images__uploaded_by__password__startswith=a",
        "state=pending&password__startswith=a",
    ],
)
def test_a_list_answers_400_to_a_lookup_on_a_secret(boss, query):
    for way in ("", "&q=asha", "&_popup=1&_to_field=id", "&o=1", "&_facets=1", "&all="):
        assert boss.get(f"{list_of(User)}?{query}{way}").status_code == 400, way


def test_an_order_by_what_is_not_shown_is_none(boss):
    UserFactory.create_batch(3)
    for order in ("99", "-99", "password", "-password", "1.password"):
        assert boss.get(list_of(User), {"o": order}).status_code == 200


def test_no_page_is_found_by_a_secret(boss):
    user = User.objects.get(username="Asha")
    path = reverse("admin:accounts_user_change", args=[user.password.replace("/", "_2F")])
    assert boss.get(path, {"_to_field": "password"}).status_code == 400


@pytest.mark.parametrize(
    "path", [reverse("admin:designs_design_export_csv"), reverse("admin:designs_design_filters")]
)
def test_neither_an_export_nor_the_filters_answer_for_a_secret(boss, path):
    DesignFactory()
    assert boss.get(path, {"image__uploaded_by__password__startswith": "a"}).status_code == 400


def test_the_trail_and_its_export_hold_no_secret(boss):
    user = UserFactory()
    services.user_update(User.objects.get(username="Asha"), user.pk, password="nine yards of silk")
    user.refresh_from_db()
    exported = b"".join(boss.get(reverse("admin:core_auditentry_export"))).decode()
    assert "password" in exported
    for secret in (user.password, "nine yards"):
        assert secret not in exported


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("accounts_user", "state=pending&role=admin"),
        ("core_auditentry", "object_type=appsetting"),
        ("core_auditentry", "action__exact=user.update&created_at_from=2026-01-01"),
        ("core_auditentry", "actor_username=Asha&actor_username__isnull=False"),
        ("uploads_image", "category__exact=designs&in_use=yes&content_type=image/jpeg"),
        ("designs_design", "status=published&featured=1&category=Saree&_popup=1&_to_field=id"),
    ],
)
def test_what_the_filters_offer_is_answered(boss, model, query):
    answer = boss.get(reverse(f"admin:{model}_changelist") + f"?{query}")
    assert answer.status_code == 200


@pytest.mark.parametrize("query", ["username__startswith=a", "updated_at__gte=2026-01-01", "groups__name=x"])
def test_what_no_filter_offers_is_refused(boss, query):
    assert boss.get(f"{list_of(User)}?{query}").status_code == 400


def test_the_log_takes_no_line_break_from_a_refused_lookup(boss, caplog):
    boss.get(list_of(User), {"password__a\nFAKE": "x"})
    assert [
        record for record in caplog.records if record.name == "django.security.DisallowedModelAdminLookup"
    ]
    assert not any("FAKE" in record.getMessage() for record in caplog.records)
