"""The console's static files as production serves them, for servers of tests and benchmarks."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

ROOT = Path(__file__).parents[1]


def collect_static_files(tree: Path = ROOT) -> None:
    """Run collectstatic in a tree where its result is missing or older than the project's own files; it takes a minute.

    Processes that start together run it once.
    """
    made = tree / "staticfiles" / ManifestStaticFilesStorage.manifest_name
    made.parent.mkdir(exist_ok=True)
    with open(made.parent / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists() and newest(tree) < made.stat().st_mtime:
            return
        production = {"ENVIRONMENT": "production", "DATA": str(tree / "data"), "JWT_SECRET": "-" * 32}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDFLARE_")}
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
            cwd=tree,
            env={**clean, **production, "DJANGO_SETTINGS_MODULE": "gallery_project.settings"},
            check=True,
        )


def newest(tree: Path) -> float:
    """Return when the newest of the project's own static files, or of what it installs, was changed."""
    folders = [tree / "static", *tree.glob("*/static")]
    files = [tree / "constraints.txt", *(file for folder in folders for file in folder.rglob("*"))]
    return max(file.stat().st_mtime for file in files)
