"""make picks a Python that is new enough, or says in one sentence that there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")
TOO_OLD = "#!/bin/sh\nexit 1\n"
NEW_ENOUGH = '#!/bin/sh\n[ "$1" = -c ] || echo "$(basename "$0") $*"\n'

pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")


@pytest.fixture
def make(tmp_path):
    """Run make for an environment in an empty folder, with these programs alone on the PATH."""

    def run(programs, **variables):
        folder = tmp_path / "programs"
        folder.mkdir()
        (folder / "basename").symlink_to(shutil.which("basename"))
        for name, text in programs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        venv = tmp_path / "venv"
        command = [MAKE, f"VENV={venv}", *(f"{name}={value}" for name, value in variables.items())]
        return subprocess.run(
            [*command, f"{venv}/bin/python"],
            cwd=ROOT,
            env={"PATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_python3_is_taken_if_it_is_new_enough(make, tmp_path):
    done = make({"python3": NEW_ENOUGH, "python3.12": NEW_ENOUGH})
    assert f"python3 -m venv {tmp_path}/venv\n" in done.stdout


@pytest.mark.parametrize("other", ["python3.13", "python3.12", "python3.11"])
def test_a_newer_one_is_taken_where_python3_is_older(make, tmp_path, other):
    done = make({"python3": TOO_OLD, other: NEW_ENOUGH})
    assert f"{other} -m venv {tmp_path}/venv\n" in done.stdout


def test_one_sentence_says_that_there_is_none(make):
    done = make({"python3": TOO_OLD})
    assert done.returncode != 0
    assert "Design Gallery needs Python 3.11 or newer" in done.stderr
    assert "PYTHON=/path/to/python3.12" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_old_one_that_is_named_is_rejected(make):
    done = make({"python3": NEW_ENOUGH, "python3.10": TOO_OLD}, PYTHON="python3.10")
    assert '"python3.10" names none' in done.stderr
