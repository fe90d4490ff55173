"""The gallery: pictures of every bundled scenario and a page that says what each shows.

``python -m simulator.gallery plots`` writes it (``make gallery``); a test holds it against what the
program draws now. All that it shows of a scenario comes from the scenario file and its run.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from simulator import figures, processes, scenario, writing
from simulator.errors import CommandError, SimulatorError
from simulator.figures.course import ranked_solutes
from simulator.figures.packing import packed
from simulator.figures.style import display_name, number, percent
from simulator.result import Result
from simulator.simulation import simulate
from simulator.sweep import reading as readings
from simulator.sweep.glimpse import glimpse
from simulator.sweep.plan import plan_of
from simulator.units import MINUTES_PER_DAY
from simulator.writing import LEFT_BY_DESKTOPS

OF_A_RUN = ("volumes", "solutes", "sessions")
OF_A_SWEEP = ("map", "response", "tornado", "bands")
PICTURES = frozenset(f"{kind}.png" for kind in (*OF_A_RUN, "comparison", *OF_A_SWEEP))
INDEX = "README.md"
MADE_ELSEWHERE = frozenset(("skipped-sessions", "teaching-page", "verification"))
"""Folders that others write beside ours; they stay as they are."""

DRAWN_WITH = f"matplotlib {version('matplotlib')}"
"""What sets letters and lines; another one may set them a pixel apart."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs laid over each other: several scenarios, or one of them with several values."""

    scenarios: tuple[str, ...]
    setting: str = ""
    """Dotted path of what differs."""
    values: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What draws it on the command line."""
        words = ["apheresis compare", *self.scenarios]
        if self.setting:
            change = f"{self.setting}={','.join(self.values)}"
            words.append(f"--set '{change}'" if re.search(r"[ %]", change) else f"--set {change}")
        return " ".join(words)

    @property
    def arms(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Scenario and overrides of each run, by the label that the command gives it."""
        if not self.setting:
            return {name: (name, ()) for name in self.scenarios}
        (name,) = self.scenarios
        return {value: (name, (f"{self.setting}={value}",)) for value in self.values}


#: Comparisons that scenarios are made for, by the scenario whose folder they stand in.
COMPARISONS = {
    "bad-veins": Comparison(("bad-veins", "bad-veins-catheter")),
    "bowl-or-continuous": Comparison(
        ("bowl-or-continuous",), "machine.device", ("spectra-optia", "mcs-plus")
    ),
    "busy-unit": Comparison(("busy-unit",), "operator.machines", ("1", "2", "4", "6")),
    "daily-or-alternate": Comparison(("daily-or-alternate", "daily-exchanges")),
    "double-filtration": Comparison(
        ("double-filtration",), "machine.device", ("dfpp-ec-20w", "dfpp-ec-50w")
    ),
    "immunoadsorption-or-exchange": Comparison(
        ("immunoadsorption-or-exchange",),
        "machine.device",
        ("spectra-optia", "dfpp-ec-20w", "tr-350"),
    ),
    "liver-failure": Comparison(
        ("liver-failure",), "patient.citrate_clearance", ("100 %", "48 %", "21 %")
    ),
    "one-volume-or-two": Comparison(("one-volume-or-two", "two-volumes")),
    "saline-last": Comparison(("albumin-throughout", "saline-first", "saline-last")),
    "selective-exchange": Comparison(("selective-exchange", "conventional-exchange")),
    "small-patient": Comparison(("small-patient",), "machine.prime", ("red-cells", "saline")),
    "tingling-lips": Comparison(
        ("tingling-lips",), "prescription.calcium.rate", ("0 g/h", "1.0 g/h", "1.6 g/h")
    ),
}

STUDIED = frozenset(("what-matters",))
"""Scenarios made for a sensitivity study."""

HEAD = """\
# Gallery

<!-- drawn with {drawn_with} -->

Written by `make gallery`, which runs every bundled scenario. For teaching and research, not for
treating patients.

`volumes.png`: what the machine moved, and the blood volume. `solutes.png`: plasma (solid) and
interstitial fluid (dashed), as percent of the start and on a logarithmic scale. `sessions.png`:
first and last session in minutes. `comparison.png`: several runs over each other. In the tables
a session lasts from first draw to the end of the exchange, "lowest" is that of all sessions, and
levels are those in plasma, as percent of the start.

Of a sweep, `map.png`: an outcome over two inputs; `tornado.png`: what each input does to it;
`bands.png`: curves of many runs. A sweep that draws its inputs is shown by 64 of its runs.

| scenario | title |
|---|---|
"""


