"""The controller: from settings and the patient's hematocrit to the rates of all pumps."""

from __future__ import annotations

from dataclasses import dataclass

from simulator import catalog
from simulator.boundary import Exchange, Vitals
from simulator.catalog import Fluid
from simulator.errors import ImpossibleRunError
from simulator.machine import pumps
from simulator.machine.pumps import ExchangeSettings, PumpFlows
from simulator.machine.separators import Bowl, Separator, discarded_share, passage
from simulator.machine.supplies import ReplacementLine
from simulator.machine.tally import Settings
from simulator.orders import MachineSettings

THICKEST_BLOOD = 0.75
"""Hematocrit beyond which no blood flows any more, and no patient is left [assumed]."""
REFERENCE_ANTICOAGULANT = "acd-a"
"""The anticoagulant in which citrate limits are stated."""
LITTLE_BLOOD, LEAST_BLOOD = 0.7, 0.4
"""Shares of the blood volume before a session below which a warning is due, and nobody goes on
[assumed: a loss of 30 % is a severe hemorrhage]."""
MARGIN = 0.9
"""Factor on the packed hematocrit while the interface is not seen [reference rule, unverified]."""


@dataclass
class Controller:
    """Sets the pumps; what stops them is not its business."""

    machine: MachineSettings
    separator: Separator
    settings: Settings
    citrate_limit: float
    """Most anticoagulant the patient may get, mL/min."""
    calcium: Fluid | None = None
    """The calcium solution, if one is ordered."""
    slowed: float = 1.0
    """Factor on the inlet flow while the access does not deliver more."""
    interface_seen: bool = True
    """Whether the interface of cells and plasma can be followed."""

    def __post_init__(self) -> None:
        device = self.machine.device
        self.passage = passage(device)
        """What the plasma passes on its way."""
        self.discarded = discarded_share(device)
        """Share of the separated plasma that is not given back."""
        bowl = isinstance(self.separator, Bowl)
        self.one_needle = self.machine.needles == 1 and not bowl
        """Whether a continuous machine draws and returns in turn; a bowl does so anyway."""

    def deliverable_inlet(self) -> float:
        """The inlet flow that was set, or what the access can deliver if that is less; mL/min."""
        set_flow = min(self.settings.inlet_flow, self.machine.access.inlet_flow_max)
        return max(self.slowed * set_flow, min(set_flow, self.machine.device.inlet_flow_min))

    def mean_inlet(self) -> float:
        """The inlet flow, mL/min; through a single needle, its mean over draws and returns.

        Q = Q_in Q_ret / (Q_in + Q_ret): what is drawn for a while then goes back for a while.
        """
        return self._mean(self.deliverable_inlet())

    def _mean(self, drawn: float) -> float:
        if not self.one_needle:
            return drawn
        back = self.machine.device.return_flow
        return drawn * back / (drawn + back)

    def drawn(self, inlet: float) -> float:
        """The flow through the needle while it draws, mL/min, at a mean inlet flow."""
        if not self.one_needle or inlet == 0:
            return inlet
        back = self.machine.device.return_flow
        return inlet * back / (back - inlet)

    def filling(self) -> PumpFlows:
        """Flows while the circuit fills."""
        return pumps.filling_flows(self.mean_inlet(), self.settings.anticoagulation)

    def exchanging(self, vitals: Vitals, line: ReplacementLine) -> PumpFlows:
        """Flows of the exchange for the patient as seen now and the fluid that hangs.

        The inlet is slowed where citrate would reach the patient too fast. Raises
        `ImpossibleRunError` when no flows exist that do what is asked.
        """
        check_blood_flows(vitals, line)
        lowest, access = self.machine.device.inlet_flow_min, self.machine.access
        if access.inlet_flow_max < lowest:
            raise ImpossibleRunError(
                f"{access.name} delivers at most {access.inlet_flow_max:.4g} mL/min, below the "
                f"machine's {lowest:.0f} mL/min"
            )
        asked = self._exchange_settings(bool(line.orders))
        inlet = pumps.inlet_within_citrate_limit(
            self.mean_inlet(),
            vitals.hematocrit,
            asked,
            (1.0 if self.machine.anticoagulant.citrate else 0.0, self.citrate_ratio(line)),
            self.citrate_limit,
        )
        if inlet < self._mean(lowest):
            raise ImpossibleRunError(
                f"the citrate limit asks for an inlet flow of {self.drawn(inlet):.1f} mL/min, "
                f"below the machine's {lowest:.0f} mL/min"
            )
        return pumps.exchange_flows(inlet, vitals.hematocrit, asked)

    def fills(self, flows: PumpFlows) -> Exchange:
        """What these flows do to the patient while the circuit fills.

        A prime of saline is displaced into the waste bag, any other into the patient.
        """
        prime = self.machine.prime
        return Exchange(
            blood_to_circuit=flows.blood,
            anticoagulant=self.machine.anticoagulant,
            anticoagulant_to_circuit=flows.anticoagulant,
            passage=self.passage,
            given=((prime, flows.inlet),) if prime else (),
        )

    def exchanges(self, flows: PumpFlows, line: ReplacementLine) -> Exchange:
        """What these flows do to the patient while plasma is exchanged."""
        anticoagulant = self.machine.anticoagulant
        given = [(anticoagulant, flows.anticoagulant_with_cells), *self.given(flows, line)]
        again = flows.share_recirculated
        return Exchange(
            plasma_to_circuit=flows.patient_plasma + flows.treated_to_patient,
            anticoagulant=anticoagulant,
            anticoagulant_to_circuit=flows.anticoagulant_removed + flows.anticoagulant_back,
            circuit_to_waste=flows.plasma - flows.recirculated,
            plasma_to_patient=flows.plasma_back,
            passage=self.passage,
            given=tuple((fluid, (1 - again) * flow) for fluid, flow in given),
            wasted=tuple((fluid, again * flow) for fluid, flow in given) if again else (),
        )

    def given(self, flows: PumpFlows, line: ReplacementLine) -> list[tuple[Fluid, float]]:
        """Replacement fluid and calcium solution that these flows give, each in mL/min."""
        fluids: list[tuple[Fluid, float]] = []
        if flows.replacement:
            fluids.append((line.fluid, flows.replacement))
        if flows.calcium and self.calcium:
            fluids.append((self.calcium, flows.calcium))
        return fluids

    def citrate_ratio(self, line: ReplacementLine) -> float:
        """Citrate of the replacement fluid over that of the anticoagulant, or of ACD-A."""
        if not line.orders:
            return 0.0
        anticoagulant = self.machine.anticoagulant
        reference = anticoagulant.citrate or catalog.fluid(REFERENCE_ANTICOAGULANT).citrate
        return line.fluid.citrate / reference

    def _exchange_settings(self, replaces: bool) -> ExchangeSettings:
        return ExchangeSettings(
            separator=self.separator,
            anticoagulation=self.settings.anticoagulation,
            fluid_balance=self.settings.fluid_balance,
            replaces=replaces,
            calcium_flow=self.settings.calcium_flow,
            calcium_per_replacement=self.settings.calcium_per_replacement,
            recirculation=self.machine.access.recirculation,
            margin=1.0 if self.interface_seen else MARGIN,
            discarded=self.discarded,
        )


