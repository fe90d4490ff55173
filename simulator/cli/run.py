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
from simulator.errors import ImpossibleRunError
from simulator.result import Result
from simulator.scenario.model import Scenario

if TYPE_CHECKING:
    from simulator.playback.recording import Recording


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
def run_command(
    scenarios: tuple[str, ...],
    overrides: tuple[str, ...],
    seed: int | None,
    out: Path | None,
    as_json: bool,
    no_plots: bool,
    with_report: bool,
    picture: str,
) -> None:
    """Run each SCENARIO (a file or a bundled name) and write its run folder."""
    loaded = [scenario.load(source, overrides, seed) for source in scenarios]
    folders = folders_of([s.name for s in loaded], out)
    for folder in folders:
        run_folder.check_target(folder)
    summaries = []
    for one, folder in zip(loaded, folders, strict=True):
        result, recording = lived_through(one, recorded=with_report)
        if as_json:
            summaries.append(json.loads(run_folder.summary_json(result)))
        else:
            show(result)  # before the figures, which take longer than the run
        files = {} if no_plots else pictures(result, picture)
        if recording is not None:
            files["report.html"] = report_of(recording, files)
        run_folder.write(result, folder, files)
        click.echo(f"Written to {folder}/", err=True)
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
