"""What a session counts, when things happened in it, and what staff can change while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.machine.pumps import Anticoagulation, PumpFlows
from simulator.orders import MachineSettings, Prescription


@dataclass(slots=True)
class Tally:
    """Volumes that the pumps have moved in this session, mL."""

    blood_processed: float = 0.0
    plasma_removed: float = 0.0
    patient_plasma_removed: float = 0.0
    plasma_processed: float = 0.0
    replacement: float = 0.0
    anticoagulant: float = 0.0
    anticoagulant_to_patient: float = 0.0
    calcium: float = 0.0
    recirculated: float = 0.0
    """Counted by the machine as patient plasma, but given just before."""
    fresh: float = 0.0
    """All fluid that the return line carried beside blood and treated plasma."""
    exchange_anticoagulant: float = 0.0
    """Anticoagulant but for what a filled circuit keeps: what the fluid balance counts."""
    treated: float = 0.0
    """Patient plasma treated and, but for what was discarded of it, given back."""
    treated_again: float = 0.0
    """Counted by the machine as plasma treated, but treated just before."""
    plasma_back: float = 0.0
    """Treated plasma given back, anticoagulant included."""
    outside_most: float = 0.0
    """Most blood, with its anticoagulant, that was outside; of a bowl, with the cycle's plasma."""
    cycles: int = 0
    """How often a bowl was filled."""

    def count(self, flows: PumpFlows, minutes: float) -> None:
        """Add what these flows move in this time."""
        self.blood_processed += flows.blood * minutes
        self.plasma_removed += flows.plasma * minutes
        self.patient_plasma_removed += flows.patient_plasma * minutes
        self.plasma_processed += flows.plasma_processed * minutes
        self.replacement += flows.replacement * minutes
        self.anticoagulant += flows.anticoagulant * minutes
        self.calcium += flows.calcium * minutes
        self.recirculated += flows.recirculated * minutes
        self.treated += flows.treated * minutes
        self.treated_again += flows.treated_again * minutes
        self.plasma_back += flows.plasma_back * minutes
        self.fresh += flows.fresh * minutes
        reaches = 1 - flows.share_recirculated
        self.anticoagulant_to_patient += reaches * flows.anticoagulant_returned * minutes
        balanced = flows.anticoagulant - flows.anticoagulant_kept + flows.anticoagulant_released
        self.exchange_anticoagulant += balanced * minutes

    @property
    def share_recirculated(self) -> float:
        """Of the fluid given, the share that was drawn again and went to waste."""
        return self.recirculated / self.fresh if self.recirculated else 0.0

    @property
    def dose(self) -> float:
        """What the machine counts against the target, mL: plasma treated, or else removed."""
        return self.treated + self.treated_again or self.patient_plasma_removed + self.recirculated


def has_come(time: float) -> bool:
    """Whether something has happened yet: a time is NaN until then."""
    return time == time  # noqa: PLR0124  (NaN is the one number that is not itself)


@dataclass(slots=True)
class Times:
    """When things happened, min from the start of the run; NaN until they do."""

    connected: float = math.nan
    draw: float = math.nan
    exchange_end: float = math.nan
    disconnected: float = math.nan
    paused: float = 0.0
    """Minutes that the pumps stood still between first draw and end of exchange."""


@dataclass(slots=True)
class Settings:
    """What staff can change while the session runs."""

    inlet_flow: float
    """mL/min"""
    ratio: float
    """Inlet over anticoagulant flow; infinite where the anticoagulant is given by time."""
    target: float
    """Patient plasma to remove, or to treat, mL."""
    fluid_balance: float
    """All fluid given over plasma (with its anticoagulant) taken off."""
    calcium_flow: float
    """Calcium solution, mL/min."""
    calcium_per_replacement: float
    """Calcium solution per mL of replacement fluid."""
    anticoagulant_by_time: float = 0.0
    """mL/min"""

    @property
    def anticoagulation(self) -> Anticoagulation:
        """How much anticoagulant is given."""
        return Anticoagulation(self.ratio, self.anticoagulant_by_time)

    @classmethod
    def of(cls, machine: MachineSettings, order: Prescription, target: float) -> Settings:
        """What is set when the session begins; `target` in mL of patient plasma."""
        calcium = order.calcium
        return cls(
            inlet_flow=machine.inlet_flow,
            ratio=machine.anticoagulant_ratio,
            target=target,
            fluid_balance=order.fluid_balance,
            calcium_flow=(calcium.flow or 0.0) if calcium else 0.0,
            calcium_per_replacement=(calcium.per_replacement or 0.0) if calcium else 0.0,
            anticoagulant_by_time=machine.anticoagulant_flow,
        )


#: What a scenario calls each setting.
SETTING = {
    "machine.inlet_flow": "inlet_flow",
    "machine.anticoagulant.ratio": "ratio",
    "prescription.exchange": "target",
    "prescription.fluid_balance": "fluid_balance",
    "prescription.calcium.rate": "calcium_flow",
}
