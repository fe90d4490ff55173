"""A scenario as the simulation reads it: resolved, validated, frozen, in canonical units.

Canonical means mL, g, mmol, min; fractions are 0..1; concentrations of a solute are in that
solute's own unit, its amounts in its own mass unit. Text with units lives in `document` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from simulator.catalog import Fluid
from simulator.orders import Attendance as Attendance
from simulator.orders import CalciumOrder as CalciumOrder
from simulator.orders import FollowedSolute as FollowedSolute
from simulator.orders import MachineSettings as MachineSettings
from simulator.orders import PatientDescription as PatientDescription
from simulator.orders import Prescription as Prescription
from simulator.orders import Replacement as Replacement
from simulator.orders import Sex as Sex
from simulator.records import record


@record
class PlannedSession:
    """One session of the course."""

    at: float
    """min from the start of the run"""
    prescription: Prescription


@record
class Dose:
    """`amount` (in the solute's mass unit), given from `at` over `over` min (0: a bolus)."""

    at: float
    """min from the start of the run; from first contact if `session` is given."""
    solute: str
    amount: float
    over: float = 0.0
    session: int | None = None


@record
class FluidDose:
    """`volume` mL of a fluid of the catalog, given by hand over `over` min (0: at once)."""

    at: float
    """min from the start of the run; from first contact if `session` is given."""
    fluid: Fluid
    volume: float
    over: float = 0.0
    session: int | None = None


@record
class FcrnBlockade:
    """FcRn blocked by `fraction` from `at` for `duration` min."""

    at: float
    fraction: float
    duration: float


@record
class Setting:
    """`path` (dotted, as in the file) takes `value` (canonical) at a time, or within a session.

    Values: float for quantities, (number, unit) for an exchange, a `Fluid` for the replacement
    (from then on all of it is this fluid); see `scenario.events.SETTABLE`.
    """

    path: str
    value: Any
    text: str
    """The value as the user wrote it, for the log."""
    at: float
    """min from the start of the run; from first contact if `session` is given."""
    session: int | None = None


@record
class Fault:
    """Something goes wrong in a session, `at` min after first contact."""

    session: int
    at: float
    fault: str
    duration: float | None = None
    """min; None takes the usual time to clear it."""


@record
class OperatorAction:
    """The operator does something in a session, `at` min after first contact."""

    session: int
    at: float
    action: str


Event = Dose | FluidDose | FcrnBlockade | Setting | Fault | OperatorAction


@record
class Rule:
    """Looked at when a session is due, on the sample drawn just before it."""

    text: str
    quantity: str
    """A solute followed, or hematocrit, ionized_calcium, plasma_volume, blood_volume."""
    comparison: Literal["<", ">", "<=", ">="]
    threshold: float
    """In the solute's unit; canonical for the others (ionized calcium: mmol/L)."""
    action: Literal["replace-with", "stop", "skip", "delay"]
    fluid: Fluid | None = None
    delay: float = 0.0
    """min"""


@record
class Scenario:
    """One run, complete."""

    name: str
    title: str
    patient: PatientDescription
    solutes: Mapping[str, FollowedSolute]
    """In the order of the file, then albumin and igg where the file does not name them."""
    sessions: tuple[PlannedSession, ...]
    machine: MachineSettings | None
    """None when no session is planned."""
    events: tuple[Event, ...]
    rules: tuple[Rule, ...]
    until: float
    """min"""
    seed: int
    output_interval: float = 60.0
    """min between output rows outside sessions; changes no state, only how often it is written."""
    session_output_interval: float = 1.0
    """min between output rows during sessions"""
    operator: Attendance | None = None
    """None: an operator who is always there at once (the default while nothing random happens)."""
    sees_to: Literal["all", "bottles"] = "all"
    """What is seen to without an event that says so: all alarms, or only empty bottles and bags."""
    description: str = ""
    references: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The resolved file: plain data that, dumped as YAML and loaded, gives this scenario again."""
    own_entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)
    """What the user's own catalog says of the entries named in `document`, by kind and name."""
