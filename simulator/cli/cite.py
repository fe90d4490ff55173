"""``apheresis cite``: which source stands behind which number of a run."""

from __future__ import annotations

import click

from simulator import catalog, citations, provenance, scenario
from simulator.cli.options import scenarios_argument, set_option
from simulator.constants import CONSTANTS


@click.command("cite")
@scenarios_argument("source", nargs=1)
@set_option
def cite_command(source: str, overrides: tuple[str, ...]) -> None:
    """Print the bibliography of a run: each source, and what is taken from it."""
    loaded = scenario.load(source, overrides)
    titles = {constant.path: constant.title for constant in CONSTANTS}
    uses = provenance.sources_of(loaded)
    for line in citations.bibliography(uses, catalog.references(), titles):
        click.echo(line)
    assumed = provenance.assumptions_of(loaded)
    click.echo(f"\nAssumed, without a source ({len(assumed)}):")
    for fact in assumed:
        click.echo(f"    {fact.path} = {fact.value}: {fact.note}")
