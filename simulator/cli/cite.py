"""``apheresis cite``: which source stands behind which number of a run."""

from __future__ import annotations

import click

from simulator import catalog, provenance, scenario, tables
from simulator.cli.options import scenarios_argument, set_option


@click.command("cite")
@scenarios_argument("source", nargs=1)
@set_option
def cite_command(source: str, overrides: tuple[str, ...]) -> None:
    """Print the bibliography of a run: each source, and what is taken from it."""
    loaded = scenario.load(source, overrides)
    for line in tables.bibliography(provenance.sources_of(loaded), catalog.references()):
        click.echo(line)
    assumed = provenance.assumptions_of(loaded)
    click.echo(f"\nAssumed, without a source ({len(assumed)}):")
    for fact in assumed:
        click.echo(f"    {fact.path} = {fact.value}: {fact.note}")
