"""The migrations hold as frozen text exactly the triggers and full-text tables that the code expects."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL

from core import triggers

CREATE = re.compile(r"CREATE (?:TRIGGER|VIRTUAL TABLE) (\w+)")
DROP = re.compile(r"DROP (?:TRIGGER|TABLE) IF EXISTS (\w+)")
OWN = {"core", "accounts", "uploads", "designs"}


def frozen(app_label):
    """What is there after every migration of the app, by name."""
    loader = MigrationLoader(None)
    (leaf,) = loader.graph.leaf_nodes(app_label)
    present = {}
    for node in loader.graph.forwards_plan(leaf):
        if node[0] != app_label:
            continue
        for operation in loader.get_migration(*node).operations:
            for statement in operation.sql if isinstance(operation, RunSQL) else ():
                if made := CREATE.match(statement):
                    present[made[1]] = statement
                elif gone := DROP.match(statement):
                    present.pop(gone[1], None)
    return present


def test_each_app_of_the_gallery_with_triggers_registers_them():
    assert set(triggers.apps()) == OWN


@pytest.mark.parametrize("app_label", sorted(OWN))
def test_the_frozen_text_is_what_the_code_expects(app_label):
    assert frozen(app_label) == triggers.of_app(app_label)


@pytest.mark.parametrize("app_label", sorted(OWN))
def test_a_migration_imports_nothing_of_the_gallery(app_label):
    for path in Path(apps.get_app_config(app_label).path, "migrations").glob("0*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in getattr(node, "names", ())]
            modules = [node.module] if isinstance(node, ast.ImportFrom) else names
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert all(module.split(".")[0] == "django" for module in modules), (path, modules)


def test_print_triggers_prints_what_a_migration_freezes(capsys):
    call_command("print_triggers", "accounts")
    found = {}
    exec(capsys.readouterr().out, found)  # the lists are Python
    assert found["CREATE"] == list(triggers.of_app("accounts").values())
    assert found["DROP"] == [f"DROP TRIGGER IF EXISTS {name}" for name in triggers.of_app("accounts")]