@dataclass(frozen=True, slots=True)
class Chapter:
    """What the gallery shows of one scenario: its part of the page, and its pictures by name."""

    name: str
    text: str
    pictures: Mapping[str, bytes]


def chapter(name: str, *, small: bool = True) -> Chapter:
    """Run a bundled scenario, and what it is compared with; draw and describe the runs.

    Pictures are packed unless they need not be `small`, which spares time where they are not kept.
    """
    result = _run(name)
    drawn = {kind: getattr(figures, kind)(result) for kind in OF_A_RUN}
    runs = {name: result}
    compared = COMPARISONS.get(name)
    if compared is not None:
        arms = {label: _run(source, changes) for label, (source, changes) in compared.arms.items()}
        by = figures.setting_in_words(compared.setting)
        drawn["comparison"] = figures.comparison(list(arms.values()), list(arms), by=by)
        same = any(arm.digest == result.digest for arm in arms.values())
        runs = arms if same else runs | arms
    said: list[str] = []
    if "sweep" in result.scenario.document:
        reading, ensemble = glimpse(plan_of(name))
        drawn |= figures.sweep_pictures(reading, ensemble)
        said = readings.in_words(reading)
    pictures = {
        f"{kind}.png": (packed if small else bytes)(figures.rendered(figure, "png"))
        for kind, figure in drawn.items()
        if figure is not None
    }
    parts = [
        f"## {name}",
        f"**{result.scenario.title}.**",
        *_told(name, result.scenario.title),
        _numbers(runs, compared.setting if compared else ""),
        *(["\n".join(f"- {sentence}" for sentence in said)] if said else []),
        _thumbnails(name, pictures),
        _commands(name, compared, swept=bool(said)),
    ]
    return Chapter(name, "\n\n".join(parts) + "\n", pictures)


def head(titles: Mapping[str, str]) -> str:
    """How the page begins: what it is, and a list of the scenarios."""
    rows = (f"| [{name}](#{name}) | {title} |\n" for name, title in titles.items())
    return HEAD.format(drawn_with=DRAWN_WITH) + "".join(rows)


def page(titles: Mapping[str, str], chapters: Iterable[Chapter]) -> str:
    """The page that says what the pictures show."""
    return "\n".join([head(titles), *(one.text for one in chapters)])


def write(folder: Path, titles: Mapping[str, str], chapters: Sequence[Chapter]) -> None:
    """Replace a gallery by another as a whole; what is `MADE_ELSEWHERE` stays.

    Raises `CommandError` if the folder holds what no gallery has written.
    """
    refuse_unless_gallery(folder)
    with writing.replaced(folder) as new:
        (new / INDEX).write_text(page(titles, chapters), encoding="utf-8")
        for one in chapters:
            (new / one.name).mkdir()
            for file, content in one.pictures.items():
                (new / one.name / file).write_bytes(content)
        for name in sorted(MADE_ELSEWHERE):
            if (folder / name).is_dir():
                shutil.copytree(folder / name, new / name)


