"""What all tests share: how hypothesis searches, where things are, a browser for pages."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import browser as browsers
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROJECT = Path(__file__).resolve().parent.parent

# No deadline: the first example of a property pays for imports. In CI the search is derandomized,
# so that a red build is red again when it is repeated.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the repository."""
    return PROJECT


@pytest.fixture(scope="session")
def scenarios(project: Path) -> Path:
    """The folder of the bundled scenarios."""
    return project / "scenarios"


@pytest.fixture(scope="module")  # and no wider: see browsers.started
def browser() -> Generator[Browser]:
    """The browser of this machine; without one the test is skipped, but fails in CI."""
    with browsers.started() as browser:
        yield browser


@pytest.fixture
def complaints() -> list[str]:
    """Errors that `page` reported so far. A test that provokes some reads and clears them."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Generator[Page]:
    """An empty page. Errors on its console, and those nobody caught, fail the test."""
    with browsers.opened(browser, complaints) as page:
        yield page
