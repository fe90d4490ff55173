"""``apheresis verify``: closed forms, conservation and published cases, made anew here and now."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from simulator import run_folder, scenario, tables
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
@click.option("--jobs", type=click.IntRange(min=1), help="Processes. [one per processor]")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the figure and the table. [runs/verification]",
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
    if not no_plots:
        run_folder.check_target(folder)
    outcome = verification.verify(
        studies,
        repeated=repeated,
        jobs=jobs,
        progress=_progress if sys.stderr.isatty() else None,
        engine=None if studies else _engine(),
    )
    if as_json:
        click.echo(run_folder.as_json(outcome.summary()), nl=False)
    else:
        _show(outcome, only_misses=only_misses)
    if not no_plots:
        from simulator import figures

        picture = figures.rendered(figures.verification(outcome), "png")
        with run_folder.replaced(folder) as place:
            (place / f"{FIGURE}.png").write_bytes(picture)
            (place / f"{FIGURE}.json").write_text(run_folder.as_json(outcome.summary()))
        click.echo(f"Written to {folder}/", err=True)
    return 0 if outcome.holds else FAILED


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
    levels = engine.final_levels(scenario.load(IN_BOTH_ENGINES))
    return Check(
        f"{IN_BOTH_ENGINES} as SBML in libRoadRunner: the same levels at the end",
        0.0,
        max(abs(there / here - 1) for here, there in levels.values()),
        AGREEMENT,
    )


def _progress(done: int, of: int) -> None:
    """A line that is written over, for somebody who watches."""
    click.echo(f"\r{done} of {of} runs", nl=done == of, err=True)


def _show(outcome: Verification, *, only_misses: bool) -> None:
    console = tables.console()
    console.print(tables.grid("Closed forms, conservation, engines", CHECKED, _checks(outcome)))
    rows = [v for v in outcome.verdicts if not only_misses or v.met is False]
    if rows:
        console.print(tables.grid("Published cases", PUBLISHED, _rows(rows)))
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
