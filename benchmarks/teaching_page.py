"""How smoothly the teaching page plays, and what that costs the server.

Plays a course at several speeds in a headless browser and prints, for each, how fast the run went,
the browser's frames a second, the longest time between two frames, and the server's processor time
as a share of one core. Needs the test dependencies and Chromium; see `make test`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path.insert(0, str(TESTS))
import browser as browsers  # noqa: E402 - what the tests know of browsers

SPEEDS = ("1×", "60×", "1,000×", "10,000×")
COUNT = """seconds => new Promise(done => {
  const gaps = [], begin = performance.now();
  let last = begin;
  const frame = now => {
    gaps.push(now - last);
    last = now;
    if (now - begin < 1000 * seconds) requestAnimationFrame(frame);
    else done({
      frames: gaps.length, took: (now - begin) / 1000, worst: Math.max(...gaps.slice(2)),
    });
  };
  requestAnimationFrame(frame);
})"""
TICKS = os.sysconf("SC_CLK_TCK")


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used; Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def clock(page: Page) -> float:
    return float(page.locator("html").get_attribute("data-time") or "nan")


def measured(page: Page, pid: int, speed: str, seconds: float) -> tuple[float, float, float, float]:
    """Minutes of the run per minute, frames a second, worst gap (ms), share of a core."""
    page.get_by_role("slider", name="Time of the run").fill("10")
    page.wait_for_timeout(500)
    page.get_by_role("button", name=speed, exact=True).click()
    page.get_by_role("button", name="Play", exact=True).first.click()
    before, used, begin = clock(page), processor_time(pid), time.monotonic()
    counted = page.evaluate(COUNT, seconds)
    after, used_after, end = clock(page), processor_time(pid), time.monotonic()
    if page.locator("html").get_attribute("data-playing") == "true":
        page.get_by_role("button", name="Pause", exact=True).click()
    return (
        60 * (after - before) / counted["took"],
        counted["frames"] / counted["took"],
        counted["worst"],
        (used_after - used) / (end - begin),
    )


def picture(page: Page, file: Path) -> None:
    """The page in mid-session, with a slower inlet flow laid beside the run as it was."""
    slider = page.get_by_role("slider", name="Time of the run")
    slider.fill("70")
    page.wait_for_timeout(500)
    slider.fill("30")
    field = page.get_by_role("spinbutton", name="Inlet flow")
    field.fill("40")
    field.press("Enter")
    page.wait_for_selector("html[data-runs='2']")
    slider.fill("66")
    page.get_by_role("button", name="60×", exact=True).click()
    page.get_by_role("button", name="Play", exact=True).first.click()
    page.wait_for_timeout(1500)
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file)
    page.goto("about:blank")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="stiff-person-acute")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--picture", type=Path, help="Take a picture of the page at work instead.")
    asked = parser.parse_args()
    started = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, "-m", "simulator", "teach", asked.scenario, "--no-browser"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        printed = time.monotonic() - started
        with browsers.started() as browser, browsers.opened(browser, []) as page:
            page.set_viewport_size({"width": 1280, "height": 720})
            launched = time.monotonic()
            page.goto(address)
            page.wait_for_selector("html[data-ready=true]")
            if asked.picture is not None:
                picture(page, asked.picture)
                return
            print(f"address after {printed:.2f} s, page {time.monotonic() - launched:.2f} s later")
            print(f"{'speed':>8} {'reached':>9} {'frames/s':>9} {'worst gap':>10} {'server':>8}")
            for speed in SPEEDS:
                rows = [
                    measured(page, server.pid, speed, asked.seconds) for _ in range(asked.repeats)
                ]
                reached, frames, worst, share = (median(each) for each in zip(*rows, strict=True))
                print(
                    f"{speed:>8} {reached:8.1f}× {frames:9.1f} {worst:7.0f} ms {share:8.1%}",
                    flush=True,
                )
            page.goto("about:blank")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)


if __name__ == "__main__":
    main()
