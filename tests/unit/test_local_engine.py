"""The local D1 engine finds the binary of its platform, and npm's files name the same ones."""

import json
import platform
from pathlib import Path

import pytest

from d1backend.local import D1Local, engine, workerd_binary

PLATFORMS = [
    ("Linux", "x86_64", "workerd-linux-64"),
    ("Linux", "aarch64", "workerd-linux-arm64"),
    ("Darwin", "x86_64", "workerd-darwin-64"),
    ("Darwin", "arm64", "workerd-darwin-arm64"),
]
PACKAGES = {f"@cloudflare/{package}" for *_, package in PLATFORMS}
FOLDER = Path(engine.__file__).parent


@pytest.fixture
def host(monkeypatch, tmp_path):
    """Pretend to be a platform, with a folder for npm's packages."""
    monkeypatch.delenv("WORKERD", raising=False)
    monkeypatch.setattr(engine, "_HERE", tmp_path)

    def pretend(system, machine):
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(platform, "machine", lambda: machine)

    return pretend


@pytest.mark.parametrize(("system", "machine", "package"), PLATFORMS)
def test_each_platform_takes_its_own_binary(host, tmp_path, system, machine, package):
    for *_, name in PLATFORMS:
        binary = tmp_path / "node_modules/@cloudflare" / name / "bin/workerd"
        binary.parent.mkdir(parents=True)
        binary.touch()

    host(system, machine)

    assert workerd_binary() == tmp_path / "node_modules/@cloudflare" / package / "bin/workerd"


def test_a_platform_without_its_binary_says_how_to_install_it(host):
    host("Darwin", "arm64")
    with pytest.raises(RuntimeError, match="not installed: run `make d1-engine`"), D1Local():
        pass


def test_a_platform_that_cloudflare_does_not_build_for_says_so(host):
    host("Linux", "riscv64")
    with pytest.raises(RuntimeError, match="no D1 engine for Linux riscv64: set WORKERD"), D1Local():
        pass


def test_npm_installs_one_version_of_every_platform_s_binary_from_no_fixed_address():
    wanted = json.loads((FOLDER / "package.json").read_text())["optionalDependencies"]
    locked = json.loads((FOLDER / "package-lock.json").read_text())["packages"]

    assert set(wanted) == PACKAGES
    assert len(set(wanted.values())) == 1
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert not any("resolved" in package for package in locked.values())
