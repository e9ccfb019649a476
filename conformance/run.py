#!/usr/bin/env python3
"""Compare d1backend with SQLite in Django's own test suite, test by test.

    python conformance/run.py [--modules FILE | NAME ...] [--out results.json] [--jobs 2]

Each module of Django's tests (from the source archive of the installed Django's version, which pip downloads
into --cache) runs twice, in separate processes: on Django's SQLite backend, then on d1backend with a local
engine, which this command starts for each job. It prints a line per module (the tests that pass on SQLite, how
many of them pass here, the seconds of both), then each test that passes on SQLite but not here, with the last
line of its error. allowed.txt lists the tests that may differ ("test.id: the reason", one per line); they are
counted separately. "a+b" runs two modules in one process.

Exit status: 0 when every test that passes on SQLite passes here or is allowed to differ; 1 otherwise.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from d1backend.local import D1Local  # noqa: E402

BASE = """
SECRET_KEY = "conformance"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
TEST_RUNNER = "recorder.RecordingRunner"
"""
SQLITE = BASE + 'DATABASES = {a: {"ENGINE": "django.db.backends.sqlite3"} for a in ("default", "other")}\n'
Outcomes = dict[str, list[str]]


def tests_of_django(cache: Path) -> Path:
    """Return the folder of Django's tests, which is downloaded once."""
    import django

    version = django.get_version()
    if not list(cache.glob(f"[dD]jango-{version}/tests/runtests.py")):
        cache.mkdir(parents=True, exist_ok=True)
        fetch = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-binary",
            "django",
            "--no-deps",
            "-d",
            str(cache),
        ]
        subprocess.run([*fetch, f"django=={version}"], check=True)
        with tarfile.open(next(cache.glob(f"[dD]jango-{version}.tar.gz"))) as tar:
            tar.extractall(cache, filter="data")
    return next(cache.glob(f"[dD]jango-{version}/tests"))


def run(
    tests: Path, module: str, settings: str, timeout: float, url: str = ""
) -> tuple[Outcomes, float, str]:
    """Return a module's outcomes ({test id: [outcome, message]}), the seconds, and the end of its output."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.jsonl")
        Path(folder, "conformance_settings.py").write_text(settings)
        path = os.pathsep.join([folder, str(HERE), str(ROOT), os.environ.get("PYTHONPATH", "")])
        env = {
            **os.environ,
            "PYTHONPATH": path,
            "CONFORMANCE_RESULTS": str(results),
            "PYTHONWARNINGS": "ignore",
            "D1_BASE_URL": url,
        }
        start = time.monotonic()
        command = [
            sys.executable,
            "runtests.py",
            "--settings=conformance_settings",
            "--parallel=1",
            "--noinput",
        ]
        try:
            done = subprocess.run(
                [*command, *module.split("+")],
                cwd=tests,
                env=env,
                timeout=timeout,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            tail = done.stdout[-600:]
        except subprocess.TimeoutExpired:
            tail = f"It did not end within {timeout} s."
        seconds = time.monotonic() - start
        return worst(results), seconds, tail


def worst(results: Path) -> Outcomes:
    """Return the worst outcome of each test, including its subtests and its class's set-up."""
    outcomes: Outcomes = {}
    for line in results.read_text().splitlines() if results.exists() else ():
        name, outcome, message = json.loads(line)
        if outcomes.get(name, ["pass"])[0] in ("pass", "skip") or outcome == "fail":
            outcomes[name] = [outcome, message]
    return outcomes


def allowed_in(path: Path) -> dict[str, str]:
    allowed = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            if not reason.strip():
                sys.exit(f"{path} gives no reason for {name}.")
            allowed[name.strip()] = reason.strip()
    return allowed


class Report:
    """The counts over all modules."""

    def __init__(self, allowed: dict[str, str]) -> None:
        self.allowed, self.modules = allowed, dict[str, object]()
        self.total = self.good = self.excused = 0
        self.bad: list[list[str]] = []
        self._lock = threading.Lock()

    def add(
        self, module: str, sqlite: tuple[Outcomes, float, str], here: tuple[Outcomes, float, str]
    ) -> None:
        wanted = [test for test, (outcome, _) in sqlite[0].items() if outcome == "pass"]
        missed = list(self._missed(wanted, here))
        excused = [m for m in missed if m[0] in self.allowed]
        passed = len(wanted) - len(missed)
        with self._lock:
            self.total += len(wanted)
            self.good += passed
            self.excused += len(excused)
            self.bad += [m for m in missed if m[0] not in self.allowed]
            self.modules[module] = {
                "sqlite": len(wanted),
                "here": passed,
                "allowed": excused,
                "missed": [m for m in missed if m[0] not in self.allowed],
                "seconds": [round(sqlite[1], 1), round(here[1], 1)],
            }
            sys.stdout.write(
                f"{module:28} SQLite {len(wanted):5}  here {passed:5}  {sqlite[1]:6.1f} s {here[1]:7.1f} s\n"
            )
            sys.stdout.flush()

    def _missed(self, wanted: list[str], here: tuple[Outcomes, float, str]) -> Iterator[list[str]]:
        outcomes, _, tail = here
        for test in wanted:
            group = test.rsplit(".", 1)[0]
            outcome, message = (
                outcomes.get(test) or outcomes.get(f"setUpClass ({group})") or ["missing", tail[-200:]]
            )
            if outcome != "pass":
                yield [test, outcome, message]

    def print(self) -> None:
        for test, outcome, message in self.bad:
            last = message.strip().splitlines()[-1][:200] if message.strip() else ""
            sys.stdout.write(f"- {test}: {outcome}: {last}\n")
        sys.stdout.write(
            f"{self.good} of {self.total} tests that pass on SQLite pass here, "
            f"{self.excused} may differ, {len(self.bad)} fail\n"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--modules", type=Path)
    parser.add_argument("--allow", type=Path, default=HERE / "allowed.txt")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--timeout", type=float, default=1800)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=ROOT / ".conformance")
    args = parser.parse_args()
    names = list(args.names)
    if args.modules:
        names += [w for line in args.modules.read_text().splitlines() for w in line.split("#")[0].split()]
    tests = tests_of_django(args.cache.resolve())
    report = Report(allowed_in(args.allow))
    settings = BASE + "from conformance.settings import DATABASES\n"

    def one(module: str) -> None:
        expected = run(tests, module, SQLITE, args.timeout)
        if not expected[0]:
            raise SystemExit(f"{module} does not run on SQLite: {expected[2]}")
        with D1Local() as d1:
            report.add(module, expected, run(tests, module, settings, args.timeout, d1.url))

    with ThreadPoolExecutor(args.jobs) as pool:
        for future in [pool.submit(one, module) for module in names]:
            future.result()
    report.print()
    if args.out:
        args.out.write_text(json.dumps(report.modules, indent=1))
    sys.exit(1 if report.bad else 0)


if __name__ == "__main__":
    main()
