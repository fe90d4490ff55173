"""From what is written to what is run: catalog, defaults, and what must agree with what.

Every part is read even if another one is wrong, so that all problems are told at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from simulator import catalog
from simulator.errors import Problem
from simulator.orders import SALINE, MachineSettings, PatientDescription, Sex
from simulator.scenario import course, limits, shape, sweep, treatment
from simulator.scenario import format as written
from simulator.scenario.entries import Entries
from simulator.scenario.events import Setup, events
from simulator.scenario.model import PlannedSession, Scenario
from simulator.scenario.report import Report, near, number, shown
from simulator.scenario.rules import rules
from simulator.scenario.solutes import followed
from simulator.scenario.tree import Node, assign
from simulator.scenario.written import usable
from simulator.units import MINUTES_PER_DAY, Quantity, parse

AFTER_LAST_SESSION = course.WEEK
"""min; how long a run goes on by default."""

MAX_ROWS = 1_000_000


def resolve(
    tree: Node, name: str, problems: Iterable[Problem] = (), *, documented: bool = True
) -> Scenario:
    """The scenario that a tree writes. `name` is its name where it gives none itself.

    `problems` are those found on the way to the tree. Raises `ScenarioError` with all of them.
    Without `documented` the scenario does not hold the resolved file.
    """
    tree = _with_named_solutes(tree)
    report = Report(tree, problems)
    scenario = _scenario(tree, name, report, documented=documented)
    report.finish()
    return scenario


def _scenario(tree: Node, name: str, report: Report, *, documented: bool = True) -> Scenario:
    """The scenario, as far as it can be read; what is wrong stands in the report."""
    document = shape.read(tree.plain(), report)
    patient = _patient(document.patient or written.Patient())
    solutes = followed(document, report)
    entries = Entries(report, {key: solute.kinetics.unit for key, solute in solutes.items()})
    planned = course.count(document.course)
    machine = _machine(document, planned, entries)
    main = _prescription(document, planned, entries)
    sessions = _sessions(document, main, entries)
    simulation = document.simulation or written.Simulation()
    until = _until(simulation, sessions)
    _check_rows(simulation, until, report)
    happenings = events(
        document,
        Setup(
            solutes=solutes,
            sessions=planned,
            until=until.canonical,
            machine=machine,
            calcium=main.calcium if main else None,
            weight=patient.weight,
        ),
        entries,
    )
    decisions = rules(document, solutes, entries)
    _check_references(document, report)
    if document.sweep is not None:
        sweep.check(document.sweep, tree, report, _problems_of)
    seed = 1 if simulation.seed is None else simulation.seed
    intervals = {
        key: quantity.canonical
        for key in ("output_interval", "session_output_interval")
        if (quantity := getattr(simulation, key)) is not None
    }
    scenario = Scenario(
        name=document.name or name,
        title=document.title or document.name or name,
        patient=patient,
        solutes=solutes,
        sessions=sessions,
        machine=machine if sessions else None,
        events=happenings,
        rules=decisions,
        until=until.canonical,
        seed=seed,
        operator=treatment.operator(document.operator, machine),
        sees_to=treatment.sees_to(document.operator),
        description=document.description or "",
        references=tuple(document.references or ()),
        **intervals,
    )
    if report.problems or not documented:
        return scenario
    whole = _document(tree, scenario, machine, until)
    own = catalog.own_content(_words(whole))
    return dataclasses.replace(scenario, document=whole, own_entries=own)


def _with_named_solutes(tree: Node) -> Node:
    """``igm:`` with nothing behind it means ``igm: {}``: followed as the catalog has it."""
    solutes = tree.child("solutes")
    if solutes is None or not isinstance(solutes.value, dict):
        return tree
    named = {
        name: Node({}, node.mark, node.key) if node.value is None else node
        for name, node in solutes.value.items()
    }
    return assign(tree, ("solutes",), Node(named, solutes.mark, solutes.key))


def _problems_of(tree: Node) -> list[Problem]:
    """What is wrong with a tree, without making a scenario of it."""
    report = Report(tree)
    _scenario(tree, "trial", report)
    return report.problems


def _patient(model: written.Patient) -> PatientDescription:
    """Who is treated. Where something needed is missing, which has been reported, a stand-in."""
    volume = model.blood_volume or written.BloodVolume()
    numbers: dict[str, Quantity | None] = {
        "plasma_volume": model.plasma_volume,
        "blood_volume": volume.value,
        "f_cell_ratio": volume.f_cell_ratio,
        "citrate_clearance": model.citrate_clearance,
    }
    said: dict[str, Any] = {key: q.canonical for key, q in numbers.items() if q is not None}
    if model.age is not None:
        said["age"] = model.age.to("y")
    if model.ionized_calcium is not None:
        said["ionized_calcium"] = model.ionized_calcium.to("mmol/L")
    if volume.method is not None:
        said["blood_volume_method"] = volume.method
    if model.fluid_shift is not None:
        said["fluid_shift"] = cast("Literal['starling', 'none']", model.fluid_shift)
    return PatientDescription(
        sex=cast("Sex", model.sex or "female"),
        weight=model.weight.to("kg") if model.weight else 70.0,
        height=model.height.canonical if model.height else 1.7,
        hematocrit=model.hematocrit.canonical if model.hematocrit else 0.4,
        **said,
    )


def _machine(document: written.Document, planned: int, entries: Entries) -> MachineSettings | None:
    if document.machine is None and (planned == 0 or entries.report.touches(("machine",))):
        return None
    return treatment.machine(document.machine or written.Machine(), entries)


def _prescription(
    document: written.Document, planned: int, entries: Entries
) -> treatment.Prescribed | None:
    """The main prescription; with sessions to come it must be whole."""
    report, model = entries.report, document.prescription
    if model is None:
        if planned:
            report.missing(
                ("prescription",), "what a session is to do, its exchange and replacement"
            )
        return None
    if planned:
        if model.exchange is None:
            report.missing(("prescription", "exchange"), limits.EXCHANGE.expectation())
        if model.replacement is None:
            report.missing(
                ("prescription", "replacement"),
                "a list of fluids, such as [{fluid: albumin-5, share: 100 %}]",
            )
    return treatment.prescribed(model, ("prescription",), entries)


def _sessions(
    document: written.Document, main: treatment.Prescribed | None, entries: Entries
) -> tuple[PlannedSession, ...]:
    if document.course is None:
        entries.report.missing(
            ("course",),
            "a plan, such as {sessions: 5, every: 2 d}; {sessions: 0} runs no machine",
        )
        return ()
    return course.sessions(document.course, main, entries)


def _until(simulation: written.Simulation, sessions: tuple[PlannedSession, ...]) -> Quantity:
    """The end of the run; read back from the text it is written as, so that both agree."""
    if simulation.until is not None:
        return simulation.until
    last = sessions[-1].at if sessions else 0.0
    return parse(f"{number((last + AFTER_LAST_SESSION) / MINUTES_PER_DAY)} d")


def _check_rows(simulation: written.Simulation, until: Quantity, report: Report) -> None:
    interval = simulation.output_interval
    if interval is not None and until.canonical / interval.canonical > MAX_ROWS:
        rows = int(until.canonical / interval.canonical)
        report.add(
            ("simulation", "output_interval"),
            f"would write {rows} rows until the end of the run; at most {MAX_ROWS} are possible",
        )


def _check_references(document: written.Document, report: Report) -> None:
    for place, key in usable(document.references):
        known = catalog.reference_keys()
        if key not in known:
            hint = near(key, known) or "; `apheresis list references` shows all"
            report.add(("references", place), f"{shown(key)} is not in the bibliography{hint}")


def _document(
    tree: Node, scenario: Scenario, machine: MachineSettings | None, until: Quantity
) -> dict[str, Any]:
    """The file as it would be if it had said everything itself, in the order of the format."""
    content: dict[str, Any] = tree.plain()
    content["name"] = scenario.name
    content.setdefault("title", scenario.title)
    _patient_defaults(content["patient"], scenario.patient)
    if machine is not None:
        _machine_defaults(content.setdefault("machine", {}), machine)
    if scenario.operator is not None:
        for key, value in treatment.operator_defaults().items():
            content.setdefault("operator", {}).setdefault(key, value)
    if "prescription" in content:
        content["prescription"].setdefault("fluid_balance", "100 %")
    simulation = content.setdefault("simulation", {})
    simulation.setdefault("until", f"{number(until.value)} {until.unit.text}")
    simulation["seed"] = scenario.seed
    for key in ("output_interval", "session_output_interval"):
        simulation.setdefault(key, f"{number(getattr(scenario, key))} min")
    return shape.in_order(content)


def _words(content: Any) -> Iterator[str]:
    """Every key and every text of a document."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield str(key)
            yield from _words(value)
    elif isinstance(content, Sequence):
        for value in content:
            yield from _words(value)


