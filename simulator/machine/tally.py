"""What a session counts, when things happened in it, and what staff can change while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.machine.pumps import PumpFlows


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
    exchange_anticoagulant: float = 0.0
    """Anticoagulant of the exchange alone, without that which fills the circuit."""

    def count(self, flows: PumpFlows, minutes: float) -> None:
        """Add what these flows move in this time."""
        self.blood_processed += flows.blood * minutes
        self.plasma_removed += flows.plasma * minutes
        self.patient_plasma_removed += flows.patient_plasma * minutes
        self.plasma_processed += flows.plasma_processed * minutes
        self.replacement += flows.replacement * minutes
        self.anticoagulant += flows.anticoagulant * minutes
        self.calcium += flows.calcium * minutes
        if flows.plasma:
            self.anticoagulant_to_patient += flows.anticoagulant_returned * minutes
            self.exchange_anticoagulant += flows.anticoagulant * minutes


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
    ratio: float
    target: float
    """Patient plasma to remove, mL."""
    fluid_balance: float
    calcium_flow: float
    calcium_per_replacement: float


#: What a scenario calls each setting.
SETTING = {
    "machine.inlet_flow": "inlet_flow",
    "machine.anticoagulant.ratio": "ratio",
    "prescription.exchange": "target",
    "prescription.fluid_balance": "fluid_balance",
    "prescription.calcium.rate": "calcium_flow",
}
