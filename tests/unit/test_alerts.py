"""docs/alerts.yml: each alert says when, how bad, and what to do; promtool finds no fault with the rules."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "docs/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
# A moment is enough for what counts over a time itself, or what Cloudflare has said.
AT_ONCE = {"GalleryWorkersRestart", "GalleryD1Blocked", "GalleryD1UnknownOutcomes"}
SEVERITIES = {"critical", "warning", "info"}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_when_how_bad_and_what_to_do(rule):
    assert ("for" in rule) is (rule["alert"] not in AT_ONCE)
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["annotations"]["summary"].endswith(".")
    assert len(rule["annotations"]["description"]) > 50


def test_no_two_alerts_have_one_name():
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names) > 20


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool: apt-get install prometheus")
def test_promtool_accepts_the_rules_and_their_tests():
    done = subprocess.run(["make", "check-alerts"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_promtool_the_target_says_how_to_get_it(tmp_path):
    for tool in ("sh", "awk", "python3", "pip"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "/bin/true")
    make = shutil.which("make")
    done = subprocess.run(
        [make, "check-alerts"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "apt-get install prometheus" in done.stderr
