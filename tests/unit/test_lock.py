"""requirements.lock: what production installs is what was tested, with hashes."""

import re
import shutil

import pytest
import yaml

from devtools import lock

INSTALL = "pip install --no-cache-dir --require-hashes -r requirements.lock"


def test_the_lock_is_current():
    assert lock.faults() == []


@pytest.fixture
def files(tmp_path):
    """Copies of the files, and a function that changes the first match of a pattern in one of them."""
    for name in (lock.REQUIREMENTS, lock.CONSTRAINTS, lock.LOCK):
        shutil.copy(lock.ROOT / name, tmp_path)

    def change(name, pattern, replacement):
        text, count = re.subn(
            pattern, replacement, (tmp_path / name).read_text(), count=1, flags=re.MULTILINE
        )
        assert count == 1
        (tmp_path / name).write_text(text)
        return lock.faults(tmp_path)

    return change


@pytest.mark.parametrize(
    ("name", "pattern", "replacement", "told"),
    [
        (lock.REQUIREMENTS, "^bcrypt==[^ ]+", "bcrypt==9.9.9", "bcrypt is 9.9.9 in requirements.txt"),
        (lock.REQUIREMENTS, "^bcrypt==", "new-one==1.0\nbcrypt==", "new-one is 1.0 .* missing"),
        (lock.CONSTRAINTS, "^attrs==.*$", "attrs==9.9.9", "and 9.9.9 in constraints.txt"),
        (
            lock.LOCK,
            r"^whitenoise==[^\\]+\\\n( +--hash.*\n)+",
            "whitenoise==6.12.0\n",
            "whitenoise has no hash",
        ),
        (lock.LOCK, r"\A", "--index-url https://example.org/simple\n", "names an index"),
    ],
)
def test_what_does_not_fit_is_named(files, name, pattern, replacement, told):
    assert any(re.search(told, fault) for fault in files(name, pattern, replacement))


def test_production_installs_by_it():
    blueprint = yaml.safe_load((lock.ROOT / "render.yaml").read_text())
    commands = [service["buildCommand"] for service in blueprint["services"]]
    assert len(commands) >= 2
    assert all(one.startswith("pip install --require-hashes -r requirements.lock") for one in commands)
    assert INSTALL in (lock.ROOT / "Dockerfile").read_text()


def test_every_night_is_tidied():
    blueprint = yaml.safe_load((lock.ROOT / "render.yaml").read_text())
    jobs = [service["startCommand"] for service in blueprint["services"] if service["type"] == "cron"]
    assert "python manage.py tidy" in jobs
