"""Every fluid that the run of a scenario can give, whoever asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from simulator import catalog
from simulator.machine.control import REFERENCE_ANTICOAGULANT
from simulator.machine.staff import ANSWERS
from simulator.orders import SALINE
from simulator.scenario.model import Fault, FluidDose, Scenario, Setting


def fluids_of(scenario: Scenario) -> Iterator[catalog.Fluid]:
    """Every fluid that the run can give, in the order in which it may use them."""
    machine = scenario.machine
    if machine is not None:
        yield machine.anticoagulant
        if not machine.anticoagulant.citrate:
            yield catalog.fluid(REFERENCE_ANTICOAGULANT)
        if machine.prime is not None:
            yield machine.prime
        if machine.rinseback and not isinstance(machine.device.separator, catalog.BowlFacts):
            yield catalog.fluid(SALINE)
        yield from _given_by_staff(scenario)
    for session in scenario.sessions:
        yield from (r.fluid for r in session.prescription.replacement)
        if session.prescription.calcium is not None:
            yield session.prescription.calcium.fluid
    yield from (rule.fluid for rule in scenario.rules if rule.fluid is not None)
    for event in scenario.events:
        if isinstance(event, FluidDose):
            yield event.fluid
        elif isinstance(event, Setting) and isinstance(event.value, catalog.Fluid):
            yield event.value


def reactions_of(scenario: Scenario) -> tuple[str, ...]:
    """Reactions whose hazards the run can ask for."""
    typical = scenario.machine is not None and scenario.machine.disturbances == "typical"
    return catalog.names("reactions") if typical else ()


def _given_by_staff(scenario: Scenario) -> Iterator[catalog.Fluid]:
    """Fluids that answer a reaction, where one can happen."""
    stated = {event.fault for event in scenario.events if isinstance(event, Fault)}
    for name in sorted({*reactions_of(scenario), *stated} & set(ANSWERS)):
        yield from (catalog.fluid(answer.fluid) for answer in ANSWERS[name] if answer.fluid)
