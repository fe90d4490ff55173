"""``apheresis list`` and ``apheresis show``: what the program knows, and from where."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from enum import Enum, IntEnum

import click

from simulator import catalog, scenario, tables
from simulator.catalog import Fact
from simulator.errors import CommandError
from simulator.machine.alarms import ALARMS, FAULTS, Alarm
from simulator.scenario import faults

Entry = (
    catalog.Device
    | catalog.Solute
    | catalog.Fluid
    | catalog.Access
    | catalog.Operator
    | catalog.Reaction
)

KINDS = (
    *("scenarios", "devices", "solutes", "fluids", "access", "operators", "reactions"),
    *("references", "rules", "faults", "alarms"),
)

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
    """Show by NAME what `apheresis list` lists: a scenario, a device, a fault, a reference…"""
    if name in KINDS:
        tables.console().print(tables.names(name.capitalize(), _entries(name)))
        return
    for kind in catalog.KINDS:
        if name in catalog.names(kind):
            entry = _load(kind, name)
            title = "\n".join([f"{name}: {entry.title}", *_words(kind, entry)])
            for line in tables.facts(title, entry.facts.values()):
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
    lines = [*_rule_words(name), *_alarm_words(name)]
    if lines:
        for line in lines:
            click.echo(line)
        return
    known = [n for kind in KINDS for n in _entries(kind)]
    raise CommandError(f"nothing is called {name!r}; {_nearest(name, known)}")


def _entries(kind: str) -> dict[str, str]:
    if kind == "scenarios":
        return scenario.bundled()
    if kind == "references":
        return {key: tables.cited(ref) for key, ref in catalog.references().items()}
    if kind == "rules":
        return RULES
    if kind == "faults":
        alarms = {alarm.fault: _fault_line(alarm) for alarm in ALARMS}
        return {
            fault: alarms.get(fault) or f"the patient reacts: {_load('reactions', fault).title}"
            for fault in FAULTS
        }
    if kind == "alarms":
        return {alarm.name: alarm.meaning for alarm in ALARMS}
    own = catalog.own_names(kind)
    lines = {}
    for name in catalog.names(kind):
        entry = _load(kind, name)
        machine = f"{catalog.machine_kind(entry)}: " if isinstance(entry, catalog.Device) else ""
        lines[name] = f"{machine}{entry.title}{' (your own)' if name in own else ''}"
    return lines


def _fault_line(alarm: Alarm) -> str:
    """What happens, and to which kinds of separator if not to all."""
    only = f" ({' or '.join(alarm.only)} only)" if alarm.only else ""
    return f"{alarm.name}: {alarm.meaning}{only}"


def _words(kind: str, entry: Entry) -> Iterator[str]:
    """What an entry says in words, where it is a device; and whose it is, if not ours."""
    if isinstance(entry, catalog.Device):
        yield f"  kind of machine: {catalog.machine_kind(entry)}"
        yield f"  separator: {catalog.separator_kind(entry)}"
        yield f"  plasma: {_fate(entry)}"
        yield f"  anticoagulant: {entry.anticoagulant}"
        yield f"  needles: {_needles(entry)}"
    if entry.name in catalog.own_names(kind):
        yield f"  from: {catalog.own_file(kind, entry.name)}"


def _fate(device: catalog.Device) -> str:
    """What becomes of the separated plasma."""
    if isinstance(device.treatment, catalog.FractionatorFacts):
        return "given back after a second filter"
    if isinstance(device.treatment, catalog.AdsorberFacts):
        two = device.treatment.columns == 2
        return f"given back after {'one of two columns in turn' if two else 'a column'}"
    return "discarded"


def _needles(device: catalog.Device) -> str:
    """With how many needles a device can be used."""
    if isinstance(device.separator, catalog.BowlFacts):
        return "1"
    return "1 or 2" if device.single_needle_volume else "2"


def _rule_words(name: str) -> list[str]:
    """The line of a word that a rule is written with: `when`, `stop`, `do: stop`."""
    return [
        f"{key}: {words}" for key, words in RULES.items() if name in (key, key.removeprefix("do: "))
    ]


def _alarm_words(name: str) -> list[str]:
    """The rows of the alarms that have this name, or that this fault raises."""
    lines = []
    for alarm in ALARMS:
        if name not in (alarm.name, alarm.fault):
            continue
        lines.append(f"{alarm.name}: {alarm.meaning}")
        for part in dataclasses.fields(alarm):
            value = getattr(alarm, part.name)
            if isinstance(value, IntEnum):
                value = value.name.lower()
            elif isinstance(value, Enum):
                value = value.value
            if part.name not in ("name", "meaning") and isinstance(value, str) and value:
                lines.append(f"    {part.name}: {value}")
        lines.append(f"    happens on: {' or '.join(alarm.only) or 'every machine'}")
    return lines


def _load(kind: str, name: str) -> Entry:
    load: dict[str, Callable[[str], Entry]] = {
        "devices": catalog.device,
        "solutes": catalog.solute,
        "fluids": catalog.fluid,
        "access": catalog.access,
        "operators": catalog.operator,
        "reactions": catalog.reaction,
    }
    entry = load[kind](name)
    if isinstance(entry, catalog.Device):
        faults.check(entry)
    return entry


def _all_facts() -> Iterator[Fact]:
    for kind in catalog.KINDS:
        for name in catalog.names(kind):
            yield from _load(kind, name).facts.values()


def _nearest(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else "see: apheresis list"
