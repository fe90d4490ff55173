"""The two values that cross between machine and patient; neither side sees more of the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulator.catalog import Fluid
from simulator.records import record


@record
class Passage:
    """What separator, second filter and column let pass: shares by name of the solute."""

    sieving: Mapping[str, float] = field(default_factory=dict)
    """Concentration in the separated plasma over that in the patient's; otherwise 1."""
    return_sieving: Mapping[str, float] = field(default_factory=dict)
    """Concentration in the plasma given back over that before a second filter; otherwise 1."""
    extraction: Mapping[str, float] = field(default_factory=dict)
    """Share bound by a fresh column; otherwise 0."""
    capacity: float = math.inf
    """IgG that the column can bind, g."""

    @staticmethod
    def share(table: Mapping[str, float], kin: Sequence[str], otherwise: float) -> float:
        """The entry of a solute under the first of its names that the table knows."""
        return next((table[name] for name in kin if name in table), otherwise)


FREE = Passage()
"""Everything passes, nothing is bound: what a centrifuge does to the plasma."""


@record
class Exchange:
    """What the machine does to the patient from now on, until it says otherwise; flows in mL/min.

    Blood that is drawn and given straight back changes nothing in the patient and is not listed.
    What remains outside is: whole blood while the circuit fills, plasma while it is exchanged.
    """

    blood_to_circuit: float = 0.0
    """Whole blood that stays outside, filling the circuit."""
    plasma_to_circuit: float = 0.0
    """The patient's plasma, separated and on its way to the waste bag."""
    anticoagulant: Fluid | None = None
    anticoagulant_to_circuit: float = 0.0
    """Anticoagulant that joins what stays outside."""
    circuit_to_waste: float = 0.0
    """Plasma with its anticoagulant leaving the circuit for the waste bag."""
    circuit_to_patient: float = 0.0
    """Circuit content given back, cells and all: rinseback, or a bowl that is emptied."""
    plasma_to_patient: float = 0.0
    """Plasma with its anticoagulant given back after a second filter or a column."""
    passage: Passage = FREE
    """What the plasma passes on its way."""
    given: tuple[tuple[Fluid, float], ...] = ()
    """Fluids that reach the patient, each with its flow."""
    wasted: tuple[tuple[Fluid, float], ...] = ()
    """Fluids given that are drawn again before they mix, and go to waste: access recirculation."""


REST = Exchange()
"""No machine at the bedside, or all pumps at rest."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a machine or a nurse can see of the patient. Never an antibody level."""

    hematocrit: float
    """Of venous blood, fraction."""
    blood_volume: float
    """mL, circuit not counted."""
    plasma_volume: float
    """mL, circuit not counted."""
    ionized_calcium: float
    """mmol/L"""
    ionized_magnesium: float = 0.55
    """mmol/L"""
    total_calcium: float = 2.35
    """mmol/L"""