def refuse_unless_gallery(folder: Path) -> None:
    """Raise `CommandError` if a folder holds anything that would be lost with the old pictures."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CommandError(f"{folder} is not a folder; the gallery is written to one")
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        picture = len(place.parts) == 2 and path.name in PICTURES
        ours = picture or str(place) == INDEX or path.is_dir() or path.name in LEFT_BY_DESKTOPS
        if place.parts[0] not in MADE_ELSEWHERE and (not ours or path.is_symlink()):
            raise CommandError(
                f"{folder} holds {str(place)!r}, which the gallery has not written; move it away"
            )


# -- the page -------------------------------------------------------------------------------------


def _run(name: str, changes: Sequence[str] = ()) -> Result:
    """A run; one of the last few that was the same scenario by its digest is not made again."""
    loaded = scenario.load(name, changes)
    key = (name, scenario.digest(loaded))
    if key not in _RUNS:
        while len(_RUNS) >= _KEPT:
            del _RUNS[next(iter(_RUNS))]
        _RUNS[key] = simulate(loaded)
    return _RUNS[key]


_KEPT = 8
_RUNS: dict[tuple[str, str], Result] = {}
"""The last runs, the oldest first: an arm of a comparison is often a scenario of its own, too."""


def _told(name: str, title: str) -> list[str]:
    """What a scenario file says of itself: the comment it opens with, and its description.

    A description that it inherits tells of another scenario; commands stand below the pictures.
    """
    text = scenario.text_of(name)
    comment = re.match(r"(#.*\n)*", text)
    assert comment is not None  # it may be empty
    opening = " ".join(line.lstrip("# ") for line in comment[0].splitlines())
    opening = re.sub(r": compare \S+ .*$", ".", opening)
    own = re.search(r"^description:", text, flags=re.MULTILINE)
    told = [
        "" if opening == f"{title}." else opening,
        scenario.load(name).description if own else "",
    ]
    return [" ".join(words.split()) for words in told if words]


def _numbers(runs: Mapping[str, Result], setting: str) -> str:
    """A table of what came out, a row for each run, which may be named by a value of a setting.

    The solute is what the first run is about.
    """
    first = next(iter(runs.values()))
    ranked = ranked_solutes(first)
    solute = ranked[0] if ranked else "igg"
    words = display_name(solute)
    rows = [
        (
            f"`{setting}`" if setting else "run", "sessions", "first session, min",
            "lowest blood volume", "lowest ionized calcium, mmol/L",
            f"{words} after the last session", f"{words} at the end",
        ),
        ("---",) * 7,
        *((label, *_row(result, solute)) for label, result in runs.items()),
    ]  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(result: Result, solute: str) -> tuple[str, ...]:
    sessions = result.sessions
    completed = sum(session.completed for session in sessions)
    count = f"{len(sessions)}"
    if completed < len(sessions):
        count += f", {completed} completed"
    end = f"{_level(result, solute, result.solutes[solute].final)}"
    end += f" on day {number(result.scenario.until / MINUTES_PER_DAY)}"
    if not sessions:
        return (count, "–", "–", "–", "–", end)
    return (
        count,
        f"{sessions[0].run_minutes:.0f}",
        percent(100 * min(session.blood_volume_nadir for session in sessions)),
        f"{min(session.ionized_calcium_nadir for session in sessions):.2f}",
        _level(result, solute, sessions[-1].solutes[solute].post),
        end,
    )


def _level(result: Result, solute: str, value: float | None) -> str:
    """A level as percent of the start, or in its unit if it starts from nothing."""
    start, unit = result.solutes[solute].initial, result.solutes[solute].unit
    if value is None:
        return "–"
    return percent(100 * value / start) if start > 0 else f"{number(value)} {unit}"


def _thumbnails(name: str, pictures: Mapping[str, bytes]) -> str:
    """A table of one row, in which pages show pictures side by side; each opens its own file."""
    cells = [f"[![{file.removesuffix('.png')}]({name}/{file})]({name}/{file})" for file in pictures]
    lines = [[file.removesuffix(".png") for file in pictures], ["---"] * len(cells), cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _commands(name: str, compared: Comparison | None, *, swept: bool) -> str:
    lines = [f"apheresis run {name}", *([compared.command] if compared else [])]
    lines += [f"apheresis sweep {name}"] if swept else []
    lines += [f"apheresis sensitivity {name}"] if name in STUDIED else []
    return "\n".join(["```", *lines, "```"])


# -- the command ----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the gallery to the folder that is named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator.gallery", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    try:
        refuse_unless_gallery(folder)
        # Loaded here first: what is wrong in a file is then told with its lines.
        titles = {name: scenario.load(name).title for name in scenario.bundled_names()}
        chapters = list(processes.each(chapter, list(titles)))
        write(folder, titles, chapters)
    except SimulatorError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"Error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    pictures = [content for one in chapters for content in one.pictures.values()]
    size = sum(map(len, pictures)) / 1e6
    print(f"{folder}: {len(pictures)} pictures of {len(chapters)} scenarios, {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
