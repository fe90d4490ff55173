"""Animations: frames, what they picture against what the machine did, files and messages."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from simulator import figures, scenario
from simulator.cli.run import is_animation
from simulator.figures.animation import HEIGHT, WIDTH, _Course, _Scene, _Session, shots_of
from simulator.figures.moments import Story
from simulator.figures.packing import Pixels, animated
from simulator.figures.places import extent, visible_texts
from simulator.figures.style import STYLE
from simulator.machine.session import Session
from simulator.result import Result
from simulator.simulation import simulate
from simulator.writing import ANIMATION_MARK

FEW = 14  # frames; enough for both parts
QUICK = """
format: 1
title: One quick exchange
patient: {sex: female, age: 48 y, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {anti-gad65: {like: igg1, initial: 23508 U/mL}}
machine: {device: spectra-optia, access: central-venous-catheter}
prescription: {exchange: 900 mL, replacement: [{fluid: albumin-5, share: 100 %}]}
course: {sessions: 2, every: 1 d}
events: [{session: 2, at: 12 min, fault: power-failure, for: 5 min}]
simulation: {until: 4 d}
"""
REST = """
format: 1
title: Nobody is treated
patient: {sex: female, age: 48 y, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
course: {sessions: 0}
simulation: {until: 4 d}
"""
EVERY_KIND = (
    "stiff-person-acute", "membrane", "bowl-or-continuous", "faults", "plasma-donor",
    "double-filtration", "immunoadsorption-or-exchange", "mixed-replacement", "small-patient",
    "bad-veins", "tingling-lips",
)  # fmt: skip


@cache
def run(name: str) -> Result:
    texts = {"quick": QUICK, "rest": REST}
    loaded = scenario.loads(texts[name], name) if name in texts else scenario.load(name)
    return simulate(loaded)


@cache
def quick_gif() -> bytes:
    return figures.animation(run("quick"), frames=FEW)


def story(name: str, session: int = 1) -> Story:
    result = run(name)
    return Story(result, result.sessions[session - 1])


# -- the file --------------------------------------------------------------------------------------


def frames_of(content: bytes) -> Iterator[Image.Image]:
    with Image.open(io.BytesIO(content)) as picture:
        for place in range(getattr(picture, "n_frames", 1)):
            picture.seek(place)
            yield picture


def test_an_animation_is_a_gif_that_loops_and_says_whose_it_is(tmp_path: Path) -> None:
    with Image.open(io.BytesIO(quick_gif())) as picture:
        assert (picture.format, picture.size) == ("GIF", (WIDTH, HEIGHT))
        assert picture.info["loop"] == 0  # for ever
        assert b"not for treating patients" in picture.info["comment"]
        assert picture.info["comment"].startswith(ANIMATION_MARK)
    (tmp_path / "a.gif").write_bytes(quick_gif())
    assert is_animation(tmp_path / "a.gif")


def test_frames_and_their_time(tmp_path: Path) -> None:
    times = [frame.info["duration"] for frame in frames_of(quick_gif())]
    assert len(times) == FEW
    assert (times[0], times[-1]) == (1000, 3000)
    assert set(times[1:-1]) <= {90, 100, 200, 350, 2000}


def test_the_main_scenario_is_small_enough_for_a_slide() -> None:
    content = figures.animation(run("stiff-person-acute"))
    times = [frame.info["duration"] for frame in frames_of(content)]
    assert 100 <= len(times) <= 160
    assert 10_000 < sum(times) < 30_000
    assert len(content) < 1_000_000


def test_the_same_run_is_the_same_file() -> None:
    again = simulate(scenario.loads(QUICK, "quick"))
    assert figures.animation(again, frames=FEW) == quick_gif()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert figures.animation(again, frames=FEW) == quick_gif()


def test_another_session_is_another_file_and_no_session_is_refused() -> None:
    assert figures.animation(run("quick"), session=1, frames=FEW) == quick_gif()
    assert figures.animation(run("quick"), session=2, frames=FEW) != quick_gif()
    with pytest.raises(ValueError, match="session"):
        figures.animation(run("quick"), session=3, frames=FEW)
    with pytest.raises(ValueError, match="session"):
        figures.animation(run("rest"), session=1, frames=FEW)


def test_a_run_without_sessions_is_its_course() -> None:
    content = figures.animation(run("rest"), frames=6)
    assert len(list(frames_of(content))) == 6


def test_packing_keeps_frames_as_they_were_drawn() -> None:
    first = np.full((8, 12, 3), 255, dtype=np.uint8)
    second = first.copy()
    second[2:4, 3:5] = (196, 0, 0)
    frames: list[Pixels] = [first, second, first]
    packed = list(frames_of(animated(frames, [50, 70, 90], b"ours")))
    assert len(packed) == 3
    for frame, picture in zip(frames, frames_of(animated(frames, [50, 70, 90], b"")), strict=True):
        assert (np.asarray(picture.convert("RGB")) == frame).all()


# -- what is pictured ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_KIND)
def test_levels_are_those_of_the_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the machine counts, the picture shows what it then has in its bottle and bags."""
    seen: list[tuple[float, float, float, float]] = []
    count = Session._count

    def counting(session: Session, flows: object, minutes: float) -> None:
        count(session, flows, minutes)  # type: ignore[arg-type]
        if session.times.connected == 0.0:
            room = session.waste_bag.size - session.waste_bag.room
            bottle = session.line.until_bottle_empty() if session.line.orders else 0.0
            seen.append((session.env.now, bottle, session.anticoagulant_bag.room, room))

    monkeypatch.setattr(Session, "_count", counting)
    result = simulate(scenario.load(name))
    told = Story(result, result.sessions[0])
    assert len(seen) > 3
    draws = [e.minute or 0.0 for e in told.events if e.event == "exchange"]
    for minute, bottle, bag, waste in seen:
        moment = told.at(minute - 1e-7)  # just before what happened then
        assert moment.bag.level == pytest.approx(bag, abs=1e-3)
        if not draws or minute > draws[0] + 1e-6:  # its prime is counted a moment later
            assert moment.waste_bag.level == pytest.approx(waste, abs=1e-3)
        if moment.bottle is not None:
            assert moment.bottle.level == pytest.approx(bottle, abs=1e-3)


@pytest.mark.parametrize("name", EVERY_KIND)
def test_bottles_add_up_to_what_was_given(name: str) -> None:
    told = story(name)
    end = told.at(told.end)
    assert told.moved("replacement", told.end) == pytest.approx(told.session.replacement)
    assert told.moved("anticoagulant", told.end) == pytest.approx(told.session.anticoagulant)
    if end.bottle is not None and len(told.session.replacement_by_fluid) == 1:
        given = end.bottle.size * end.bottle.number - end.bottle.level
        assert given == pytest.approx(told.session.replacement)
    if end.bag.number == 1:
        assert end.bag.size - end.bag.level == pytest.approx(told.session.anticoagulant)


def test_pumps_that_stand_say_why() -> None:
    told = story("faults")
    shown = [told.at((begin + end) / 2) for begin, end in told.pauses]
    assert {moment.stopped for moment in shown} == {
        "replacement empty", "access pressure low", "return pressure high", "change to saline",
        "anticoagulant empty", "waste bag full",
    }  # fmt: skip
    for moment in shown:
        assert moment.inlet == moment.replacement == moment.waste == 0
        assert not moment.back
        assert moment.notice is None or moment.stopped not in moment.notice
    empty = [moment for moment in shown if moment.stopped == "replacement empty"]
    assert all(m.bottle is not None and m.bottle.wanted for m in empty)
    assert all(m.bottle is not None and m.bottle.level < 1e-3 for m in empty)
    assert told.at(21).stopped == "access pressure low"
    assert told.at(25).stopped is None
    assert told.at(52).notice is not None  # the inlet flow was lowered at 50 min


def test_a_fault_that_passes_changes_no_bottle() -> None:
    fault = "events: [{session: 1, at: 12 min, fault: replacement-bottle-empty, for: 3 min}]"
    result = simulate(scenario.loads(QUICK.replace(QUICK.splitlines()[8], fault), "quick"))
    told = Story(result, result.sessions[0])
    before, during, after = (told.at(minute).bottle for minute in (11.99, 13.0, 15.01))
    assert before is not None
    assert during is not None
    assert after is not None
    assert before.number == during.number == after.number == 1
    assert during.wanted
    assert before.level > during.level > 0


def test_a_bowl_fills_and_is_emptied() -> None:
    told = story("bowl-or-continuous")
    draws = [e.minute or 0.0 for e in told.events if e.event == "draw"]
    returns = [e.minute or 0.0 for e in told.events if e.event == "return"]
    assert told.at(draws[0]).filled == 0
    for begin, full, again in zip(draws, returns, draws[1:], strict=False):
        assert told.at(begin + 0.01).inlet > 0
        assert told.at(full).filled == pytest.approx(1.0)
        assert told.at(full + 0.1).back
        assert told.at(again - 0.01).filled == pytest.approx(0.0, abs=1e-9)
        assert not told.at(again - 0.01).back
    assert [told.at(draw + 0.01).cycle for draw in draws] == list(range(1, len(draws) + 1))


def test_phases_of_a_session() -> None:
    told = story("stiff-person-acute")
    phases = [told.at(minute).phase for minute in (0, 6, 20, 98, 104, told.end)]
    assert phases == ["connect", "draw", "exchange", "rinseback", "disconnect", "disconnect"]
    assert told.at(6).waste > 0  # the prime
    assert not told.at(6).back
    assert told.at(98).back


@pytest.mark.parametrize("name", EVERY_KIND)
def test_shots_show_every_pause_and_both_ends(name: str) -> None:
    told = story(name)
    shots = shots_of(told, 91)
    minutes = [shot.minute for shot in shots]
    assert minutes == sorted(minutes)
    assert (minutes[0], minutes[-1]) == (0.0, told.end)
    assert 60 <= len(shots) <= 91
    missed = [p for p in told.pauses if not any(p[0] <= m < p[1] for m in minutes)]
    assert not missed or len(told.pauses) > 22


# -- the page --------------------------------------------------------------------------------------


def scenes(name: str) -> list[tuple[_Scene, list[float]]]:
    result = run(name)
    course = (_Course(result), [0.0, result.scenario.until])
    if not result.sessions:
        return [course]
    told = story(name)
    stops = [(begin + end) / 2 for begin, end in told.pauses]
    times = [0.0, told.end / 2, told.end - 0.01, *stops[:: max(1, len(stops) // 4)]]
    return [(_Session(result, result.sessions[0]), times), course]


@pytest.mark.parametrize("name", [*EVERY_KIND, "rest"])
def test_no_text_of_a_frame_runs_into_another_or_off_the_page(name: str) -> None:
    with matplotlib.rc_context(STYLE):
        for scene, times in scenes(name):
            for time, _ in zip(times, scene.frames(times), strict=True):
                boxes = [(text.get_text(), extent(text)) for text in visible_texts(scene.figure)]
                for words, box in boxes:
                    assert box.x0 >= 0, (words, time)
                    assert box.x1 <= WIDTH, (words, time)
                for (one, a), (other, b) in combinations(boxes, 2):
                    apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1
                    assert apart or b.y1 <= a.y0 + 1, (one, other, time)


# -- the command -----------------------------------------------------------------------------------


def apheresis(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "quick.yaml").write_text(QUICK, encoding="utf-8")
    return tmp_path


def test_run_writes_an_animation_and_json_stays_alone(folder: Path) -> None:
    words = ("run", "quick.yaml", "--no-plots", "--json", "--animate", "a.gif")
    done = apheresis(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["title"] == "One quick exchange"
    assert done.stderr.splitlines() == ["Written to runs/quick/", "Written to a.gif"]
    first = (folder / "a.gif").read_bytes()
    assert not list((folder / "runs" / "quick").glob("*.png"))
    assert apheresis(*words, cwd=folder).returncode == 0  # ours is written anew
    assert (folder / "a.gif").read_bytes() == first
    assert {path.name for path in folder.iterdir()} == {"a.gif", "quick.yaml", "runs"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--animate", "a.mp4"), "ends in .gif"),
        (("--animate", "nowhere/a.gif"), "nowhere is no folder"),
        (("--animate", "taken.gif"), "no run has written it"),
        (("--animate", "folder.gif"), "is a folder"),
        (("--animate", "old/a.gif", "--out", "old"), "in the run folder"),
        (("--animate", "a.gif", "quick.yaml"), "one SCENARIO"),
        (("--animate", "a.gif", "--session", "3"), "the run has 2 sessions"),
        (("--session", "1"), "goes with --animate"),
    ],
)  # fmt: skip
def test_what_cannot_be_animated_is_told_before_anything_is_written(
    arguments: tuple[str, ...], words: str, folder: Path
) -> None:
    (folder / "taken.gif").write_bytes(b"GIF89a of somebody else")
    (folder / "folder.gif").mkdir()
    (folder / "old").mkdir()
    done = apheresis("run", "quick.yaml", "--no-plots", *arguments, cwd=folder)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert (folder / "taken.gif").read_bytes() == b"GIF89a of somebody else"
    assert not (folder / "runs").exists()
    assert not (folder / "a.gif").exists()
