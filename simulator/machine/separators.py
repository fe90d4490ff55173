"""How plasma is parted from blood: one small piece of physics per kind of separator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from simulator.boundary import FREE, Passage
from simulator.catalog import (
    AdsorberFacts,
    BowlFacts,
    CentrifugeFacts,
    Device,
    FractionatorFacts,
    MembraneFacts,
)

GENTLER = 0.8
"""Factor on the plasma flow whenever the transmembrane pressure is too high [reference rule,
unverified]."""


class Separator(Protocol):
    """Anything that parts plasma from the blood that flows through it."""

    def plasma_flow(self, inlet_flow: float, hematocrit: float) -> float:
        """Plasma (with its anticoagulant) taken off, mL/min, from an inlet flow of a hematocrit."""
        ...


@dataclass(frozen=True, slots=True)
class Centrifuge:
    """A continuous-flow centrifuge that packs the red cells to a constant hematocrit.

    How much plasma it yields therefore follows from the patient's hematocrit: the same machine is
    reported at 83, 87 and 92 % removal efficiency because the patients differed.
    """

    packed_hematocrit: float

    def plasma_flow(self, inlet_flow: float, hematocrit: float) -> float:
        """Plasma taken off, mL/min: all that the packed cells do not carry along.

        Q_p = Q_in (1 - Hct / Hct_packed)
        [red cell balance of the channel; the same relation in US patent 6,207,063]

        `hematocrit` is that of the anticoagulated blood in the channel.
        """
        return inlet_flow * (1 - hematocrit / self.packed_hematocrit)


@dataclass(frozen=True, slots=True)
class Bowl:
    """A spinning bowl that fills, packs with red cells, and is emptied before the next draw.

    Once it is full, all that flows in pushes an equal volume of plasma out, until the cells reach
    the top.
    """

    facts: BowlFacts

    @property
    def volume(self) -> float:
        """Bowl and tubing, mL."""
        return self.facts.bowl_volume + self.facts.harness_volume

    def plasma_flow(self, inlet_flow: float, hematocrit: float) -> float:
        """Plasma pushed out of a full bowl, mL/min: as much as flows in; none if it is packed."""
        return inlet_flow if hematocrit < self.facts.packed_hematocrit else 0.0

    def cells(self, hematocrit: float) -> float:
        """Red cells (mL) in bowl and tubing when the bowl is packed.

        The bowl holds `packed_hematocrit` of its volume, the tubing blood of `hematocrit`.
        """
        return (
            self.facts.packed_hematocrit * self.facts.bowl_volume
            + hematocrit * self.facts.harness_volume
        )

    def cycle_volume(self, hematocrit: float) -> float:
        """Anticoagulated blood (mL) of a hematocrit that packs the bowl.

        V = V_bowl Hct_packed / Hct + V_harness                       [haemonetics-red-book]

        The thinner the blood, the more of it is outside the body at the end of a draw.
        """
        return self.cells(hematocrit) / hematocrit


@dataclass(slots=True)
class Membrane:
    """Hollow fibers through whose wall plasma is filtered, and which foul while it is.

    Flow and pressure: Q_f = L TMP, with the permeability L (mL/min/mmHg) of the whole filter.
    """

    facts: MembraneFacts
    ordered: float | None = None
    """Plasma flow that staff have set, mL/min; None: the device's filtration fraction."""
    permeability: float = math.nan
    """mL/min/mmHg, as fouled by now."""
    eased: float = 1.0
    """Factor on the plasma flow since the pressure was too high."""

    def __post_init__(self) -> None:
        self.permeability = self.facts.permeability

    def plasma_flow(self, inlet_flow: float, hematocrit: float) -> float:
        """Plasma filtered, mL/min: Q_f = FF Q_in (1 - Hct), or what is ordered.

        Never more than leaves blood that still flows: `outlet_hematocrit_max`.
        """
        most = inlet_flow * (1 - hematocrit / self.facts.outlet_hematocrit_max)
        return min(self.asked(inlet_flow, hematocrit), most)

    def asked(self, inlet_flow: float, hematocrit: float) -> float:
        """Plasma flow that is asked of the filter, mL/min."""
        plasma = inlet_flow * (1 - hematocrit)
        ordered = self.facts.filtration_fraction * plasma if self.ordered is None else self.ordered
        return self.eased * ordered

    def order(self, flow: float) -> None:
        """Staff set the plasma flow anew, mL/min."""
        self.ordered, self.eased = flow, 1.0

    def ease(self) -> None:
        """Filter more gently from now on."""
        self.eased *= GENTLER

    def pressure(self, flow: float) -> float:
        """Transmembrane pressure (mmHg) of a plasma flow: TMP = Q_f / L."""
        return flow / self.permeability

    def foul(self, flow: float, minutes: float) -> None:
        """Count plasma filtered at a flow (mL/min): dL/dV = -k L TMP / TMP_max = -k Q_f / TMP_max.

        The permeability falls steadily while the flow stays, and more slowly the gentler the flow
        [form assumed].
        """
        self.permeability -= self._lost_per_volume(flow) * flow * minutes

    def until_pressure_limit(self, flow: float) -> float:
        """Minutes at this plasma flow until the transmembrane pressure reaches its limit."""
        lost_per_minute = self._lost_per_volume(flow) * flow
        left = self.permeability - flow / self.facts.transmembrane_pressure_max
        return left / lost_per_minute if lost_per_minute else math.inf

    def _lost_per_volume(self, flow: float) -> float:
        """Permeability lost per mL filtered."""
        return self.facts.fouling / 1000 * flow / self.facts.transmembrane_pressure_max


def separator(device: Device, plasma_flow: float | None = None) -> Centrifuge | Bowl | Membrane:
    """The separator of a device, as new; `plasma_flow` (mL/min) is what staff ordered of it."""
    facts = device.separator
    if isinstance(facts, CentrifugeFacts):
        return Centrifuge(facts.packed_hematocrit)
    return Bowl(facts) if isinstance(facts, BowlFacts) else Membrane(facts, plasma_flow)


def passage(device: Device) -> Passage:
    """What separator and treatment of a device let pass."""
    sieving = device.separator.sieving if isinstance(device.separator, MembraneFacts) else {}
    treatment = device.treatment
    if isinstance(treatment, FractionatorFacts):
        return Passage(sieving, return_sieving=treatment.sieving)
    if isinstance(treatment, AdsorberFacts):
        return Passage(sieving, extraction=treatment.extraction, capacity=treatment.capacity)
    return Passage(sieving) if sieving else FREE


def discarded_share(device: Device) -> float:
    """Of the separated plasma, the share that goes to waste; the rest is given back."""
    if isinstance(device.treatment, FractionatorFacts):
        return device.treatment.discarded_share
    return 1.0 if device.treatment is None else 0.0
