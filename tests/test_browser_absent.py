"""Without a browser that starts, the tests that need one are skipped, but never in CI."""

from __future__ import annotations

import asyncio
import shutil

import browser as browsers
import pytest


@pytest.mark.parametrize(
    ("found", "said"),
    [(None, "no browser: none of chromium, "), (shutil.which("false"), "does not start: ")],
    ids=["nowhere", "broken"],
)
def test_without_a_browser_tests_are_skipped_but_fail_in_ci(
    monkeypatch: pytest.MonkeyPatch, found: str | None, said: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: found)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=said), browsers.started():
        pass
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=said), browsers.started():
        pass
    asyncio.run(asyncio.sleep(0))  # nothing of the driver is left running
