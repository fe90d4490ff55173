"""The browser of the tests sees what it is there to see: barriers, errors, calls to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import browser as browsers
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

SOUND = "<title>Exchange</title><main><h1>Exchange</h1><button>Start</button></main>"


def document(body: str) -> str:
    """The address of a page with this content."""
    return "data:text/html;charset=utf-8," + quote(f"<!doctype html><html lang=en>{body}")


def test_a_page_without_barriers_has_no_violations(page: Page) -> None:
    page.goto(document(SOUND))
    assert page.get_by_role("button", name="Start").is_visible()
    assert browsers.axe_violations(page) == []


@pytest.mark.parametrize(
    ("barrier", "rule", "element"),
    [
        ("<button></button>", "button-name", "<button></button>"),
        ("<img src='data:,' width=9 height=9>", "image-alt", "<img "),
        ("<p style='color:#aaa;background:#fff'>faint</p>", "color-contrast", ">faint</p>"),
    ],
)
def test_a_barrier_is_told_by_its_rule_and_its_element(
    page: Page, barrier: str, rule: str, element: str
) -> None:
    page.goto(document(SOUND.replace("</main>", barrier + "</main>")))
    (violation,) = browsers.axe_violations(page)
    assert violation.startswith(f"{rule} (")
    assert element in violation


def test_barriers_are_seen_on_a_page_that_runs_no_scripts_of_others(page: Page) -> None:
    def answer(route: Route) -> None:
        policy = {"Content-Security-Policy": "default-src 'self'"}
        body = SOUND.replace("Start", "")
        route.fulfill(body=body, content_type="text/html", headers=policy)

    page.route("**/*", answer)
    page.goto("http://127.0.0.1/")
    rules = {violation.split()[0] for violation in browsers.axe_violations(page)}
    assert rules == {"button-name", "html-has-lang"}


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("console.error('pump without a patient')", "pump without a patient"),
        ("null.volume", "uncaught: Cannot read properties of null"),
        ("fetch('http://outside.example/font.woff2').catch(() => {})", "ERR_NAME_NOT_RESOLVED"),
    ],
)
def test_an_error_on_the_page_fails_the_test(browser: Browser, script: str, told: str) -> None:
    with (
        pytest.raises(AssertionError, match=r"the page reported errors:\n.*" + told),
        browsers.opened(browser, []) as page,
    ):
        page.goto(document(f"{SOUND}<script>{script}</script>"), wait_until="networkidle")


def test_what_is_no_error_fails_nothing(page: Page, complaints: list[str]) -> None:
    page.goto(document(f"{SOUND}<script>console.log(1); console.warn(2)</script>"))
    assert complaints == []


def test_an_error_that_a_test_provoked_can_be_cleared(page: Page, complaints: list[str]) -> None:
    page.goto(document(f"{SOUND}<script>console.error('provoked')</script>"))
    (complaint,) = complaints
    assert complaint.endswith("provoked")
    complaints.clear()