def _patient_defaults(content: dict[str, Any], patient: PatientDescription) -> None:
    volume = content.setdefault("blood_volume", {})
    if "value" not in volume:
        volume.setdefault("method", patient.blood_volume_method)
    volume.setdefault("f_cell_ratio", patient.f_cell_ratio)
    content.setdefault("ionized_calcium", f"{number(patient.ionized_calcium)} mmol/L")
    content.setdefault("citrate_clearance", f"{number(100 * patient.citrate_clearance)} %")
    content.setdefault("fluid_shift", patient.fluid_shift)


def _machine_defaults(content: dict[str, Any], machine: MachineSettings) -> None:
    content.setdefault("device", machine.device.name)
    content.setdefault("access", machine.access.name)
    content.setdefault("inlet_flow", f"{number(machine.inlet_flow)} mL/min")
    anticoagulant = content.setdefault("anticoagulant", {})
    anticoagulant.setdefault("fluid", machine.anticoagulant.name)
    if machine.anticoagulant.activity:
        rate, bolus = treatment.heparin_doses(machine.device)
        anticoagulant.setdefault("rate", rate)
        anticoagulant.setdefault("bolus", bolus)
    else:
        anticoagulant.setdefault("ratio", machine.anticoagulant_ratio)
    content.setdefault("disturbances", machine.disturbances)
    content.setdefault("prime", SALINE)
    content["rinseback"] = machine.rinseback
    content.setdefault("needles", machine.needles)
