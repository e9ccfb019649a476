"""Looking at a page as people do: on each screen, with axe-core, and in pictures for who reviews them."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}  # width and height in CSS pixels
THEMES = ("light", "dark")
SHOTS = Path(os.environ.get("SHOTS") or ".cache/shots").resolve()
GRAVE = ("serious", "critical")


def axe_check(page: Page) -> None:
    """Fail on what axe-core finds to be a serious or critical violation."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    grave = [violation for violation in found.response["violations"] if violation["impact"] in GRAVE]
    told = [
        f"{violation['id']}: {violation['help']}\n    {node['html'][:300]}\n    {node['failureSummary']}"
        for violation in grave
        for node in violation["nodes"]
    ]
    assert not told, f"{page.url}\n" + "\n".join(told)


def fits(page: Page) -> None:
    """Fail where the page is wider than its screen."""
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen, f"{page.url} is {wide} pixels wide on a screen of {screen}"


def shoot(page: Page, name: str) -> None:
    """Write a picture of the whole page to SHOTS."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    screen = page.viewport_size
    # A screen as tall as the page keeps what sticks to its edges out of the middle of the picture.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": screen["width"], "height": max(screen["height"], height)})
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    page.set_viewport_size(screen)


def look(page: Page, name: str) -> None:
    """Take a picture, and hold the page against its screen and axe-core."""
    shoot(page, name)
    fits(page)
    axe_check(page)
