"""A page in a real browser: what is found on this machine, what went wrong, who cannot read it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # as root there is none to be had
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page needs this computer alone: whatever asks for another one is an error on its console.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
)


def lacking(what: str) -> NoReturn:
    """Skip the test for want of `what`; in CI, which has to have everything, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; in CI that is an error", pytrace=False)
    pytest.skip(what)


@contextmanager
def started() -> Generator[Browser]:
    """The browser of this machine, until the block ends.

    While it runs, no other code of this thread can start an event loop: hold it no longer than the
    tests of one module.
    """
    from playwright.sync_api import Error, sync_playwright

    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        lacking(f"no browser: none of {', '.join(NAMES)} is on the path")
    with ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
        except Exception as error:  # it has no narrower one
            lacking(f"the driver of the browser does not start: {error}")
        try:
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        except Error as error:
            lacking(f"{program} does not start: {error.message}")
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, complaints: list[str]) -> Generator[Page]:
    """An empty page in a profile of its own, which writes its errors down in `complaints`.

    Raises AssertionError at the end of the block if any are left there.
    """

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location.get("url") or "the page"
            complaints.append(f"console, {where}: {message.text}")

    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(15_000)  # long before pytest's own, and it says what it waited for
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(f"uncaught: {error.message}"))
        yield page
        if not page.is_closed():
            page.evaluate("null")  # what the page said before its answer is heard before it
    assert not complaints, "the page reported errors:\n" + "\n".join(complaints)


def axe_violations(page: Page) -> list[str]:
    """What of the page breaks a rule of accessibility: one line for each element."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{found['id']} ({found['impact']}): {found['help']}: {node['html']}"
        for found in Axe().run(page).response["violations"]
        for node in found["nodes"]
    ]
