"""The commands that docs and sentences tell people to run exist."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).parents[2]
PLACES = (
    *("*.md", "*.yaml", "Procfile", "Dockerfile", "docs/**/*.md", "docs/*.yml", "d1backend/*.md"),
    *(
        f"{app}/**/*.py"
        for app in ("accounts", "console", "core", "d1backend", "demo", "designs", "gallery_project")
    ),
    *("operations/**/*.py", "uploads/**/*.py"),
)
FILES = sorted({path for place in PLACES for path in ROOT.glob(place) if "node_modules" not in path.parts})
COMMAND = re.compile(r"manage\.py\s+([a-z][a-z0-9_]+)")
NAMING = [path for path in FILES if COMMAND.search(path.read_text())]


@pytest.mark.parametrize("path", NAMING, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_commands_exist(path):
    assert set(COMMAND.findall(path.read_text())) <= set(get_commands())


def test_there_are_some():
    assert {ROOT / "render.yaml", ROOT / "docs" / "backups.md", ROOT / "docs" / "alerts.yml"} <= set(NAMING)
