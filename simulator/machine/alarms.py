"""What can stop the pumps: one row per alarm. Alarms watch readings; they never set a pump.

`Protection` evaluates the rows and latches them, `upkeep.Upkeep` calls the operator, and the
session holds the pumps while anything that stops them is latched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any

from simulator import catalog


@dataclass(frozen=True, slots=True)
class Readings:
    """What the sensors show now: all that an alarm can know. Pressures in mmHg, volumes in mL."""

    access_pressure: float
    access_pressure_limit: float
    return_pressure: float
    return_pressure_limit: float
    replacement_left: float
    anticoagulant_left: float
    waste_room: float
    failed_draws: int
    """How often lately the access did not deliver."""
    pumps_run: bool
    flow_share: float = 1.0
    """The inlet flow that the access delivers, as a share of the one that was set."""
    air_in_return: bool = False
    red_cells_in_plasma: bool = False
    interface_seen: bool = True
    clumps_seen: bool = False
    transmembrane_pressure: float = 0.0
    transmembrane_pressure_limit: float = 100.0
    blood_in_filtrate: bool = False
    filter_open: bool = True
    mains_power: bool = True
    self_test_passed: bool = True


class Priority(IntEnum):
    """What goes first when one operator is wanted in several places."""

    PATIENT = 0
    STOP = 1
    CAUTION = 2
    ROUTINE = 3


class Response(Enum):
    """What the machine does by itself when an alarm sounds."""

    STOP = "all pumps stop"
    RETRY = "all pumps stop, then it tries again at a lower inlet flow"
    EASE = "the plasma flow is lowered by a fifth"
    REDUCE = "the plasma flow follows the hematocrit that was entered, with a margin"
    TELL = "the pumps go on as they are"


TRIES = 5
"""Failed draws in `TRIES_WITHIN` min that make the machine ask for the operator [assumed]."""
TRIES_WITHIN = 5.0
"""Time in which they count together, min [assumed]."""
LOWEST_SHARE = 0.6
"""Share of the inlet flow that was set below which it is no use to go on slower [assumed]."""
NEARLY_EMPTY = 1e-6  # mL: what rounding leaves in a bottle that has run dry


@dataclass(frozen=True, slots=True)
class Alarm:
    """One row: when it sounds, how urgent it is, what it does, and what clears it."""

    name: str
    """What the machine announces."""
    fault: str
    """What is wrong: the name by which a scenario injects it."""
    meaning: str
    """What the operator is told."""
    condition: Callable[[Readings], bool]
    reads: Mapping[str, Any] = field(default_factory=dict)
    """What the sensors show while the fault is there."""
    hold: float = 0.0
    """min for which the condition must last before the alarm sounds."""
    priority: Priority = Priority.STOP
    response: Response = Response.STOP
    action: str = ""
    """What the operator does about it; empty if it clears by itself."""
    usual: float = 0.0
    """min that this takes a free operator, where the scenario does not say [assumed]."""
    clears: str = ""
    """What makes the condition end."""
    only: tuple[str, ...] = ()
    """Kinds of separator that can have it; empty: all."""


def _reads(**shown: Any) -> Mapping[str, Any]:
    return MappingProxyType(shown)


ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "access-pressure-low", "access-occlusion",
        "the access does not deliver the blood that the inlet pump asks for",
        condition=lambda r: r.access_pressure < r.access_pressure_limit,
        reads=_reads(access_pressure=-400.0),
        hold=1 / 60, priority=Priority.CAUTION, response=Response.RETRY,
        action="straighten-the-access-line", usual=2.0, clears="a lower inlet flow, an open line",
    ),
    Alarm(
        "access-not-delivering", "access-failure",
        "tried again and again, slower and slower; the access needs the operator",
        condition=lambda r: r.failed_draws >= TRIES or r.flow_share < LOWEST_SHARE,
        reads=_reads(failed_draws=TRIES),
        action="reposition-the-access", usual=2.0, clears="needle or catheter in a better place",
    ),
    Alarm(
        "return-pressure-high", "return-occlusion",
        "the return line is blocked",
        condition=lambda r: r.return_pressure > r.return_pressure_limit,
        reads=_reads(return_pressure=500.0),
        action="open-the-return-line", usual=2.0, clears="an open return line",
    ),
    Alarm(
        "air-in-return", "air-in-return",
        "air below the return reservoir; the return clamp is shut",
        condition=lambda r: r.air_in_return,
        reads=_reads(air_in_return=True),
        action="purge-the-air", usual=3.0, clears="air removed from the return line",
    ),
    Alarm(
        "replacement-empty", "replacement-bottle-empty",
        "no replacement fluid; a new bottle is needed",
        condition=lambda r: r.replacement_left <= NEARLY_EMPTY,
        reads=_reads(replacement_left=0.0),
        action="hang-a-bottle", usual=0.75, clears="a full bottle",
    ),
    Alarm(
        "anticoagulant-empty", "anticoagulant-bag-empty",
        "no anticoagulant; a new bag is needed",
        condition=lambda r: r.anticoagulant_left <= NEARLY_EMPTY,
        reads=_reads(anticoagulant_left=0.0),
        action="hang-an-anticoagulant-bag", usual=0.75, clears="a full bag",
    ),
    Alarm(
        "waste-bag-full", "waste-bag-full",
        "the waste bag is full; a new bag is needed",
        condition=lambda r: r.waste_room <= NEARLY_EMPTY,
        reads=_reads(waste_room=0.0),
        action="change-the-waste-bag", usual=0.75, clears="an empty bag",
    ),
    Alarm(
        "red-cells-in-plasma", "red-cell-spillover",
        "the detector on the plasma line sees red cells; the interface must be found again",
        condition=lambda r: r.red_cells_in_plasma,
        reads=_reads(red_cells_in_plasma=True),
        action="re-establish-the-interface", usual=2.0, clears="clear plasma",
        only=("centrifuge", "bowl"),
    ),
    Alarm(
        "interface-not-seen", "interface-loss",
        "the interface cannot be found; the machine relies on the hematocrit that was entered",
        condition=lambda r: not r.interface_seen,
        reads=_reads(interface_seen=False),
        priority=Priority.CAUTION, response=Response.REDUCE,
        action="help-the-interface", usual=10.0, clears="a stable interface",
        only=("centrifuge",),
    ),
    Alarm(
        "transmembrane-pressure-high", "filter-fouling",
        "the fouled filter needs too high a pressure; the plasma flow is lowered",
        condition=lambda r: r.transmembrane_pressure > r.transmembrane_pressure_limit,
        reads=_reads(transmembrane_pressure=400.0),
        priority=Priority.CAUTION, response=Response.EASE,
        action="look-at-the-filter", usual=1.0, clears="a lower plasma flow", only=("membrane",),
    ),
    Alarm(
        "filter-clotted", "filter-clotting",
        "the filter lets hardly any plasma through; it is given up with the blood in it",
        condition=lambda r: not r.filter_open,
        reads=_reads(filter_open=False),
        action="give-up-the-filter", usual=3.0, clears="nothing in this session",
        only=("membrane",),
    ),
    Alarm(
        "blood-leak", "blood-leak",
        "the detector on the plasma line sees blood: a fiber is torn",
        condition=lambda r: r.blood_in_filtrate,
        reads=_reads(blood_in_filtrate=True),
        action="give-up-the-torn-filter", usual=3.0, clears="nothing in this session",
        only=("membrane",),
    ),
    Alarm(
        "clumps-in-channel", "clotting",
        "clumps in the channel; more anticoagulant is needed",
        condition=lambda r: r.clumps_seen,
        reads=_reads(clumps_seen=True),
        action="raise-the-anticoagulant", usual=3.0, clears="a clear channel",
        only=("centrifuge", "bowl"),
    ),
    Alarm(
        "power-failure", "power-failure",
        "no mains power; the machine waits with clamps shut",
        condition=lambda r: not r.mains_power,
        reads=_reads(mains_power=False),
        action="restore-the-power", usual=1.0, clears="mains power",
    ),
    Alarm(
        "self-test-failed", "device-failure",
        "the machine has failed and cannot go on",
        condition=lambda r: not r.self_test_passed,
        reads=_reads(self_test_passed=False),
        action="give-up-the-machine", usual=3.0, clears="nothing in this session",
    ),
    Alarm(
        "pumps-stopped", "pumps-left-standing",
        "the pumps have stood still for a minute; blood that stands clots",
        condition=lambda r: not r.pumps_run,
        reads=_reads(pumps_run=False),
        hold=1.0, priority=Priority.CAUTION, response=Response.TELL, clears="running pumps",
    ),
)  # fmt: skip

BY_FAULT: dict[str, Alarm] = {alarm.fault: alarm for alarm in ALARMS if alarm.action}
"""The faults that can be injected; an advisory without an action follows from others."""
BY_ACTION: dict[str, Alarm] = {alarm.action: alarm for alarm in ALARMS if alarm.action}
"""What an operator does about an alarm, by the name of what he does."""
ACKNOWLEDGE, HOLD, RESUME, END_SESSION = "acknowledge", "hold", "resume", "end-session"
OPERATOR_ACTIONS: tuple[str, ...] = (ACKNOWLEDGE, HOLD, RESUME, END_SESSION, *BY_ACTION)
"""All that a scenario can let the operator do by name."""
CONTAINERS = ("replacement-empty", "anticoagulant-empty", "waste-bag-full")
"""Alarms that a new bottle or bag answers."""
SPOILING = ("filter-clotting", "blood-leak")
"""Faults that end a session with the blood in the circuit lost."""
ENDING = (*SPOILING, "device-failure")
"""Faults that nobody can mend, and that do not pass, however long they are said to last."""
SEEN_TO = (*ENDING, "clotting")
"""Faults of which more comes than that they are over, when somebody has seen to them."""
REACTIONS: tuple[str, ...] = catalog.names("reactions")
FAULTS: tuple[str, ...] = (*BY_FAULT, *REACTIONS)
"""All that a scenario can let happen by name: faults of the machine, reactions of the patient."""
