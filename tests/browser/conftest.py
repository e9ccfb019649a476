"""A small gallery behind the real server, seeded once and copied for each who wants to change it."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page

from d1backend.local import D1Local
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools.ports import free_port
from devtools.serving import Server, new_server, serving
from tests.browser.chromium import FLAGS, executable, watch

DESIGNS = 24
EDITOR = {"username": "esha", "password": "indigo-vat-42"}
MAKE_EDITOR = (
    "from accounts.services import user_create; "
    "user_create(None, {username!r}, {password!r}, is_admin=False, is_editor=True)"
)
# One worker is enough for one browser, and starts sooner.
SMALL = {"WEB_CONCURRENCY": "1", "LOG_LEVEL": "WARNING"}


@contextlib.contextmanager
def engine(data: Path) -> Iterator[dict[str, str]]:
    """What leads a server to its database: nothing for SQLite in its folder, or D1's engine with its data there."""
    if os.environ.get("TEST_ENGINE") != "d1":
        yield {}
        return
    with D1Local(persist=str(data / "d1")) as d1:
        api = Api(Settings(account_id="tests", api_token=d1.token, base_url=d1.url))
        yield {
            "CLOUDFLARE_ACCOUNT_ID": "tests",
            "CLOUDFLARE_API_TOKEN": d1.token,
            "CLOUDFLARE_D1_BASE_URL": d1.url,
            "CLOUDFLARE_D1_DATABASE_ID": api.find("browser") or api.create("browser"),
        }


@pytest.fixture(scope="session")
def seeded(tmp_path_factory) -> Server:
    """A gallery of 24 designs, 47 people, an admin and an editor, which does not run."""
    data = tmp_path_factory.mktemp("seeded")
    with engine(data) as environment:
        server = new_server(data, **SMALL, **environment)
        server.set_up()
        server.manage("seed_demo", "--designs", str(DESIGNS))
        server.manage("shell", "-c", MAKE_EDITOR.format(**EDITOR))
    return server


@contextlib.contextmanager
def copy_of(seeded: Server, data: Path) -> Iterator[Server]:
    """The seeded gallery, running with a copy of its data."""
    shutil.copytree(seeded.data, data, dirs_exist_ok=True)
    with engine(data) as environment:
        own = {**seeded.environment, **environment, "DATA": str(data)}
        address = f"http://127.0.0.1:{free_port()}"
        with serving(replace(seeded, address=address, data=data, environment=own)) as server:
            yield server


@pytest.fixture(scope="session")
def shown(seeded, tmp_path_factory) -> Iterator[Server]:
    """A running gallery for tests that only look."""
    with copy_of(seeded, tmp_path_factory.mktemp("shown")) as server:
        yield server


@pytest.fixture
def gallery(seeded, tmp_path) -> Iterator[Server]:
    """A running gallery for one test, which may change it."""
    with copy_of(seeded, tmp_path / "data") as server:
        yield server


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": executable(), "args": FLAGS}


@pytest.fixture
def page(page) -> Iterator[Page]:
    """A page in which nothing may go wrong: no error of a script, nothing that the policy refused."""
    complaints = watch(page)
    page.set_default_timeout(10_000)
    yield page
    assert not complaints, "\n".join(complaints)


def sign_in(page: Page, server: Server, username: str, password: str) -> None:
    page.goto(f"{server.address}/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")


@pytest.fixture
def admin(page, gallery) -> Page:
    """A page of `gallery` where its admin is signed in."""
    sign_in(page, gallery, **gallery.admin)
    return page


@pytest.fixture
def editor(page, gallery) -> Page:
    """A page of `gallery` where an editor is signed in."""
    sign_in(page, gallery, **EDITOR)
    return page
