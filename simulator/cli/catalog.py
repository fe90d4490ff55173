"""``apheresis list`` and ``apheresis show``: what the program knows, and from where."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from simulator import catalog, scenario, tables
from simulator.catalog import Fact
from simulator.errors import CommandError
from simulator.machine.alarms import ALARMS

Entry = catalog.Device | catalog.Solute | catalog.Fluid | catalog.Access

KINDS = ("scenarios", "devices", "solutes", "fluids", "access", "references", "rules", "faults")

RULES = {
    "when": "<name> < | > | <= | >= <quantity>; a solute followed, hematocrit, "
    "ionized_calcium, plasma_volume or blood_volume",
    "do: replace-with": "give `fluid` as the whole replacement of this session",
    "do: delay": "draw another sample after `by`; later sessions move along",
    "do: skip": "leave this session out",
    "do: stop": "end the course",
}


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def list_command(kind: str | None) -> None:
    """List what is known of a KIND; without one, of every kind."""
    console = tables.console()
    for one in [kind] if kind else KINDS:
        console.print(tables.names(one.capitalize(), _entries(one)))


@click.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Show a scenario, device, solute, fluid, access or reference by NAME."""
    for kind in catalog.KINDS:
        if name in catalog.names(kind):
            entry = _load(kind, name)
            for line in tables.facts(f"{name}: {entry.title}", entry.facts.values()):
                click.echo(line)
            return
    if name in catalog.references():
        click.echo(f"{name}: {tables.cited(catalog.references()[name])}")
        for fact in _all_facts():
            if fact.source == name:
                click.echo(f"    {fact.path} = {fact.value} [{fact.seen}] {fact.at}".rstrip())
        return
    if name in scenario.bundled_names():
        click.echo(scenario.text_of(name), nl=False)
        return
    known = [n for kind in KINDS[:6] for n in _entries(kind)]
    raise CommandError(f"nothing is called {name!r}; {_nearest(name, known)}")


def _entries(kind: str) -> dict[str, str]:
    if kind == "scenarios":
        return scenario.bundled()
    if kind == "references":
        return {key: tables.cited(ref) for key, ref in catalog.references().items()}
    if kind == "rules":
        return RULES
    if kind == "faults":
        return {alarm.fault: f"{alarm.name}: {alarm.meaning}" for alarm in ALARMS}
    return {name: _load(kind, name).title for name in catalog.names(kind)}


def _load(kind: str, name: str) -> Entry:
    load: dict[str, Callable[[str], Entry]] = {
        "devices": catalog.device,
        "solutes": catalog.solute,
        "fluids": catalog.fluid,
        "access": catalog.access,
    }
    return load[kind](name)


def _all_facts() -> Iterator[Fact]:
    for kind in catalog.KINDS:
        for name in catalog.names(kind):
            yield from _load(kind, name).facts.values()


def _nearest(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else "see: apheresis list"
