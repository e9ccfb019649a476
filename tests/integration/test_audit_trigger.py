"""The one change that a line of the audit trail permits: what becomes of the names of a user who leaves."""

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from core import audit
from core.models import AuditEntry
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

NAMED = {"username": ["Uma", "Asha"], "is_admin": [False, True]}
NAMELESS = {"username": [None, None], "is_admin": [False, True]}


@pytest.fixture
def line():
    """A line about a user, by another one."""
    return AuditEntry.objects.create(
        actor_id=7, actor_username="Nila", action="user.update", object_type="user", object_id="8",
        object_label="Asha", changes=NAMED,
    )  # fmt: skip


def change(line, **values):
    with transaction.atomic():
        AuditEntry.objects.filter(pk=line.pk).update(**values)


REFUSED = {
    "another name of the actor": {"actor_username": "Asha"},
    "the name of another who left": {"actor_username": "deleted-8"},
    "another actor": {"actor_id": 9},
    "another moment": {"created_at": timezone.now()},
    "another action": {"action": "user.delete"},
    "another object": {"object_id": "9"},
    "another kind": {"object_type": "design"},
    "another label": {"object_label": "Uma"},
    "the label alone": {"object_label": "deleted-8"},
    "other changes": {"changes": {**NAMELESS, "is_admin": [None, None]}},
    "other changes beside the label": {"object_label": "deleted-8", "changes": {}},
    "more beside the actor": {"actor_username": "deleted-7", "action": "nothing"},
}


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED)
def test_any_other_change_is_refused(line, values):
    before = AuditEntry.objects.values().get()
    with pytest.raises(DatabaseError, match="never edited"):
        change(line, **values)
    assert AuditEntry.objects.values().get() == before


def test_the_actor_may_become_nameless(line):
    change(line, actor_username="deleted-7")
    assert AuditEntry.objects.get().actor_username == "deleted-7"


def test_whom_it_is_about_may_become_nameless(line):
    audit.anonymise(UserFactory.build(pk=8, username="Asha"))
    found = AuditEntry.objects.get()
    assert (found.actor_username, found.object_label, found.changes) == ("Nila", "deleted-8", NAMELESS)


def test_a_line_without_an_actor_gets_none():
    audit.record(None, "user.update", UserFactory())
    with pytest.raises(DatabaseError, match="never edited"):
        change(AuditEntry.objects.get(), actor_username="deleted-1")


def test_a_design_keeps_its_label_and_its_changes():
    line = AuditEntry.objects.create(
        action="design.update", object_type="design", object_id="8", object_label="Ikat", changes=NAMED
    )
    with pytest.raises(DatabaseError, match="never edited"):
        change(line, object_label="deleted-8", changes=NAMELESS)


def test_it_may_happen_twice(line):
    for _ in range(2):
        audit.anonymise(UserFactory.build(pk=8, username="Asha"))
    assert AuditEntry.objects.get().changes == NAMELESS
