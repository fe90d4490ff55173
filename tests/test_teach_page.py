"""The live page from end to end: a class at work in a real browser, and a report opened from disk.

`apheresis teach` runs as a process of its own; the page is driven by the names that a screen reader
says.
"""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import axe_violations
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.timeout(300)

expect.set_options(timeout=20_000)  # a change is a whole run, on a machine that has other work
START = [sys.executable, "-m", "simulator"]
EXPECTED_STOP = (0, -signal.SIGINT)


@contextmanager
def taught(folder: Path, *arguments: str) -> Generator[str]:
    """The address of a running `apheresis teach`."""
    process = subprocess.Popen(
        [*START, "teach", *arguments, "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode in EXPECTED_STOP, said
        assert "Traceback" not in said


@pytest.fixture
def live(tmp_path: Path, page: Page) -> Generator[Page]:
    """A page that shows one session, in which the class sees to alarms."""
    page.set_viewport_size({"width": 1280, "height": 720})
    with taught(tmp_path, "one-volume-or-two") as address:
        page.goto(address)
        ready(page)
        yield page
        page.goto("about:blank")  # so that it does not miss its server


def ready(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-ready", "true")


def clock(page: Page) -> float:
    return float(page.locator("html").get_attribute("data-time") or "nan")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def reach(page: Page, minute: float, within: float = 60) -> None:
    """Wait until the page's clock has come to a minute of the run."""
    page.wait_for_function(
        "minute => Number(document.documentElement.dataset.time) >= minute", arg=minute,
        timeout=within * 1000,
    )  # fmt: skip


def play_to(page: Page, minute: float, speed: str = "1,000×") -> None:
    """Play at a speed until a minute of the run is past, then stand still."""
    press(page, speed)
    press(page, "Play")
    reach(page, minute)
    if page.locator("html").get_attribute("data-playing") == "true":
        press(page, "Pause")


def go_to(page: Page, minute: float) -> None:
    """Drag the time slider to a minute."""
    page.get_by_role("slider", name="Time of the run").fill(str(minute))
    page.wait_for_function(
        "minute => Math.abs(Number(document.documentElement.dataset.time) - minute) < 1", arg=minute
    )


def run_shown(page: Page) -> str:
    return page.locator("html").get_attribute("data-run") or ""


def answered(page: Page, actions: int) -> None:
    """Wait until the run that is shown holds so many changes."""
    expect(page.locator("html")).to_have_attribute("data-actions", str(actions))
    expect(page.locator("html")).to_have_attribute("data-held", "false")


def drawer(page: Page, name: str) -> None:
    button = page.get_by_role("navigation").get_by_role("button", name=re.compile(name)).first
    if button.get_attribute("aria-expanded") != "true":
        button.click()


def log_of(page: Page) -> list[tuple[str, str]]:
    """The log as the page shows it, oldest first: minute and detail."""
    drawer(page, "Log")
    more = page.get_by_role("button", name="Show all")
    if more.is_visible():
        more.click()
    rows = page.locator("table.log tbody tr").evaluate_all(
        "rows => rows.map(row => [row.cells[1].textContent,"
        " row.querySelector('.meaning').textContent])"
    )
    return [(minute, detail) for minute, detail in reversed(rows)]


def saved(page: Page, folder: Path) -> Path:
    """The scenario that the page saves, as a file."""
    with page.expect_download() as download:
        press(page, "Save as scenario")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    page.keyboard.press("Escape")
    return file


def command_line(*arguments: str, folder: Path) -> None:
    done = subprocess.run(
        [*START, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr


def events_of(folder: Path) -> list[tuple[str, str]]:
    """Minute, as the page writes it, and detail of the events of a run folder."""
    with (folder / "events.csv").open(encoding="utf-8", newline="") as file:
        return [
            ("–" if row["minute"] == "" else f"{float(row['minute']):.1f}", row["detail"])
            for row in csv.DictReader(file)
        ]


def test_a_class_runs_a_session_and_the_command_line_repeats_it(live: Page, tmp_path: Path) -> None:
    play_to(live, 20, "300×")
    drawer(live, "Instructor")
    live.get_by_role("button", name="Access occlusion", exact=True).click()
    answered(live, 1)
    live.get_by_role("button", name="Close", exact=True).first.click()
    press(live, "1,000×")
    press(live, "Play")
    # it stands still by itself where the class is wanted
    expect(live.locator("html")).to_have_attribute("data-playing", "false")
    expect(live.get_by_role("alert")).to_contain_text("ccess pressure low")
    expect(live.get_by_role("group", name="Alarms")).to_contain_text("ccess pressure low")
    press(live, "Acknowledge")
    answered(live, 2)
    expect(live.get_by_role("group", name="Alarms")).to_contain_text("acknowledged")
    # acknowledged is not mended: the answer is still to be given
    live.get_by_role("button", name="Straighten the access line").first.click()
    answered(live, 3)
    play_to(live, 150)
    go_to(live, 10_080)
    page_log = log_of(live)
    file = saved(live, tmp_path)
    command_line("run", str(file), "--no-plots", "--out", "again", folder=tmp_path)
    assert page_log == events_of(tmp_path / "again")
    told = (tmp_path / "again" / "events.csv").read_text(encoding="utf-8")
    for word in ("alarm:access-pressure-low", "operator:acknowledge",
                 "operator:straighten-the-access-line", "session completed"):  # fmt: skip
        assert word in told
    # what is saved is resolved: it gives itself again, to the byte
    command_line("run", "again/scenario.yaml", "--no-plots", "--out", "twice", folder=tmp_path)
    for name in ("events.csv", "curves.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def test_going_back_and_changing_one_thing_draws_both_futures(live: Page) -> None:
    play_to(live, 60)
    first = run_shown(live)
    go_to(live, 30)
    field = live.get_by_role("spinbutton", name=re.compile("Inlet flow"))
    field.fill("40")
    field.press("Enter")
    expect(live.locator("html")).not_to_have_attribute("data-run", first)
    expect(live.locator("html")).to_have_attribute("data-runs", "2")
    assert clock(live) == pytest.approx(30, abs=1)
    play_to(live, 80)
    drawer(live, "Branches")
    rows = dict(
        live.locator("#drawer-branches table tbody tr").evaluate_all(
            "rows => rows.map(r => [r.cells[0].textContent, [...r.cells].slice(1).map("
            "c => Number(c.textContent.replaceAll(',', '')))])"
        )
    )
    slower, faster = rows["Plasma removed, mL"]
    assert slower < 0.85 * faster, rows


def test_a_fork_that_changes_nothing_shows_the_same(live: Page) -> None:
    play_to(live, 40)
    press(live, "Fork here")
    expect(live.locator("html")).to_have_attribute("data-runs", "2")
    play_to(live, 90)
    drawer(live, "Branches")
    cells = live.locator("#drawer-branches table tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].slice(1).map(c => c.textContent))"
    )
    assert len(cells) >= 5
    for one, other in cells:
        assert one == other


def test_a_lesson_is_failed_and_then_passed(live: Page) -> None:
    drawer(live, "Lessons")
    live.get_by_role("button", name="Two volumes are not twice one").click()
    lesson = live.locator("#drawer-lessons")
    expect(lesson).to_contain_text("How much IgG do two volumes take out")
    press(live, "Check")
    expect(live.locator("#toasts")).to_contain_text("Predict first")
    lesson.get_by_role("radio", name="Twice as much.").check()
    press(live, "Check")
    expect(lesson).to_contain_text("Not yet passed")
    expect(lesson).to_contain_text("Your prediction is not right.")
    other = lesson.get_by_role("radio", name=re.compile("less than twice"))
    expect(other).to_be_disabled()  # who has seen the answer does not predict any more
    press(live, "Start again")
    expect(other).to_be_enabled()
    other.check()
    press(live, "Check")
    expect(lesson).to_contain_text("✓ Passed")
    expect(lesson).to_contain_text("times as much")


def test_a_lesson_with_a_task_passes_once_it_is_done(live: Page) -> None:
    drawer(live, "Lessons")
    live.get_by_role("button", name="The drug given this morning").click()
    lesson = live.locator("#drawer-lessons")
    lesson.get_by_role("radio", name="More than a third.").check()
    press(live, "Check")
    expect(lesson).to_contain_text("Not yet passed")
    expect(lesson).to_contain_text("Your prediction is right.")
    go_to(live, 1000)  # the afternoon: the session is over
    drawer(live, "Instructor")
    live.get_by_label("What", exact=True).select_option("natalizumab")
    live.get_by_label("Dose", exact=True).fill("300")
    live.get_by_label("Over (empty: at once)").fill("60")
    live.get_by_role("button", name="Give", exact=True).click()
    answered(live, 1)
    drawer(live, "Lessons")
    press(live, "Check")
    expect(lesson).to_contain_text("✓ Passed")


def test_what_cannot_be_done_is_said_and_the_run_goes_on(live: Page) -> None:
    play_to(live, 20)
    before = run_shown(live)
    field = live.get_by_role("spinbutton", name=re.compile("Inlet flow"))
    field.evaluate("field => { field.max = ''; }")  # past what the page itself would refuse
    field.fill("4000")
    field.press("Enter")
    expect(live.locator("#toasts")).to_contain_text("expected between")
    assert run_shown(live) == before
    play_to(live, 40)


def test_a_lost_connection_resumes(tmp_path: Path, page: Page, complaints: list[str]) -> None:
    with taught(tmp_path, "one-volume-or-two") as address:
        page.goto(address)
        ready(page)
        play_to(page, 15)
        page.context.set_offline(True)
        page.evaluate("window.dispatchEvent(new Event('offline'))")
        here = clock(page)
        press(page, "Play")
        reach(page, here + 5)
        page.context.set_offline(False)
        expect(page.locator("html")).to_have_attribute("data-connection", "open", timeout=30_000)
        place = clock(page)
        page.wait_for_timeout(1500)  # the page tells its place every second
        page.reload()
        ready(page)
        assert clock(page) >= place - 5
        page.goto("about:blank")
    complaints.clear()  # attempts to connect while offline are told on the console


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)], ids=["projector", "phone"])
def test_nobody_is_shut_out(live: Page, size: tuple[int, int]) -> None:
    """No barrier that axe knows, with every drawer open in turn; nothing to scroll sideways."""
    live.set_viewport_size({"width": size[0], "height": size[1]})
    play_to(live, 30)
    assert axe_violations(live) == []
    for name in ("Lessons", "Log", "Branches", "Instructor", "Results"):
        drawer(live, name)
        assert axe_violations(live) == [], name
    wide = live.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0


def test_all_is_done_by_keyboard(live: Page) -> None:
    live.keyboard.press("Space")
    expect(live.locator("html")).to_have_attribute("data-playing", "true")
    live.keyboard.press("Space")
    expect(live.locator("html")).to_have_attribute("data-playing", "false")
    before = clock(live)
    live.keyboard.press("n")
    live.keyboard.press("n")
    assert clock(live) > before
    live.keyboard.press("i")
    expect(live.get_by_role("heading", name="Instructor")).to_be_visible()
    live.keyboard.press("Escape")
    live.keyboard.press("?")
    expect(live.get_by_role("dialog")).to_be_visible()
    live.keyboard.press("Escape")
    expect(live.get_by_role("dialog")).not_to_be_visible()


def test_a_report_plays_from_disk_without_a_network(page: Page, tmp_path: Path) -> None:
    command_line("run", "faults", "--report", "--out", "run", folder=tmp_path)
    page.context.set_offline(True)
    page.goto((tmp_path / "run" / "report.html").as_uri())
    ready(page)
    assert axe_violations(page) == []
    play_to(page, 30)
    go_to(page, 60)
    expect(page.get_by_role("table", name="Sessions")).to_be_visible()
    expect(page.get_by_role("button", name="Save as scenario")).not_to_be_visible()
    picture = page.get_by_role("img", name=re.compile("^Volumes"))
    assert picture.evaluate("image => image.naturalWidth") > 500
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0


def test_it_opens_in_a_second_or_so(tmp_path: Path, page: Page) -> None:
    """A limit of ten: what is measured is that nothing waits for long, not this machine."""
    begin = time.monotonic()
    with taught(tmp_path) as address:
        page.goto(address)
        ready(page)
        took = time.monotonic() - begin
        page.goto("about:blank")
    assert took < 10
