"""What is asked of the simulation: who is treated, what is followed, how the machine is set.

Frozen values in canonical units (mL, g, mmol, min; fractions 0..1); the scenario package makes them
from a file, machine and patient read them. Concentrations of a solute are in its own unit.
"""

from __future__ import annotations

from typing import Literal

from simulator.catalog import Access, Device, Fluid, Solute
from simulator.records import record

Sex = Literal["female", "male"]


@record
class PatientDescription:
    """Who is treated."""

    sex: Sex
    weight: float
    """kg"""
    height: float
    """m"""
    hematocrit: float
    """Of venous blood, fraction."""
    age: float | None = None
    """Years."""
    plasma_volume: float | None = None
    """mL; None takes the estimate."""
    blood_volume_method: str = "nadler"
    blood_volume: float | None = None
    """mL; None takes the estimate by `blood_volume_method`."""
    f_cell_ratio: float = 1.0
    """Whole-body hematocrit over venous hematocrit."""
    ionized_calcium: float = 1.22
    """mmol/L"""
    citrate_clearance: float = 1.0
    """Fraction of normal."""
    fluid_shift: Literal["starling", "none"] = "starling"


@record
class FollowedSolute:
    """A solute with its kinetics, its level at the start, and how much of it is made."""

    kinetics: Solute
    initial: float
    """Plasma concentration at time zero, in the solute's unit."""
    synthesis: float = 1.0
    """Fraction of the rate that would hold `initial` steady."""


@record
class MachineSettings:
    """The machine as set up for a session."""

    device: Device
    access: Access
    inlet_flow: float
    anticoagulant: Fluid
    anticoagulant_ratio: float
    """Inlet over anticoagulant flow; infinite for heparin, which is given by time."""
    disturbances: Literal["none", "typical"] = "none"
    """Whether what usually goes wrong does so, drawn from the seed."""
    prime: Fluid | None = None
    """What fills the circuit before the patient is connected. None: saline, which goes to the waste
    bag; anything else (red cells, albumin) is given to the patient while blood is drawn."""
    rinseback: bool = True
    """Whether saline pushes the blood in the circuit back at the end."""
    anticoagulant_flow: float = 0.0
    """Heparin, mL/min of the solution."""
    anticoagulant_bolus: float = 0.0
    """Heparin given at first contact, mL of the solution."""
    plasma_flow: float | None = None
    """Plasma that a membrane is to filter, mL/min; None: the device's filtration fraction."""
    needles: Literal[1, 2] = 2
    """1: blood is drawn and given back in turn through the same needle."""


OPERATOR = "nurse"
"""The catalog's entry that says what is usual of an operator."""
SALINE = "saline"
"""The fluid that primes and rinses the circuit."""


@record
class Attendance:
    """The operator: how many machines share one, and how long things take. Times in min."""

    machines: int
    """Machines that one operator looks after, this one included."""
    response: float
    """Median time from a call until a free operator stands at the machine."""
    vital_signs: float
    """How often vital signs are taken; infinity for never."""


@record
class Replacement:
    """One fluid of the replacement, in order of use: by share, by volume, or the rest."""

    fluid: Fluid
    share: float | None = None
    """Fraction of the replaced volume."""
    volume: float | None = None
    """mL; with `share` None as well, whatever the others leave."""


@record
class CalciumOrder:
    """Calcium by rate, or by volume of replacement fluid; exactly one of the two."""

    fluid: Fluid
    flow: float | None = None
    """mL/min of the calcium solution."""
    per_replacement: float | None = None
    """mL of calcium solution per mL of replacement fluid."""


@record
class Prescription:
    """What one session is to do."""

    exchange: float
    """Patient plasma to remove: the number that `exchange_unit` counts."""
    exchange_unit: Literal["PV", "mL", "mL/kg"]
    replacement: tuple[Replacement, ...]
    fluid_balance: float = 1.0
    calcium: CalciumOrder | None = None
