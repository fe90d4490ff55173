"""What can be done to a run from the page: settings, faults, actions, fluids; `Offer` there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator import catalog
from simulator.machine.alarms import (
    ACKNOWLEDGE,
    ALARMS,
    BY_ACTION,
    BY_FAULT,
    END_SESSION,
    HOLD,
    REACTIONS,
    RESUME,
    Priority,
)
from simulator.orders import MachineSettings
from simulator.scenario import faults
from simulator.scenario.model import Scenario

BY_HAND = ("saline", "albumin-5", "calcium-gluconate-10", "fresh-frozen-plasma")
"""Fluids that a nurse gives by hand; they come before the others of the catalog."""
GENERAL = {
    ACKNOWLEDGE: "Acknowledge the alarms",
    HOLD: "Hold the pumps",
    RESUME: "Let the pumps go on",
    END_SESSION: "End the session and rinse back",
}


def offered(scenario: Scenario) -> dict[str, Any]:
    """All that staff, misfortune and an instructor can do to a run of this scenario."""
    machine = scenario.machine
    kind = catalog.separator_kind(machine.device) if machine else ""
    possible = faults.possible(machine.device) if machine else ()
    return {
        "settings": list(_settings(scenario, machine)) if machine else [],
        "faults": [
            *(
                {"name": name, "title": _title(name), "meaning": BY_FAULT[name].meaning,
                 "of": "machine"}
                for name in possible
            ),
            *(
                {"name": name, "title": _title(name), "meaning": catalog.reaction(name).title,
                 "of": "patient"}
                for name in (REACTIONS if machine else ())
            ),
        ],
        "actions": [
            *({"name": name, "title": title, "alarm": ""} for name, title in GENERAL.items()),
            *(
                {"name": name, "title": _title(name), "alarm": alarm.name}
                for name, alarm in BY_ACTION.items()
                if kind in (alarm.only or (kind,))
            ),
        ],
        "alarms": [
            {
                "name": alarm.name,
                "meaning": alarm.meaning,
                "priority": "stop" if alarm.priority <= Priority.STOP else "caution",
                "action": alarm.action,
            }
            for alarm in ALARMS
        ],
        "fluids": [*_fluids(), *_drugs(scenario)],
    }  # fmt: skip


def _settings(scenario: Scenario, machine: MachineSettings) -> Iterator[dict[str, Any]]:
    """Each in the unit in which it is typed, with the limits of this machine."""
    device, access = machine.device, machine.access
    most = min(device.inlet_flow_max, access.inlet_flow_max)
    yield _number("machine.inlet_flow", "Inlet flow", "mL/min", device.inlet_flow_min, most, 5)
    if not machine.anticoagulant.activity:
        yield _number(
            "machine.anticoagulant.ratio", "Inlet : anticoagulant ratio", "",
            device.anticoagulant_ratio_min, device.anticoagulant_ratio_max, 0.5,
        )  # fmt: skip
    if catalog.separator_kind(device) == "membrane":
        yield _number("machine.plasma_flow", "Plasma flow", "mL/min", 1, most, 1)
    yield _number("prescription.exchange", "Plasma to exchange", "mL", 1, 20_000, 100)
    yield _number("prescription.fluid_balance", "Fluid balance", "%", 0, 200, 5)
    if any(session.prescription.calcium for session in scenario.sessions):
        yield _number("prescription.calcium.rate", "Calcium solution", "mL/h", 0, 1000, 2)
    if any(session.prescription.replacement for session in scenario.sessions):
        choices = [fluid["name"] for fluid in _fluids()]
        yield {
            "path": "prescription.replacement", "title": "Replacement fluid", "unit": "",
            "choices": choices, "from": None, "to": None, "step": None,
        }  # fmt: skip


def _number(
    path: str, title: str, unit: str, low: float, high: float, step: float
) -> dict[str, Any]:
    return {
        "path": path, "title": title, "unit": unit, "choices": None,
        "from": low, "to": high, "step": step,
    }  # fmt: skip


def _fluids() -> list[dict[str, str]]:
    """Fluids that a patient can be given: those of every day first."""
    known = [*BY_HAND, *(name for name in catalog.names("fluids") if name not in BY_HAND)]
    entries = [catalog.fluid(name) for name in known]
    return [{"name": f.name, "title": f.title, "unit": "mL"} for f in entries if not f.activity]


def _drugs(scenario: Scenario) -> list[dict[str, str]]:
    """What the scenario follows and can be given: what it makes up itself, and IgG (IVIg)."""
    usual = catalog.names("solutes")
    return [
        {"name": name, "title": followed.kinetics.title, "unit": followed.kinetics.mass_unit}
        for name, followed in scenario.solutes.items()
        if name not in usual or name == "igg"
    ]


def _title(name: str) -> str:
    words = name.replace("-", " ")
    return words[:1].upper() + words[1:]
