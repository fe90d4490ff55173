"""The controller: from settings and the patient's hematocrit to the rates of all pumps."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.boundary import Exchange, Vitals
from simulator.catalog import Fluid
from simulator.errors import ImpossibleRunError
from simulator.machine import pumps
from simulator.machine.pumps import ExchangeSettings, PumpFlows
from simulator.machine.separators import Separator
from simulator.machine.supplies import ReplacementLine
from simulator.machine.tally import Settings
from simulator.orders import MachineSettings

THICKEST_BLOOD = 0.75
"""Hematocrit beyond which no blood flows any more, and no patient is left [assumed]."""
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

    def deliverable_inlet(self) -> float:
        """The inlet flow that was set, or what the access can deliver if that is less; mL/min."""
        set_flow = min(self.settings.inlet_flow, self.machine.access.inlet_flow_max)
        return max(self.slowed * set_flow, min(set_flow, self.machine.device.inlet_flow_min))

    def filling(self) -> PumpFlows:
        """Flows while the circuit fills."""
        return pumps.filling_flows(self.deliverable_inlet(), self.settings.ratio)

    def exchanging(self, vitals: Vitals, line: ReplacementLine) -> PumpFlows:
        """Flows of the exchange for the patient as seen now and the fluid that hangs.

        The inlet is slowed where citrate would reach the patient too fast. Raises
        `ImpossibleRunError` when no flows exist that do what is asked.
        """
        if vitals.hematocrit > THICKEST_BLOOD:
            raise ImpossibleRunError(
                f"the plasma volume has fallen to {vitals.plasma_volume:.0f} mL, which makes the "
                f"hematocrit {100 * vitals.hematocrit:.0f} %; {line.replaced:.0f} mL of the "
                f"plasma taken off have been replaced"
            )
        asked = self._exchange_settings(bool(line.orders))
        inlet = pumps.inlet_within_citrate_limit(
            self.deliverable_inlet(),
            vitals.hematocrit,
            asked,
            self._citrate_ratio(line),
            self.citrate_limit,
        )
        lowest = self.machine.device.inlet_flow_min
        if inlet < lowest:
            raise ImpossibleRunError(
                f"the citrate limit asks for an inlet flow of {inlet:.1f} mL/min, "
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
            given=((prime, flows.inlet),) if prime else (),
        )

    def exchanges(self, flows: PumpFlows, line: ReplacementLine) -> Exchange:
        """What these flows do to the patient while plasma is exchanged."""
        anticoagulant = self.machine.anticoagulant
        given: list[tuple[Fluid, float]] = [(anticoagulant, flows.anticoagulant_returned)]
        if flows.replacement:
            given.append((line.fluid, flows.replacement))
        if flows.calcium and self.calcium:
            given.append((self.calcium, flows.calcium))
        again = flows.share_recirculated
        return Exchange(
            plasma_to_circuit=flows.patient_plasma,
            anticoagulant=anticoagulant,
            anticoagulant_to_circuit=flows.anticoagulant_removed,
            circuit_to_waste=flows.plasma - flows.recirculated,
            given=tuple((fluid, (1 - again) * flow) for fluid, flow in given),
            wasted=tuple((fluid, again * flow) for fluid, flow in given) if again else (),
        )

    def _citrate_ratio(self, line: ReplacementLine) -> float:
        """Citrate of the replacement fluid over that of the anticoagulant."""
        if not line.orders or not self.machine.anticoagulant.citrate:
            return 0.0
        return line.fluid.citrate / self.machine.anticoagulant.citrate

    def _exchange_settings(self, replaces: bool) -> ExchangeSettings:
        return ExchangeSettings(
            separator=self.separator,
            ratio=self.settings.ratio,
            fluid_balance=self.settings.fluid_balance,
            replaces=replaces,
            calcium_flow=self.settings.calcium_flow,
            calcium_per_replacement=self.settings.calcium_per_replacement,
            recirculation=self.machine.access.recirculation,
            margin=1.0 if self.interface_seen else MARGIN,
        )
