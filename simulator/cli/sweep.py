"""``apheresis sweep``: one scenario with many changes, one row for each run."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from simulator import tables
from simulator.cli.options import jobs_option, scenarios_argument, set_option
from simulator.sweep import cluster, plain, run
from simulator.sweep.designs import KINDS
from simulator.sweep.pictures import curves_from, reading_from
from simulator.sweep.plan import ENGINES, SWEEP_TOLERANCE, Plan, plan_of
from simulator.sweep.reading import Reading, in_words
from simulator.sweep.run import Report
from simulator.terminal import Table

PART_FAILED, INTERRUPTED = 5, 130


@click.command("sweep")
@scenarios_argument("source", nargs=1)
@click.option(
    "--vary",
    multiple=True,
    metavar="PATH=SPEC",
    help="What is varied: 'patient.weight=50 kg..110 kg/7', 'prescription.exchange=0.8 PV,1.0 PV', "
    "'solutes.igg.initial=normal(10 g/L, 2 g/L)'. Repeatable; adds to the sweep block.",
)
@click.option("--design", type=click.Choice(KINDS), help="How it is varied. [grid]")
@click.option(
    "--samples",
    type=click.IntRange(1, 100_000_000),
    metavar="N",
    help="Draws, or runs that differ in luck only.",
)
@set_option
@click.option("--seed", type=click.IntRange(min=0), help="Overrides simulation.seed.")
@click.option(
    "--below",
    multiple=True,
    metavar="SOLUTE=LEVEL",
    help="Count days below this level, instead of half of the first. Repeatable.",
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    metavar="PHRASE",
    help="One more column, such as 'fall igg @ session 5'. Repeatable.",
)
@jobs_option
@click.option("--dask", metavar="ADDRESS", help="A Dask scheduler: tcp://127.0.0.1:8786, tls://…")
@click.option("--dask-ca", type=click.Path(exists=True), help="Of the cluster, for TLS.")
@click.option("--dask-cert", type=click.Path(exists=True), help="Ours, for TLS.")
@click.option("--dask-key", type=click.Path(exists=True), help="Ours, for TLS.")
@click.option(
    "--dask-insecure", is_flag=True, help="Go beyond this computer without TLS all the same."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder. [sweeps/SCENARIO]"
)
@click.option("--resume", is_flag=True, help="Go on with what an interrupted sweep has left.")
@click.option("--fresh", is_flag=True, help="Run it anew although it is finished.")
@click.option(
    "--on-error",
    type=click.Choice(["continue", "stop"]),
    default="continue",
    show_default=True,
    help="Whether a run that fails is a row like any other, or ends the sweep.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="Of the table.",
)
@click.option("--curves", is_flag=True, help="Write all curves too, as netCDF.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="plain: one run after the other; fast: compiled lanes, for large sweeps.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(1e-12, 1e-2),
    default=SWEEP_TOLERANCE,
    show_default=True,
    help="Relative error of a step; single runs have 1e-7.",
)
@click.option("--only", type=click.IntRange(min=0), metavar="K", help="Run number K alone, again.")
@click.option("--dry-run", is_flag=True, help="Only say what would be run.")
@click.option("--json", "as_json", is_flag=True, help="Print counts as JSON and nothing else.")
@click.option("--no-plots", is_flag=True, help="Draw no figures.")
def sweep_command(source: str, **said: Any) -> int:
    """Run SCENARIO many times with changed items; write one row for each run.

    What is varied stands in the scenario's sweep block, or is said by --vary.
    """
    plan = plan_of(
        source,
        set_to=said["overrides"],
        **{key: said[key] for key in ("vary", "design", "samples", "seed", "below", "outcomes",
                                      "curves", "engine", "tolerance")},
    )  # fmt: skip
    if said["only"] is not None:
        return _only(plan, said["only"], source, said["overrides"], as_json=said["as_json"])
    tell = _to_stderr
    for line in plan.design.in_words():
        tell(line)
    if said["dry_run"]:
        return 0
    folder = said["out"] or Path("sweeps") / plan.name
    progress = _progress()
    report = run.run(
        plan,
        folder,
        kind=said["kind"],
        jobs=said["jobs"],
        cluster=_cluster(plan, said),
        resume=said["resume"],
        fresh=said["fresh"],
        stop_on_error=said["on_error"] == "stop",
        announce=tell,
        progress=progress,
        about={"command": _command(plan, source, said)},
    )
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    return _conclude(plan, folder, report, said)


def _conclude(plan: Plan, folder: Path, report: Report, said: dict[str, Any]) -> int:
    """Say what came of it; returns the exit code."""
    if said["as_json"]:
        click.echo(json.dumps(report.to_data()))
    if report.interrupted:
        kept = report.completed + report.failed + report.skipped
        _to_stderr(
            f"Interrupted: {kept:,} runs are kept in {folder}/; the same command with --resume "
            "goes on"
        )
        return INTERRUPTED
    if report.stopped:
        _to_stderr(f"Stopped by {report.stopped}")
        _to_stderr(f"What was run is kept in {folder}/; --resume goes on")
        return PART_FAILED
    draws = not said["no_plots"] and report.skipped < report.runs
    wanted = report.completed and (draws or not said["as_json"])
    reading = reading_from(plan, folder) if wanted else None
    if reading is not None and draws:
        _draw(plan, folder, reading)
    if not said["as_json"]:
        tables.show(_table(folder, report))
        tables.show(*(in_words(reading) if reading else ()), tables.NOT_CLINICAL)
        if report.failed:
            _tell_failed(folder)
    _to_stderr(f"Written to {folder}/")
    return PART_FAILED if report.failed else 0


def _only(plan: Plan, number: int, source: str, overrides: Sequence[str], *, as_json: bool) -> int:
    """One run of the sweep, alone."""
    if number >= plan.design.size:
        raise click.UsageError(f"--only {number}: the sweep has runs 0 to {plan.design.size - 1:,}")
    rows = plain.rows(plan, number, number + 1)
    data: dict[str, Any] = {"run": number, "seed": int(rows.seed[0])}
    data |= {f.address: f.text(rows.inputs[f.address][0]) for f in plan.design.factors}
    data |= {name: float(column[0]) for name, column in rows.outcomes.items()}
    data |= {"status": rows.status[0], "error": rows.error[0]}
    if as_json:
        click.echo(json.dumps({k: None if v != v else v for k, v in data.items()}))  # noqa: PLR0124
        return PART_FAILED if rows.failed else 0
    table = Table(f"Run {number:,} of {plan.design.size:,}")
    table.column("")
    table.column("", "right")
    for key, value in data.items():
        table.row(key, f"{value:.10g}" if isinstance(value, float) else str(value))
    tables.show(table, tables.NOT_CLINICAL)
    words = ["apheresis", "run", source, "--seed", str(data["seed"])]
    for text in [*overrides, *plan.design.overrides(number)]:
        words += ["--set", text]
    click.echo(f"The same, whole and with finer steps: {shlex.join(words)}", err=True)
    return PART_FAILED if rows.failed else 0


def _cluster(plan: Plan, said: dict[str, Any]) -> Callable[[str], Any] | None:
    address = said["dask"]
    if address is None:
        return None
    if warning := cluster.check_address(address, insecure=said["dask_insecure"]):
        _to_stderr(f"Warning: {warning}")
    files = {"tls_ca_file": said["dask_ca"], "tls_client_cert": said["dask_cert"],
             "tls_client_key": said["dask_key"]}  # fmt: skip
    security = {key: value for key, value in files.items() if value}
    return lambda engine: cluster.Cluster(plan, engine, address, security)


def _table(folder: Path, report: Report) -> Table:
    """Every outcome that varies: the middle of the runs, and what nine in ten lie between."""
    what = f"{report.completed:,} of {report.runs:,} runs completed"
    table = Table(f"{what}, {report.failed:,} failed" if report.failed else what)
    table.column("outcome")
    for heading in ("unit", "least", "5 %", "median", "95 %", "most"):
        table.column(heading, "left" if heading == "unit" else "right")
    for label, unit, cuts in run.summary_of(folder):
        table.row(label, unit, *(f"{cut:,.4g}" for cut in cuts))
    return table


def _tell_failed(folder: Path) -> None:
    from simulator.sweep import store

    table = store.read(folder, "run", "status", "error")
    shown = 0
    for number, status, error in zip(
        *(table[name].to_pylist() for name in ("run", "status", "error")), strict=True
    ):
        if status == plain.FAILED:
            _to_stderr(f"run {number}: {error}")
            shown += 1
            if shown == 5:
                _to_stderr("and so on: column error of the table")
                return


def _draw(plan: Plan, folder: Path, reading: Reading) -> None:
    from simulator import figures, writing

    for name, figure in figures.sweep_pictures(reading, curves_from(plan)).items():
        writing.write_whole(folder / f"{name}.png", figures.rendered(figure, "png"))


def _progress() -> run.Progress:
    def tell(done: int, of: int, rate: float) -> None:
        if sys.stderr.isatty():
            left = (of - done) / rate if rate else 0.0
            text = f"\r\033[K{done:,} of {of:,} runs, {rate:,.4g}/s, {_duration(left)} left"
            click.echo(text, nl=False, err=True)

    return tell


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _command(plan: Plan, source: str, said: dict[str, Any]) -> str:
    """A command line that repeats the sweep."""
    parts = ["apheresis", "sweep", source]
    for option, key in (("--set", "overrides"), ("--vary", "vary"), ("--below", "below"),
                        ("--outcome", "outcomes")):  # fmt: skip
        for text in said[key]:
            parts += [option, text]
    for option in ("design", "samples", "seed"):
        if said[option] is not None:
            parts += [f"--{option}", str(said[option])]
    if plan.curves:
        parts.append("--curves")
    if plan.engine != "auto":
        parts += ["--engine", plan.engine]
    if plan.tolerance != SWEEP_TOLERANCE:
        parts += ["--tolerance", str(plan.tolerance)]
    return shlex.join(parts)


def _to_stderr(text: str) -> None:
    click.echo(text, err=True)
