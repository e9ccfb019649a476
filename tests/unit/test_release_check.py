"""make release-check and make audit: what they refuse, in sentences."""

import json
import subprocess
import sys
from datetime import date

import pytest

from devtools import audit, release_check
from devtools.release_check import changelog_faults, may_break, version_of

TODAY = date(2026, 11, 29)
GOOD = "# Changelog\n\n## Unreleased\n\n## [1.2.0] - 2026-11-28\n\n- A loom.\n\n## [1.1.0] - 2026-01-01\n\n- Yarn.\n"


def test_a_section_with_a_day_is_enough():
    assert changelog_faults(GOOD, "1.2.0", TODAY) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[1.2.0]", "[1.3.0]", "has no section ## [1.2.0] - 2026-11-29"),
        ("2026-11-28", "soon", "must be ## [1.2.0] - 2026-11-29"),
        ("2026-11-28", "2026-02-30", "must be ## [1.2.0] - 2026-11-29"),
        ("2026-11-28", "2026-11-30", "or a day before"),
        ("- A loom.\n", "", "says nothing"),
    ],
)
def test_another_changelog_is_refused(old, new, told):
    (fault,) = changelog_faults(GOOD.replace(old, new), "1.2.0", TODAY)
    assert told in fault


@pytest.mark.parametrize(
    ("tag", "now", "is_refused"),
    [
        (None, "0.1.0", False),
        ("v0.1.0", "0.1.0", True),
        ("v0.9.0", "0.10.0", False),
        ("v1.0.0", "0.9.9", True),
    ],
)
def test_the_version_must_be_newer_than_the_last_one(monkeypatch, tag, now, is_refused):
    monkeypatch.setattr(release_check, "last_tag", lambda: tag)
    monkeypatch.setattr(release_check, "__version__", now)
    assert bool(release_check.version()) == is_refused


@pytest.mark.parametrize("text", ["1.2", "1.2.3.dev1", "", "one"])
def test_a_version_has_three_numbers(monkeypatch, text):
    monkeypatch.setattr(release_check, "last_tag", lambda: None)
    monkeypatch.setattr(release_check, "__version__", text)
    assert "is not like 1.2.3" in release_check.version()[0]


@pytest.mark.parametrize(
    ("status", "printed", "told"),
    [
        (0, "4 passed", []),
        (1, "...\nFAILED tests/a.py::b - no\n1 failed", ["FAILED tests/a.py::b - no"]),
        (2, "...\nERROR tests/a.py - ImportError\n1 error", ["ERROR tests/a.py - ImportError"]),
        (4, "", ["pytest ended with status 4: usage"]),
    ],
)
def test_tests_that_did_not_run_are_a_fault(monkeypatch, status, printed, told):
    done = subprocess.CompletedProcess([], status, printed, "the\nusage\n")
    monkeypatch.setattr(release_check.subprocess, "run", lambda *command, **how: done)
    assert release_check.made_from_code() == told


def test_only_a_first_number_breaks_clients_and_before_1_the_second():
    pairs = [("1.2.0", "2.0.0"), ("0.1.0", "0.2.0"), ("1.2.0", "1.3.0"), ("0.1.0", "0.1.1")]
    assert [may_break(*map(version_of, pair)) for pair in pairs] == [True, True, False, False]


@pytest.fixture
def answers(monkeypatch):
    """Let pip-audit answer this for each service, None for a failure."""

    def prepare(**by_service):
        def run(command, **options):
            found = by_service.get(command[command.index("--vulnerability-service") + 1])
            text = "" if found is None else json.dumps({"dependencies": found})
            return subprocess.CompletedProcess(command, 0 if found else 1, text, "Traceback: out of reach")

        monkeypatch.setattr(audit.subprocess, "run", run)

    return prepare


SOUND = {"name": "six", "version": "1.17.0", "vulns": []}
FLAWED = {"name": "six", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "six", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("by_service", "status", "told"),
    [
        ({"pypi": [SOUND]}, 0, "1 of 1 packages were audited."),
        ({"osv": [SOUND]}, 0, "1 of 1 packages were audited."),
        ({"pypi": [FLAWED, SOUND]}, 1, "six 1.0: CVE-1, fixed in 1.1"),
        ({"pypi": [SKIPPED], "osv": [SOUND]}, 0, "1 of 1 packages were audited."),
        ({"pypi": [SOUND, SKIPPED]}, 3, "Nobody knows of these, which the source does not have: six."),
        ({"pypi": [SKIPPED], "osv": None}, 3, "No source of advisories can be reached"),
        ({}, 3, "No source of advisories can be reached"),
    ],
)
def test_an_audit_says_what_it_knows(answers, by_service, status, told):
    answers(**by_service)
    found, lines = audit.audit()
    assert found == status
    assert any(told in line for line in lines)
    assert not any("Traceback" in line for line in lines)


def test_where_no_source_can_be_reached_one_sentence_says_so(monkeypatch, tmp_path):
    """The real pip-audit, at addresses where nobody listens."""
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "devtools.audit"],
        capture_output=True,
        text=True,
        check=False,
        cwd=release_check.ROOT,
    )
    assert done.returncode == 3
    assert (
        done.stderr
        == "No source of advisories can be reached from here (PyPI, OSV), so nothing was audited.\n"
    )
    assert done.stdout == ""