def check_blood_flows(vitals: Vitals, line: ReplacementLine) -> None:
    """Raise `ImpossibleRunError` if the plasma taken off has left blood too thick to flow."""
    if vitals.hematocrit > THICKEST_BLOOD:
        raise ImpossibleRunError(
            f"the plasma volume has fallen to {vitals.plasma_volume:.0f} mL, which makes the "
            f"hematocrit {100 * vitals.hematocrit:.0f} %; {line.replaced:.0f} mL of the "
            f"plasma taken off have been replaced"
        )


def little_blood(vitals: Vitals, before: float, line: ReplacementLine) -> str:
    """A warning if much of the blood volume of before (mL) is gone; empty if not.

    Raises `ImpossibleRunError` below `LEAST_BLOOD` of it.
    """
    share = vitals.blood_volume / before
    if share < LEAST_BLOOD:
        raise ImpossibleRunError(
            f"the blood volume has fallen to {vitals.blood_volume:.0f} mL, {100 * share:.0f} % of "
            f"what it was; {line.replaced:.0f} mL of the plasma taken off have been replaced"
        )
    if share >= LITTLE_BLOOD:
        return ""
    return (
        f"the blood volume is {100 * (1 - share):.0f} % below that before the session; a loss of "
        f"{100 * (1 - LITTLE_BLOOD):.0f} % is a severe one"
    )
