"""The gallery in plots/ shows the scenarios as they are now; nothing else is lost or kept in it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simulator import gallery, scenario
from simulator.cli.compare import _arms, _shortest_labels
from simulator.errors import CommandError
from simulator.figures.packing import COLORS, LOSS, differing, packed, pixels_of
from simulator.gallery import COMPARISONS, INDEX, MADE_ELSEWHERE, Chapter, Comparison

ANOTHER_CPU = 100  # pixels of 1.44 million, for the last digit of another processor
LARGE = 60_000  # bytes of a picture on average; not packed they have 190,000
HOW = "run `make gallery` and commit plots/"
NAMES = scenario.bundled_names()


@pytest.fixture(scope="module")
def plots(project: Path) -> Path:
    return project / "plots"


def sections(plots: Path) -> list[str]:
    """The page in parts: its head, then one for each scenario."""
    text = (plots / INDEX).read_text(encoding="utf-8")
    return re.split(r"\n(?=## )", text)


# -- the gallery that is there ---------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_gallery_shows_a_scenario_as_it_is_now(name: str, plots: Path) -> None:
    now = gallery.chapter(name, small=False)
    there = {path.name for path in (plots / name).glob("*")}
    assert there == set(now.pictures), f"plots/{name}/ is not what {name} draws now: {HOW}"
    assert now.text in sections(plots), f"plots/{INDEX} does not say what {name} gives now: {HOW}"
    if f"<!-- drawn with {gallery.DRAWN_WITH} -->" not in sections(plots)[0]:
        pytest.skip(f"plots/ was not drawn with {gallery.DRAWN_WITH}: letters may be set otherwise")
    for file, content in now.pictures.items():
        # The one there was packed, so that a pixel of the same color may be off by the loss.
        count = differing((plots / name / file).read_bytes(), content, LOSS)
        assert count <= ANOTHER_CPU, f"plots/{name}/{file} differs in {count} pixels now: {HOW}"


def test_the_page_lists_the_bundled_scenarios_and_no_others(plots: Path) -> None:
    head, *parts = sections(plots)
    told = re.sub(r"drawn with [^>]* -->", f"drawn with {gallery.DRAWN_WITH} -->", head)
    assert told == gallery.head(scenario.bundled()), f"plots/{INDEX} has another list: {HOW}"
    assert [part.split()[1] for part in parts] == list(NAMES), f"plots/{INDEX} is stale: {HOW}"


def test_nothing_else_is_in_the_folder_of_the_gallery(plots: Path) -> None:
    gallery.refuse_unless_gallery(plots)
    there = {path.name for path in plots.iterdir()}
    assert there - MADE_ELSEWHERE == {INDEX, *NAMES}, f"plots/ holds what is not shown: {HOW}"


def test_every_picture_of_the_page_is_there_and_every_picture_is_on_the_page(plots: Path) -> None:
    shown = set(re.findall(r"\]\(([^)#]+\.png)\)", (plots / INDEX).read_text(encoding="utf-8")))
    ours = {str(path.relative_to(plots)) for name in NAMES for path in plots.glob(f"{name}/*.png")}
    assert shown == ours


def test_pictures_are_small_enough_to_be_kept(plots: Path) -> None:
    sizes = [path.stat().st_size for name in NAMES for path in plots.glob(f"{name}/*.png")]
    assert sum(sizes) / len(sizes) < LARGE


# -- comparisons -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_has_the_arms_of_the_command_beside_it(name: str) -> None:
    compared = COMPARISONS[name]
    change = [f"{compared.setting}={','.join(compared.values)}"] if compared.setting else []
    arms = [
        (label, scenario.load(source, chosen))
        for source in compared.scenarios
        for label, chosen in _arms(source, change)
    ]
    own = [scenario.load(source, chosen) for source, chosen in compared.arms.values()]
    assert list(compared.arms) == _shortest_labels(arms)
    assert own == [one for _, one in arms]
    assert name in NAMES
    assert name in compared.scenarios


def test_every_comparison_that_a_scenario_proposes_is_drawn() -> None:
    texts = [scenario.text_of(name) for name in NAMES]
    openings = [text.partition("format:")[0] for text in texts]
    starts = "|".join(NAMES)
    proposed = re.findall(rf"compare ((?:{starts}) .+)$", "\n".join(openings), re.MULTILINE)
    proposed += re.findall(r"`apheresis compare ([^`]+)`", "\n".join(texts))
    assert len(proposed) > 5
    assert set(proposed) <= {x.command.partition("compare ")[2] for x in COMPARISONS.values()}


def test_a_command_is_quoted_where_a_shell_would_split_it() -> None:
    assert Comparison(("a", "b")).command == "apheresis compare a b"
    assert Comparison(("a",), "x.y", ("1", "2")).command == "apheresis compare a --set x.y=1,2"
    assert Comparison(("a",), "x", ("1 %",)).command == "apheresis compare a --set 'x=1 %'"


def test_a_run_is_made_once_and_only_a_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(gallery, "_RUNS", {})
    monkeypatch.setattr(gallery, "simulate", lambda loaded: made.append(loaded.name))
    for value in ("4", "2", "2", "4"):
        gallery._run("busy-unit", (f"operator.machines={value}",))
    gallery._run("busy-unit")  # has one of these values itself
    assert len(made) == 2
    for seed in range(10, 10 + gallery._KEPT):
        gallery._run("busy-unit", (f"simulation.seed={seed}",))
    assert len(gallery._RUNS) == gallery._KEPT


# -- writing ---------------------------------------------------------------------------------------

TITLES = {"one": "One"}
CHAPTERS = (Chapter("one", "## one\n", {"volumes.png": b"new"}),)


def test_writing_replaces_the_pictures_and_keeps_what_is_made_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "plots"
    for place in ("one/volumes.png", "one/sessions.png", "gone/solutes.png", "verification/a.svg"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(b"old")
    gallery.write(folder, TITLES, CHAPTERS)
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert files.pop(INDEX).endswith(b"| [one](#one) | One |\n\n## one\n")
    assert files == {"one/volumes.png": b"new", "verification/a.svg": b"old"}
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("place", ["notes.txt", "one/notes.txt", "volumes.png", "one/two/a.png"])
def test_a_folder_with_anything_of_yours_is_not_replaced(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("mine")
    with pytest.raises(CommandError, match=rf"holds '{place}', which the gallery has not written"):
        gallery.write(tmp_path, TITLES, CHAPTERS)
    assert (tmp_path / place).read_text() == "mine"


def test_a_foreign_folder_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert gallery.main([str(tmp_path)]) == CommandError.exit_code
    assert capsys.readouterr().err.startswith("Error: ")


# -- packing ---------------------------------------------------------------------------------------


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def test_packing_keeps_frequent_colors_and_changes_none_by_more_than_its_loss() -> None:
    paper = np.full((60, 100, 3), 255, dtype=np.uint8)
    paper[10:20] = (213, 94, 0)
    ramp = np.linspace((213, 94, 0), (255, 255, 255), 3000).reshape(30, 100, 3).astype(np.uint8)
    paper[20:50] = ramp
    small = packed(png(paper))
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.mode == "P"
    after = pixels_of(small).astype(int)
    assert (after[:20] == paper[:20]).all()
    assert 0 < np.abs(after - paper).max() <= LOSS
    assert len(np.unique(after.reshape(-1, 3), axis=0)) <= COLORS


def test_a_picture_of_too_many_colors_keeps_them_all() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    assert (pixels_of(packed(png(noise))) == noise).all()


def test_pictures_differ_where_a_color_is_further_off_than_allowed() -> None:
    white = np.full((4, 5, 3), 255, dtype=np.uint8)
    other = white.copy()
    other[0, 0, 1] -= LOSS
    other[1, 2, 2] -= LOSS + 1
    assert differing(png(white), png(other)) == 1
    assert differing(png(white), png(other[:3])) == 20
