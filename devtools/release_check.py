"""`make release-check`: whether this commit can be released. docs/upgrading.md has the steps of a release."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime

from devtools import api_changes, lock
from devtools.api_changes import ROOT
from gallery_project import __version__

CHANGELOG = "CHANGELOG.md"
VERSION = re.compile(r"v?([0-9]+)\.([0-9]+)\.([0-9]+)")
# They compare what is written by or for code with the code.
CURRENT = (
    "tests/unit/test_frozen_triggers.py",
    "tests/unit/test_lock.py",
    "tests/unit/test_structure.py",
    "tests/integration/test_tidy.py",
)

Version = tuple[int, int, int]


def output(*command: str) -> str:
    """Return what a command prints. Raises CalledProcessError."""
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def version_of(text: str) -> Version | None:
    match = VERSION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def last_tag() -> str | None:
    """Return the newest tag of a release before this commit, or None."""
    tags = output("git", "tag", "--merged", "HEAD", "--list", "v*").split()
    return max(
        (tag for tag in tags if version_of(tag)), key=lambda tag: version_of(tag) or (0, 0, 0), default=None
    )


def clean_tree() -> list[str]:
    changed = output("git", "status", "--porcelain").splitlines()
    return [f"{len(changed)} files are not committed, such as {changed[0][3:]}."] if changed else []


def version() -> list[str]:
    now, tag = version_of(__version__), last_tag()
    if now is None:
        return [f"The version {__version__!r} in gallery_project/__init__.py is not like 1.2.3."]
    if tag is not None and now <= (version_of(tag) or now):
        return [
            f"The version is {__version__}, and {tag} is released. Raise it in gallery_project/__init__.py."
        ]
    return []


def changelog() -> list[str]:
    return changelog_faults((ROOT / CHANGELOG).read_text(), __version__, datetime.now(UTC).date())


def changelog_faults(text: str, version: str, today: date) -> list[str]:
    """Return what the changelog lacks for a release of the version."""
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    found = [part for part in sections if part.startswith(f"[{version}]")]
    if not found:
        return [f"{CHANGELOG} has no section ## [{version}] - {today}. Move what is under Unreleased there."]
    heading, _, body = found[0].partition("\n")
    match = re.fullmatch(rf"\[{re.escape(version)}\] - ([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})", heading.strip())
    if match is None or not is_past(match[1], today):
        return [f"The heading of {version} in {CHANGELOG} must be ## [{version}] - {today}, or a day before."]
    return [] if "- " in body else [f"The section of {version} in {CHANGELOG} says nothing."]


def is_past(day: str, today: date) -> bool:
    """Return whether the text is a day up to today."""
    try:
        return date.fromisoformat(day) <= today
    except ValueError:
        return False


def migrations() -> list[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    return (
        []
        if done.returncode == 0
        else ["Models have changes without a migration. Run manage.py makemigrations."]
    )


def made_from_code() -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", *CURRENT],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    if done.returncode == 0:
        return []
    found = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    last = done.stderr.strip().rpartition("\n")[2]
    return found or [f"pytest ended with status {done.returncode}: {last}"]


def api() -> list[str]:
    current, path = api_changes.of_this_code(), ROOT / api_changes.RELEASED
    found = []
    if not path.exists() or path.read_text() != api_changes.written(current):
        found.append(f"{api_changes.RELEASED} is not that of this code. Run make released-api and commit it.")
    tag = last_tag()
    before = released_api(tag) if tag else None
    if tag and before and not may_break(version_of(tag), version_of(__version__)):
        found += [f"{change} A client of {tag} may fail." for change in api_changes.breaking(before, current)]
    return found


def released_api(tag: str) -> api_changes.Json | None:
    try:
        document: api_changes.Json = json.loads(output("git", "show", f"{tag}:{api_changes.RELEASED}"))
    except subprocess.CalledProcessError:
        return None
    return document


def may_break(old: Version | None, new: Version | None) -> bool:
    """Return whether a version may break clients of another one: by its first number, before 1.0.0 by its second."""
    if old is None or new is None:
        return False
    return new[0] > old[0] or (new[0] == old[0] == 0 and new[1] > old[1])


CHECKS: dict[str, Callable[[], list[str]]] = {
    "clean tree": clean_tree,
    "version": version,
    "changelog": changelog,
    "migrations": migrations,
    "lock": lock.faults,
    "made from code": made_from_code,
    "API": api,
}


def main() -> int:
    failed = 0
    for name, check in CHECKS.items():
        found = check()
        failed += bool(found)
        print(f"{'fault' if found else 'ok':6} {name}")
        for sentence in found:
            print(f"       {sentence}")
    if failed:
        print(f"{failed} of {len(CHECKS)} checks failed. This commit cannot be released.", file=sys.stderr)
        return 1
    print(f"This commit can be released: git tag -a v{__version__} -m {__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
