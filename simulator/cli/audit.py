"""``apheresis audit``: which number of a run matters most, in the light of how it was seen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import click

from simulator import audit, run_folder, tables
from simulator.audit import Audit, Row
from simulator.cli.options import jobs_option, progress_of, scenarios_argument, set_option

WIDTH = 98


@click.command("audit")
@scenarios_argument("source", nargs=1)
@set_option
@click.option(
    "--outcome",
    metavar="PHRASE",
    help="What is looked at, such as 'left igg @ before session 5'. [final level of the antibody]",
)
@click.option(
    "--top", type=click.IntRange(min=1), default=20, show_default=True, help="Rows to show."
)
@jobs_option
@click.option("--json", "as_json", is_flag=True, help="Print every row as JSON, and nothing else.")
def audit_command(
    source: str,
    overrides: tuple[str, ...],
    outcome: str | None,
    top: int,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Rank a run's numbers by what they move and how weak their evidence is.

    Each number of the catalog and of the equations is raised by a tenth, one at a time.
    """
    found = audit.audit(source, overrides, outcome, jobs, progress_of("numbers"))
    if as_json:
        click.echo(run_folder.as_json(_plain(found, top)), nl=False)
        return
    shown = found.moving[:top]
    value = f"{tables.number(found.value)} {found.unit}".rstrip()
    tables.show(
        tables.grid(
            f"{found.scenario.title}: {found.outcome} = {value}",
            {
                "#": "right", "number": "name", "value": "left", "grade": "left", "source": "name",
                "+10 %\nmoves it": "right", "weight": "right",
            },
            (_cells(place, row, found) for place, row in enumerate(shown, start=1)),
        )
    )  # fmt: skip
    for text in (*audit.in_words(found, top), "", *footer_of(found, shown)):
        for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ") or [""]:
            tables.show(line)
    tables.show(tables.NOT_CLINICAL)


def _cells(place: int, row: Row, found: Audit) -> list[str]:
    unit = "%" if found.relative else found.unit
    return [
        str(place),
        row.fact.path,
        row.fact.value,
        row.fact.seen,
        "-" if row.fact.source == "assumed" else row.fact.source,
        f"{row.effect:+.2g} {unit}".rstrip() + ("*" if row.lowered else ""),
        f"{row.weight:.2g}",
    ]


def footer_of(found: Audit, shown: tuple[Row, ...]) -> Iterator[str]:
    """How the table is to be read, and what is not in it."""
    grades = ", ".join(f"{grade} {weakness:g}" for grade, weakness in audit.WEAKNESS.items())
    yield f"Weight: what a tenth more of it moves, times the weakness of its grade ({grades})."
    if any(row.lowered for row in shown):
        yield "* Lowered by a tenth instead, since more is not possible; the sign is turned round."
    still = len(found.rows) - len(found.moving)
    yield (
        f"{len(found.moving)} numbers move it, {still} do not (the scenario states another value, "
        "or they play no part). What the scenario itself says, such as weight, levels and orders, "
        "has no grade and is not ranked. A number stands where it is written; what is like that "
        "solute or device has it from there and moves with it."
    )
    if found.unmoved:
        reasons: dict[str, list[str]] = {}
        for path, reason in found.unmoved.items():
            reasons.setdefault(reason, []).append(path)
        listed = "; ".join(f"{', '.join(paths)} ({reason})" for reason, paths in reasons.items())
        yield f"Not moved: {listed}."
    machine = found.scenario.machine
    if machine is not None and machine.disturbances == "typical":
        yield (
            f"What goes wrong is drawn from the same seed, {found.scenario.seed}, in every run: "
            "luck is held fixed, but one event more or less can still move the outcome by a step."
        )


def _plain(found: Audit, top: int) -> dict[str, Any]:
    return {
        "scenario": found.scenario.name,
        "outcome": found.outcome,
        "value": found.value,
        "unit": found.unit,
        "effect_unit": "%" if found.relative else found.unit,
        "step": audit.STEP,
        "weakness": dict(audit.WEAKNESS),
        "numbers": [
            {
                "path": row.fact.path, "value": row.fact.value, "source": row.fact.source,
                "seen": row.fact.seen, "note": row.fact.note, "effect": row.effect,
                "lowered": row.lowered, "weakness": row.weakness, "weight": row.weight,
            }
            for row in found.rows
        ],
        "not_moved": dict(found.unmoved),
        "in_words": audit.in_words(found, top),
    }  # fmt: skip
