"""A process of one release of the application: it works and looks on command, as lines of JSON ask."""

import json
import os
import sys
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, models

from tests.d1.faults.process import PATIENCE

MAX_AGE = 0.3


def configure(plan: dict[str, Any]) -> None:
    options = {**PATIENCE, "timeout": 5.0, "account_id": "an-account", "api_token": plan["token"]}
    replica = {**plan["options"], "source": "default", "max_age": MAX_AGE}
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "d1backend",
                "NAME": plan["database"],
                "OPTIONS": {**options, "base_url": plan["url"]},
            },
            "replica": {"ENGINE": "d1backend.replica", "NAME": plan["folder"], "OPTIONS": replica},
        },
        DATABASE_ROUTERS=["d1backend.replica.router.ReplicaRouter"],
        INSTALLED_APPS=["d1backend"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        LOGGING_CONFIG=None,
    )
    django.setup()


def model_of(release: str) -> Any:
    """The designs as the old or the new release knows them."""
    from tests.d1.replica.models import Design

    if release == "old":
        return Design

    class NewDesign(models.Model):
        title = models.CharField(max_length=200)
        body = models.TextField(default="")
        view_count = models.BigIntegerField(default=0)
        weight = models.FloatField(default=0.0)
        colour = models.CharField(max_length=20, null=True)
        stars = models.IntegerField(db_default=3)

        class Meta:
            app_label = "d1replica"
            db_table = "designs"

    return NewDesign


def work(model: Any, name: str, rounds: int) -> list[str]:
    """Create, read back, save as a whole and read again; returns what went wrong."""
    wrong = []
    is_new = any(field.name == "colour" for field in model._meta.fields)
    for number in range(rounds):
        title = f"{name} {number}"
        try:
            made = model.objects.create(title=title, **({"colour": name} if is_new else {}))
            found = model.objects.get(pk=made.pk)
            found.body = "saved"
            found.save()
            values = model.objects.filter(pk=made.pk).values().get()
        except (DatabaseError, ObjectDoesNotExist) as error:
            wrong.append(f"{title}: {error!r}")
            continue
        expected = {"title": title, "body": "saved", **({"colour": name, "stars": 3} if is_new else {})}
        if expected.items() - values.items():
            wrong.append(f"{title}: {values}")
    return wrong


def look(model: Any) -> dict[str, Any]:
    """All titles with their bodies, and where they were read."""
    rows = model.objects.all()
    return {"rows": sorted(rows.values_list("title", "body")), "db": model.objects.all().db}


def main() -> None:
    plan = json.loads(os.environ["PLAN"])
    configure(plan)
    model = model_of(plan["release"])
    for line in sys.stdin:
        asked = json.loads(line)
        answer = work(model, *asked["work"]) if "work" in asked else look(model)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
