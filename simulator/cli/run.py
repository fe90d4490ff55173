"""``apheresis run``: from a scenario to its tables and its run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator import lean as lean  # before what imports SimPy
from simulator import run_folder, scenario, simulation, tables
from simulator.cli.options import scenarios_argument, set_option
from simulator.errors import CommandError, ImpossibleRunError
from simulator.result import Result
from simulator.scenario.model import Scenario
from simulator.writing import ANIMATION_MARK, write_whole

if TYPE_CHECKING:
    from simulator.playback.recording import Recording

COMMENT_WITHIN = 2048
"""Bytes; the comment of an animation stands behind its palette."""


@click.command("run")
@scenarios_argument()
@set_option
@click.option("--seed", type=click.IntRange(min=0), help="Overrides simulation.seed.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run folder; of several scenarios, the folder of their run folders. [runs/SCENARIO]",
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json and nothing else.")
@click.option("--no-plots", is_flag=True, help="Write no figures.")
@click.option(
    "--report",
    "with_report",
    is_flag=True,
    help="Write report.html too: the run as one file with a player, for any browser, offline.",
)
@click.option(
    "--format", "picture", type=click.Choice(["png", "svg"]), default="png", show_default=True,
    help="With svg, figures are written as SVG too.",
)  # fmt: skip
@click.option(
    "--animate",
    type=click.Path(path_type=Path),
    metavar="FILE.gif",
    help="Also write an animation for a slide: a session as it happens, then the course. "
    "One SCENARIO only.",
)
@click.option(
    "--session", type=click.IntRange(min=1),
    help="The session that --animate shows. [the first]",
)  # fmt: skip
def run_command(  # noqa: PLR0917 - click calls it by name
    scenarios: tuple[str, ...],
    overrides: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    as_json: bool,
    no_plots: bool,
    with_report: bool,
    picture: str,
    animate: Path | None,
    session: int | None,
) -> None:
    """Run each SCENARIO (a file or a bundled name) and write its run folder."""
    if session is not None and animate is None:
        raise click.UsageError("--session goes with --animate")
    if animate is not None and len(scenarios) > 1:
        raise click.UsageError("--animate shows one run; name one SCENARIO")
    loaded = [scenario.load(source, overrides, seed) for source in scenarios]
    folders = folders_of([s.name for s in loaded], out)
    for folder in folders:
        run_folder.check_target(folder)
        if animate is not None:
            check_animation(animate, folder)
    summaries = []
    for one, folder in zip(loaded, folders, strict=True):
        result, recording = lived_through(one, recorded=with_report)
        if session is not None:
            check_session(session, result)
        if as_json:
            summaries.append(json.loads(run_folder.summary_json(result)))
        else:
            show(result)  # before the figures, which take longer than the run
        files = {} if no_plots else pictures(result, picture)
        if recording is not None:
            files["report.html"] = report_of(recording, files)
        run_folder.write(result, folder, files)
        click.echo(f"Written to {folder}/", err=True)
        if animate is not None:
            from simulator import figures

            write_whole(animate, figures.animation(result, session))
            click.echo(f"Written to {animate}", err=True)
    if as_json:
        click.echo(json.dumps(summaries[0] if len(summaries) == 1 else summaries, indent=2))


def lived_through(one: Scenario, *, recorded: bool) -> tuple[Result, Recording | None]:
    """The result of a scenario; `recorded`: with all that a page needs to play it."""
    if not recorded:
        return simulation.simulate(one), None
    from simulator.playback import recording

    run = recording.recorded(one)
    if run.result is None:
        raise ImpossibleRunError(run.impossible)
    return run.result, run


def report_of(recording: Recording, files: Mapping[str, bytes]) -> bytes:
    """The report of a run, with the figures that were drawn."""
    from simulator import report

    drawn = {name: content for name, content in files.items() if name.endswith(".png")}
    if drawn:
        from simulator.figures.packing import packed

        drawn = {name.removesuffix(".png"): packed(content) for name, content in drawn.items()}
    return report.document(recording, drawn).encode("utf-8")


def folders_of(names: list[str], out: Path | None) -> list[Path]:
    """The run folder of each scenario; a name that comes twice gets a number."""
    if out is not None and len(names) == 1:
        return [out]
    taken: dict[str, int] = {}
    folders = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        suffix = f"-{taken[name]}" if taken[name] > 1 else ""
        folders.append((out or Path("runs")) / f"{name}{suffix}")
    return folders


def check_animation(file: Path, folder: Path) -> None:
    """Raise `CommandError` if an animation could not be written to `file`, or should not be.

    `folder`: the run folder, which is replaced as a whole.
    """
    if file.suffix.lower() != ".gif":
        raise CommandError(f"--animate writes a GIF: expected a name that ends in .gif, got {file}")
    if not file.parent.is_dir():
        raise CommandError(f"{file.parent} is no folder; --animate writes to one that is there")
    if file.resolve().is_relative_to(folder.resolve()):
        raise CommandError(
            f"{file} is in the run folder, which is replaced as a whole; choose another place"
        )
    if file.is_dir():
        raise CommandError(f"{file} is a folder; --animate writes a file")
    if file.exists() and not is_animation(file):
        raise CommandError(
            f"{file} is there already, and no run has written it; choose another name"
        )


def is_animation(file: Path) -> bool:
    """Whether a file is an animation of ours, as its comment says."""
    with file.open("rb") as content:
        start = content.read(COMMENT_WITHIN)
    return start.startswith(b"GIF8") and ANIMATION_MARK in start


def check_session(number: int, result: Result) -> None:
    """Raise `CommandError` if the run has no session of that number."""
    numbers = [session.index for session in result.sessions]
    if number not in numbers:
        count = f"{len(numbers)} session{'s' if len(numbers) != 1 else ''}"
        raise CommandError(f"--session {number}: the run has {count if numbers else 'no session'}")


def pictures(result: Result, picture: str) -> dict[str, bytes]:
    """The figures of a run as files: PNG, and SVG too if asked for."""
    from simulator import figures

    formats = ["png"] if picture == "png" else ["png", "svg"]
    files: dict[str, bytes] = {}
    for name in ("volumes", "solutes", "sessions"):
        figure = getattr(figures, name)(result)
        if figure is not None:
            files |= {f"{name}.{kind}": figures.rendered(figure, kind) for kind in formats}
    return files


def show(result: Result) -> None:
    """Print what a run says: a session table and a solute table."""
    tables.show(result.scenario.title, bold=True)
    patient = result.scenario.patient
    stated = patient.blood_volume is not None or patient.plasma_volume is not None
    tables.show(
        f"Blood volume {result.blood_volume:,.0f} mL, plasma volume {result.plasma_volume:,.0f} mL "
        f"({'stated' if stated else patient.blood_volume_method}), "
        f"hematocrit {100 * patient.hematocrit:.0f} %"
    )
    if result.sessions:
        tables.show(tables.sessions(result))
    if happened := tables.happened(result):
        tables.show(happened)
    for line in tables.warnings(result):
        tables.show(line)
    tables.show(tables.solutes(result))
    tables.show(tables.NOT_CLINICAL)
