"""``apheresis run``: from a scenario to its tables and its run folder."""

from __future__ import annotations

import json
from pathlib import Path

import click

from simulator import lean as lean  # before what imports SimPy
from simulator import run_folder, scenario, simulation, tables
from simulator.cli.options import scenarios_argument, set_option
from simulator.result import Result


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
    picture: str,
) -> None:
    """Run each SCENARIO (a file or a bundled name) and write its run folder."""
    loaded = [scenario.load(source, overrides, seed) for source in scenarios]
    folders = folders_of([s.name for s in loaded], out)
    for folder in folders:
        run_folder.check_target(folder)
    summaries = []
    for one, folder in zip(loaded, folders, strict=True):
        result = simulation.simulate(one)
        if as_json:
            summaries.append(json.loads(run_folder.summary_json(result)))
        else:
            show(result)  # before the figures, which take longer than the run
        run_folder.write(result, folder, {} if no_plots else pictures(result, picture))
        click.echo(f"Written to {folder}/", err=True)
    if as_json:
        click.echo(json.dumps(summaries[0] if len(summaries) == 1 else summaries, indent=2))


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
