"""``apheresis export``: a run as a model that other engines can run."""

from __future__ import annotations

from pathlib import Path

import click

from simulator import export, scenario
from simulator.cli.options import scenarios_argument, set_option
from simulator.writing import write_whole


@click.command("export")
@scenarios_argument("source", nargs=1)
@set_option
@click.option("--seed", type=click.IntRange(min=0), help="Overrides simulation.seed.")
@click.option(
    "--format", "kind", type=click.Choice(export.FORMATS), default="sbml", show_default=True,
    help="SBML needs an extra; Antimony, the same model for human eyes, needs none.",
)  # fmt: skip
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, replaced if it is there. [standard output]",
)
def export_command(
    source: str, overrides: tuple[str, ...], seed: int | None, kind: str, out: Path | None
) -> None:
    """Run SCENARIO and write its patient and all that was done to him as a model.

    The model holds the volumes and proteins of the patient, and each change of flows as an event.
    """
    text = export.exported(scenario.load(source, overrides, seed), kind)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(out, text)
        click.echo(f"Written to {out}", err=True)
