"""`make audit`: known vulnerabilities of what production installs, by PyPI's advisories, else by OSV's.

It ends with status 0 if there are none, 1 if there are, and 3 if no source of advisories could be asked about each
package: then nobody knows.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
SERVICES = ("pypi", "osv")
SECONDS = 15  # that a source may take to answer
VULNERABLE, NOT_ASKED = 1, 3

Package = dict[str, Any]


def asked(service: str, lock: Path) -> list[Package] | None:
    """Return what pip-audit says of each package; None if the service could not be asked."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"),
        *("--vulnerability-service", service, "--timeout", str(SECONDS)),
        *("--progress-spinner", "off", "--format", "json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[Package] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    # A mirror without advisories answers for none of them, which pip-audit takes for no vulnerability.
    return packages if any("vulns" in package for package in packages) else None


def audit(lock: Path = LOCK) -> tuple[int, list[str]]:
    """Return the status to end with, and what to say."""
    packages = next((found for service in SERVICES if (found := asked(service, lock)) is not None), None)
    if packages is None:
        return NOT_ASKED, [
            "No source of advisories can be reached from here (PyPI, OSV), so nothing was audited."
        ]
    lines = [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        f"fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in packages
        for flaw in package.get("vulns", ())
    ]
    skipped = [package["name"] for package in packages if "vulns" not in package]
    if skipped:
        lines.append(f"Nobody knows of these, which the source does not have: {', '.join(sorted(skipped))}.")
    lines.append(f"{len(packages) - len(skipped)} of {len(packages)} packages were audited.")
    if any(package.get("vulns") for package in packages):
        return VULNERABLE, lines
    return NOT_ASKED if skipped else 0, lines


if __name__ == "__main__":
    status, lines = audit()
    print("\n".join(lines), file=sys.stderr if status else sys.stdout)
    sys.exit(status)
