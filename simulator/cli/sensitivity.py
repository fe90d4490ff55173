"""``apheresis sensitivity``: which input of a scenario matters for an outcome, and how much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simulator import run_folder, tables
from simulator.cli.options import jobs_option, progress_of, scenarios_argument, set_option
from simulator.errors import CommandError
from simulator.sweep import sensitivity, study
from simulator.sweep.indices import METHODS
from simulator.sweep.reading import words_of
from simulator.sweep.sensitivity import Study
from simulator.terminal import Table

PICTURE = "sensitivity.png"


@click.command("sensitivity")
@scenarios_argument("source", nargs=1)
@set_option
@click.option(
    "--outcome",
    metavar="PHRASE",
    help="What is looked at, such as 'left igg @ session 5', or a column of sweeps. [the antibody "
    "at the end of the run]",
)
@click.option(
    "--over",
    multiple=True,
    metavar="PATH=SPEC",
    help="An input and its range: 'patient.weight=50 kg..110 kg', 'machine.needles=1,2', "
    "'solutes.igg.initial=normal(10 g/L, 2 g/L)'. Repeatable. [the sweep block of the scenario]",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="sobol",
    show_default=True,
    help="Shares of the variance, or a screening of the effects by fewer runs.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=2),
    help=f"Of Sobol's sequence, a power of two; runs: times inputs and two. "
    f"[{study.SAMPLES['sobol']}]",
)
@click.option(
    "--trajectories",
    type=click.IntRange(min=2),
    help=f"Of Morris' walks; runs: times inputs and one. [{study.SAMPLES['morris']}]",
)
@jobs_option
@click.option("--seed", type=click.IntRange(min=0), help="Of the points and of every run.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the table and the figure. [sensitivity/SCENARIO]",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the indices as JSON, and nothing else."
)
@click.option("--no-plots", is_flag=True, help="Draw no figure.")
def sensitivity_command(  # noqa: PLR0917 - click calls it by name
    source: str,
    overrides: tuple[str, ...],
    outcome: str | None,
    over: tuple[str, ...],
    method: str,
    samples: int | None,
    trajectories: int | None,
    jobs: int | None,
    seed: int | None,
    out: Path | None,
    as_json: bool,
    no_plots: bool,
) -> None:
    """Tell which input of a scenario matters for an outcome.

    Inputs are drawn over their ranges, the scenario is run for each draw, and the variance of the
    outcome is shared out between them (Sobol), or the effects of each are averaged (Morris).
    """
    unused = ("--trajectories", trajectories) if method == "sobol" else ("--samples", samples)
    if unused[1] is not None:
        raise CommandError(f"{unused[0]} has no meaning with --method {method}")
    inputs = study.inputs_of(source, overrides, over)
    folder = out or Path("sensitivity") / Path(source).stem
    run_folder.check_target(folder)
    found = study.study(
        source,
        inputs,
        outcome,
        method,
        samples if method == "sobol" else trajectories,
        overrides=overrides,
        seed=seed,
        jobs=jobs,
        announce=lambda words: click.echo(words, err=True),
        progress=progress_of("runs"),
    )
    data = _plain(found)
    pictures = {} if no_plots else _pictures(found)
    with run_folder.replaced(folder) as place:
        (place / "sensitivity.json").write_text(run_folder.as_json(data), encoding="utf-8")
        for name, content in pictures.items():
            (place / name).write_bytes(content)
    if as_json:
        click.echo(run_folder.as_json(data), nl=False)
        return
    tables.show(_table(found))
    tables.show(*sensitivity.in_words(found), tables.NOT_CLINICAL)
    click.echo(f"Written to {folder}/")


def _pictures(found: Study) -> dict[str, bytes]:
    if not found.varies:
        return {}
    from simulator import figures

    named = [each.named(words_of(each.name)) for each in found.indices]
    figure = figures.sensitivity(
        named, found.method, found.unit, f"What matters for {found.outcome}"
    )
    return {PICTURE: figures.rendered(figure, "png")}


def _table(found: Study) -> Table:
    """One row for each input, that which matters most first."""
    unit = f" ({found.unit})" if found.unit else ""
    table = Table(f"{found.title}: what moves {found.outcome}{unit}")
    table.column("input")
    table.column("range", most=44)
    ranges = dict(zip((e.name for e in found.indices), found.ranges, strict=True))
    if found.method == "sobol":
        for heading in ("alone\n%", "±", "in all\n%", "±"):
            table.column(heading, "right")
        table.caption = "Shares of the variance, with the half width of their 95 % intervals."
        for each in found.ranked:
            shares = (each.first, each.first_half_width, each.total, each.total_half_width or 0.0)
            cells = [f"{round(100 * share, 1) + 0.0:.1f}" for share in shares]
            table.row(each.name, ranges[each.name], *cells)
        return table
    for heading in ("µ*", "±", "σ", "mean"):
        table.column(heading, "right")
    table.caption = (
        "µ*: mean change of the outcome, up or down, from one end of the range to the other, with "
        "the half width of its 95 % interval; σ: how far that depends on where it is changed."
    )
    for each in found.ranked:
        numbers = (each.first, each.first_half_width, each.total, each.mean)
        table.row(each.name, ranges[each.name], *map(tables.number, numbers))
    return table


def _plain(found: Study) -> dict[str, Any]:
    sobol = found.method == "sobol"
    return {
        "scenario": found.title,
        "outcome": found.outcome,
        "unit": found.unit,
        "method": found.method,
        "runs": len(found.values),
        "seed": found.seed,
        "inputs": [
            {
                "path": each.name,
                "range": words,
                **(
                    {
                        "first": each.first, "first_half_width": each.first_half_width,
                        "total": each.total, "total_half_width": each.total_half_width,
                    }
                    if sobol
                    else {
                        "mu_star": each.first, "mu_star_half_width": each.first_half_width,
                        "sigma": each.total, "mu": each.mean,
                    }
                ),
            }
            for each, words in zip(found.indices, found.ranges, strict=True)
        ],
        "in_words": sensitivity.in_words(found),
    }  # fmt: skip
