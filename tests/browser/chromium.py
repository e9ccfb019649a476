"""How Debian's Chromium is started, and what it must not complain of."""

import os
import shutil

from playwright.sync_api import ConsoleMessage, Page

# As root there is no sandbox, in a container no graphics card; the rest keeps it from talking to its makers.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str:
    """The browser that CHROMIUM names, or the one on the PATH. Raises RuntimeError when there is none."""
    found = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if found is None:
        raise RuntimeError("There is no Chromium: install Debian's, or name one in CHROMIUM=.")
    return found


def watch(page: Page) -> list[str]:
    """A list that fills with what goes wrong in the page: errors, refused scripts, failed requests."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text} ({message.location.get('url')})")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    return complaints
