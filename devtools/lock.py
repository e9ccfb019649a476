"""Whether requirements.lock is what `make lock` would write: without a registry to ask, as far as the files tell."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENTS, CONSTRAINTS, LOCK = "requirements.txt", "constraints.txt", "requirements.lock"
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\#]*))?")


def name_of(text: str) -> str:
    return re.sub("[-_.]+", "-", text).lower()


def pins(text: str) -> dict[str, str]:
    """Return the version of each package of a requirements file, by its normal name."""
    found = (PIN.match(line) for line in text.splitlines())
    return {name_of(match[1]): match[2] for match in found if match}


def faults(root: Path = ROOT) -> list[str]:
    """Return a sentence for each way in which the lock does not fit the other files; none if it is current."""
    requirements, constraints = (pins((root / name).read_text()) for name in (REQUIREMENTS, CONSTRAINTS))
    text = (root / LOCK).read_text()
    lock = pins(text)
    found = [
        f"{name} is {version} in {REQUIREMENTS}, and {lock.get(name, 'missing')} in {LOCK}."
        for name, version in requirements.items()
        if lock.get(name) != version
    ]
    # What only other platforms need is not installed where constraints.txt was written.
    found += [
        f"{name} is {version} in {LOCK}, and {constraints[name]} in {CONSTRAINTS}."
        for name, version in lock.items()
        if constraints.get(name, version) != version
    ]
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    found += [
        f"{match[1]} has no hash in {LOCK}."
        for block in blocks
        if (match := PIN.match(block)) and "--hash=sha256:" not in block
    ]
    if "://" in text:
        found.append(f"{LOCK} names an index. Write it with make lock.")
    return found
