"""The layers of the packages, and that no files import each other in a ring (pyproject.toml, devtools/structure.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools.structure import structure_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def structure():
    return structure_of(ROOT)


def test_no_files_import_each_other_in_a_ring(structure):
    assert structure.rings == []


def test_no_package_imports_one_above_it(structure):
    assert structure.upward == []


def test_production_imports_nothing_of_the_demo(structure):
    assert structure.of_demo == []


def test_every_contract_of_the_layers_is_kept():
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
