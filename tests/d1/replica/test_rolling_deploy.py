"""A rolling deploy: processes of the old and the new release run side by side, on the same hosts and the same D1."""

import json
import os
import subprocess
import sys

import pytest
from django.db import models

from tests.d1.replica.conftest import TOKEN
from tests.d1.replica.models import OPTIONS
from tests.d1.replica.test_freshness import until
from tests.d1.replica.test_migrations import migrate

ROUNDS = 15


class Release:
    """A process of a release; commands are sent before their answers are read, so that several work at once."""

    def __init__(self, plan, release, host, folder):
        self.name = f"{release} {host}"
        plan = {**plan, "release": release, "folder": str(folder / host)}
        command = [sys.executable, "-m", f"{__package__}.release"]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "PLAN": json.dumps(plan)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def look(self):
        self.send(look=True)
        return self.answer()


@pytest.fixture
def start(d1, installed, proxy, tmp_path):
    """A function that starts a process: `start("old", "a")`."""
    plan = {"url": proxy.url, "database": d1.database, "token": TOKEN, "options": OPTIONS}
    started = []

    def start(release, host):
        started.append(Release(plan, release, host, tmp_path))
        return started[-1]

    yield start
    for release in started:
        release.process.kill()
        release.process.communicate()


def test_both_releases_read_and_write_and_see_each_other(d1, start, new_host, tmp_path):
    deploy = new_host("deploy")
    old = [start("old", "a"), start("old", "b")]
    for release in old:
        until(lambda release=release: release.look()["db"] == "replica")
    for release in old:
        release.send(work=[f"{release.name} during", ROUNDS])
    fields = [
        ("colour", models.CharField(max_length=20, null=True)),
        ("stars", models.IntegerField(db_default=3)),
    ]
    migrate(deploy, *fields)
    assert [release.answer() for release in old] == [[], []]
    # One new process beside an old one on a host, and one on a host of its own.
    both = [*old, start("new", "b"), start("new", "c")]
    for release in both:
        release.send(work=[f"{release.name} after", ROUNDS])
    assert [release.answer() for release in both] == [[]] * 4
    expected = d1("SELECT title, body FROM designs ORDER BY title, body")
    assert len(expected) == 6 * ROUNDS
    for release in both:
        until(lambda release=release: release.look() == {"rows": expected, "db": "replica"})
    for host in "abc":
        assert len(list((tmp_path / host).glob("replica-*.sqlite3"))) == 1
