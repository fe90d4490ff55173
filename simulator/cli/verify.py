"""``apheresis verify``: closed forms, conservation and published cases, made anew here and now."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from simulator import run_folder, scenario, tables
from simulator.cli.options import jobs_option, progress_of
from simulator.evidence import verification, wording
from simulator.evidence.closed_forms import Check
from simulator.evidence.verdicts import Verdict
from simulator.evidence.verification import Verification

FAILED = 1
IN_BOTH_ENGINES = "stiff-person-acute"
AGREEMENT = 1e-6
"""Largest relative difference to the other engine; steps here are good to 1e-7."""
FIGURE = "verification"


@click.command("verify")
@click.argument("studies", nargs=-1, metavar="[STUDY]...")
@click.option(
    "--all", "repeated", is_flag=True, help="Also rates over hundreds of seeded sessions."
)
@jobs_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the figure and the table as JSON. [runs/verification]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, nothing else.")
@click.option("--no-plots", is_flag=True, help="Write no figure.")
@click.option("--misses", "only_misses", is_flag=True, help="Of the rows, print those that miss.")
def verify_command(
    studies: tuple[str, ...],
    repeated: bool,
    jobs: int | None,
    out: Path | None,
    as_json: bool,
    no_plots: bool,
    only_misses: bool,
) -> int:
    """Hold the program against closed forms and published measurements, on this machine.

    STUDY: a published case (`apheresis list published`) or a file of one's own; without any, all.
    Ends with exit code 1 if a check or a gate does not hold.
    """
    folder = out or Path("runs") / FIGURE
    writes = out is not None or not no_plots
    if writes:
        run_folder.check_target(folder)
    outcome = verification.verify(
        studies,
        repeated=repeated,
        jobs=jobs,
        progress=progress_of("runs"),
        engine=None if studies else _engine(),
    )
    if as_json:
        click.echo(run_folder.as_json(outcome.summary()), nl=False)
    else:
        _show(outcome, only_misses=only_misses)
    if writes:
        _write(outcome, folder, plots=not no_plots)
    return 0 if outcome.holds else FAILED


def _write(outcome: Verification, folder: Path, *, plots: bool) -> None:
    """The table as data and, unless it is not wanted, the figure."""
    files = {f"{FIGURE}.json": run_folder.as_json(outcome.summary()).encode("utf-8")}
    if plots:
        from simulator import figures

        files[f"{FIGURE}.png"] = figures.rendered(figures.verification(outcome.verdicts), "png")
    with run_folder.replaced(folder) as place:
        for name, content in files.items():
            (place / name).write_bytes(content)
    click.echo(f"Written to {folder}/", err=True)


def _engine() -> Check | None:
    """The main scenario, exported and run by libRoadRunner, if that is installed."""
    from simulator.export import engine

    if not engine.installed():
        click.echo(
            "libRoadRunner is not installed, so that no independent engine is asked; "
            "pip install 'apheresis-simulator[sbml]' libroadrunner",
            err=True,
        )
        return None
    try:
        levels = engine.final_levels(scenario.load(IN_BOTH_ENGINES))
        off = max(abs(there / here - 1) for here, there in levels.values())
    except RuntimeError as error:
        click.echo(f"libRoadRunner could not run {IN_BOTH_ENGINES}: {error}", err=True)
        off = math.nan  # which holds for no tolerance
    law = f"{IN_BOTH_ENGINES} as SBML in libRoadRunner: the same levels at the end"
    return Check(law, 0.0, off, AGREEMENT)


def _show(outcome: Verification, *, only_misses: bool) -> None:
    tables.show(tables.grid("Closed forms, conservation, engines", CHECKED, _checks(outcome)))
    rows = [v for v in outcome.verdicts if not only_misses or v.met is False]
    if rows:
        tables.show(tables.grid("Published cases", PUBLISHED, _rows(rows)))
    missed = list(wording.misses(rows))
    if missed:
        click.echo("Misses, and their likely causes")
    for v, cause in missed:
        for line in tables.wrapped(wording.miss(v, cause)):
            click.echo(line)
    click.echo()
    for line in wording.summary(outcome):
        click.echo(line)
    click.echo(tables.NOT_CLINICAL)


CHECKED = {"law": "left", "expected": "right", "found": "right", "off by": "right", "": "right"}
PUBLISHED = {
    "quantity": "left",
    "class": "right",
    "measured": "right",
    "simulated": "right",
    "verdict": "right",
}


def _checks(outcome: Verification) -> Iterator[tuple[str, ...]]:
    for check in outcome.checks:
        yield (
            check.law,
            tables.number(check.expected, 6),
            tables.number(check.found, 6),
            f"{check.error:.0e}",
            "ok" if check.met else f"FAILS, more than {check.tolerance:.0e}",
        )


def _rows(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, ...]]:
    """Rows of the table: a line for each study, then one for each of its quantities."""
    study = ""
    for v in verdicts:
        if v.case.file != study:
            study = v.case.file
            yield (f"{v.case.study}, {v.case.seen}", "", "", "", "")
        n = wording.counted(v)
        yield (
            f"  {v.row.quantity}" + (f" (n {n})" if n else ""),
            v.row.kind,
            wording.measured(v),
            wording.simulated(v),
            v.word.upper() if v.met is False and v.row.kind in ("gate", "trend") else v.word,
        )
