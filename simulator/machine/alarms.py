"""What stops the pumps: one row per alarm. Alarms hold or end a session; they never set a pump."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that stops all pumps until it is cleared."""

    name: str
    """What the machine announces."""
    fault: str
    """What is wrong: the name by which a scenario injects it."""
    meaning: str
    """What the operator is told."""
    usual: float
    """min until an operator has cleared it, where the scenario does not say [assumed]."""


ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "access-pressure-low", "access-occlusion",
        "the access does not deliver the blood that the inlet pump asks for", usual=2.0,
    ),
    Alarm(
        "return-pressure-high", "return-occlusion",
        "the return line is blocked", usual=2.0,
    ),
    Alarm(
        "air-in-return", "air-in-return",
        "air below the return reservoir; the return clamp is shut", usual=3.0,
    ),
    Alarm(
        "replacement-empty", "replacement-bottle-empty",
        "no replacement fluid; a new bottle is needed", usual=0.75,
    ),
    Alarm(
        "anticoagulant-empty", "anticoagulant-bag-empty",
        "no anticoagulant; a new bag is needed", usual=0.75,
    ),
    Alarm(
        "waste-bag-full", "waste-bag-full",
        "the waste bag is full; a new bag is needed", usual=0.75,
    ),
    Alarm(
        "power-failure", "power-failure",
        "no mains power; the machine waits with clamps shut", usual=1.0,
    ),
)  # fmt: skip

BY_FAULT: dict[str, Alarm] = {alarm.fault: alarm for alarm in ALARMS}
FAULTS: tuple[str, ...] = tuple(BY_FAULT)
