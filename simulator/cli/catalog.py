"""``apheresis list`` and ``apheresis show``: what the program knows, and from where."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from enum import Enum, IntEnum

import click

from simulator import catalog, citations, provenance, scenario, tables
from simulator.errors import CommandError
from simulator.machine.alarms import ALARMS, BY_ACTION, FAULTS, OPERATOR_ACTIONS, Alarm
from simulator.provenance import Entry, Standing
from simulator.scenario import faults

KINDS = (
    *("scenarios", "devices", "solutes", "fluids", "access", "operators", "reactions"),
    *("references", "published", "outcomes", "rules", "faults", "alarms", "actions", "lessons"),
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
    for one in [kind] if kind else KINDS:
        tables.show(tables.names(one.capitalize(), _entries(one)))


@click.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Show by NAME what `apheresis list` lists: a scenario, a device, a fault, a reference…"""
    if name in KINDS:
        tables.show(tables.names(name.capitalize(), _entries(name)))
        return
    for kind in catalog.KINDS:
        if name in catalog.names(kind):
            entry = _load(kind, name)
            title = "\n".join([f"{name}: {entry.title}", *_words(kind, entry)])
            for line in citations.facts(title, entry.facts.values()):
                click.echo(line)
            return
    if name in catalog.references():
        reference = catalog.references()[name]
        click.echo(f"{name}: {citations.cited(reference)}")
        if reference.note:
            click.echo(f"    seen: {reference.note}")
        for line in citations.standing_in_full(_standings()[name]):
            click.echo(line)
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
    """Names of a kind, each with a line or two about it."""
    listed: dict[str, Callable[[], dict[str, str]]] = {
        "scenarios": scenario.bundled,
        "references": _references,
        "published": _published,
        "outcomes": _outcomes,
        "rules": lambda: RULES,
        "faults": _faults,
        "actions": _actions,
        "lessons": _lessons,
        "alarms": lambda: {alarm.name: alarm.meaning for alarm in ALARMS},
    }
    return listed[kind]() if kind in listed else _catalog_entries(kind)


def _catalog_entries(kind: str) -> dict[str, str]:
    own = catalog.own_names(kind)
    lines = {}
    for name in catalog.names(kind):
        entry = _load(kind, name)
        machine = f"{catalog.machine_kind(entry)}: " if isinstance(entry, catalog.Device) else ""
        lines[name] = f"{machine}{entry.title}{' (your own)' if name in own else ''}"
    return lines


def _references() -> dict[str, str]:
    known = catalog.references()
    return {
        key: f"{citations.cited(known[key])}\n{citations.standing_of(standing)}"
        for key, standing in _standings().items()
    }


def _published() -> dict[str, str]:
    """Titles of the published cases that `apheresis verify` runs."""
    from simulator.evidence import cases

    return {name: cases.said(name, "title") for name in cases.names()}


def _outcomes() -> dict[str, str]:
    """What `apheresis audit --outcome` and published cases can read from a run."""
    from simulator import endpoints

    return {
        f"{name} SOLUTE" if outcome.of_solute else name: outcome.words
        for name, outcome in endpoints.KINDS.items()
    }


def _faults() -> dict[str, str]:
    alarms = {alarm.fault: _fault_line(alarm) for alarm in ALARMS}
    return {
        fault: alarms.get(fault) or f"the patient reacts: {_load('reactions', fault).title}"
        for fault in FAULTS
    }


def _actions() -> dict[str, str]:
    """What an event can let the operator do."""
    answers = {name: f"answers {alarm.name}: {alarm.meaning}" for name, alarm in BY_ACTION.items()}
    general = {
        "acknowledge": "acknowledges all alarms; what still has a cause stays",
        "hold": "holds the pumps, until `resume`",
        "resume": "lets the pumps go on",
        "end-session": "ends the session before its target, and rinses back",
    }
    return {name: general.get(name) or answers[name] for name in OPERATOR_ACTIONS}


def _lessons() -> dict[str, str]:
    """Titles of the lessons that `apheresis teach` offers."""
    from simulator import lessons

    return {name: lessons.load(name).title for name in lessons.names()}


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
    entry = provenance.LOAD[kind](name)
    if isinstance(entry, catalog.Device):
        faults.check(entry)
    return entry


def _standings() -> dict[str, Standing]:
    """What each entry of the bibliography stands behind, published cases and scenarios too."""
    from simulator.evidence import cases

    published: dict[str, list[str]] = {}
    for name in cases.names():
        published.setdefault(cases.said(name, "study"), []).append(name)
    named = {name: scenario.load(name).references for name in scenario.bundled_names()}
    return provenance.standings(published, named)


def _nearest(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else "see: apheresis list"
