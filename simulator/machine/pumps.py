"""What the pumps do: all flows of an exchange from the settings and the patient's hematocrit.

The inlet pump carries blood and anticoagulant; at an inlet:anticoagulant ratio R, one part in R is
anticoagulant [vendor definition: Terumo]. All flows in mL/min.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.errors import ImpossibleRunError
from simulator.machine.separators import Separator


@dataclass(frozen=True, slots=True)
class PumpFlows:
    """Flows of one stretch, mL/min."""

    inlet: float = 0.0
    blood: float = 0.0
    """The patient's blood in the inlet flow."""
    anticoagulant: float = 0.0
    plasma: float = 0.0
    """Into the waste bag, anticoagulant included."""
    patient_plasma: float = 0.0
    """Into the waste bag, anticoagulant left out."""
    replacement: float = 0.0
    calcium: float = 0.0
    plasma_processed: float = 0.0
    """Patient plasma that passes the separator."""
    recirculated: float = 0.0
    """Into the waste bag, given just before and drawn again: plasma to the machine, not to us."""

    @property
    def counted_plasma(self) -> float:
        """What the machine counts as patient plasma: it cannot see recirculation."""
        return self.patient_plasma + self.recirculated

    @property
    def fresh(self) -> float:
        """All fluid that the return line carries beside the patient's own blood."""
        return self.anticoagulant_returned + self.replacement + self.calcium

    @property
    def share_recirculated(self) -> float:
        """Of the fluid given, the share that is drawn again and goes to waste."""
        return self.recirculated / self.fresh if self.recirculated else 0.0

    @property
    def anticoagulant_removed(self) -> float:
        """Anticoagulant that leaves with the plasma."""
        return self.plasma - self.counted_plasma

    @property
    def anticoagulant_returned(self) -> float:
        """Anticoagulant that reaches the patient."""
        return self.anticoagulant - self.anticoagulant_removed


STOPPED = PumpFlows()


def filling_flows(inlet: float, ratio: float) -> PumpFlows:
    """Flows while the circuit fills: blood and anticoagulant in, nothing separated."""
    anticoagulant = inlet / ratio
    return PumpFlows(inlet=inlet, blood=inlet - anticoagulant, anticoagulant=anticoagulant)


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """What the flows of an exchange depend on besides the inlet flow and the patient."""

    separator: Separator
    ratio: float
    """Inlet over anticoagulant flow."""
    fluid_balance: float
    """All fluid given over plasma (with its anticoagulant) taken off."""
    replaces: bool
    """Whether anything is given back for the plasma."""
    calcium_flow: float
    """Calcium solution, mL/min."""
    calcium_per_replacement: float
    """Calcium solution per mL of replacement fluid."""
    recirculation: float = 0.0
    """Share of the blood drawn that was returned just before."""
    margin: float = 1.0
    """Below 1 the separator is run as if the blood were thicker by 1 over this."""


def exchange_flows(inlet: float, hematocrit: float, settings: ExchangeSettings) -> PumpFlows:
    """Flows of an exchange at an inlet flow and the patient's current hematocrit.

    Q_ac = Q_in / R,  Q_wb = Q_in - Q_ac,  Hct_ch = Hct (1 - 1/R)
    Q_p from the separator; its anticoagulant share is f = Q_ac / (Q_in (1 - Hct_ch))
    Q_rep + Q_ca + Q_ac = FB Q_p      (fluid balance; the return then equals the blood drawn)
    """
    anticoagulant = inlet / settings.ratio
    blood = inlet - anticoagulant
    channel_hematocrit = hematocrit * blood / inlet
    plasma_phase = inlet * (1 - channel_hematocrit)
    plasma = settings.separator.plasma_flow(inlet, channel_hematocrit / settings.margin)
    if plasma <= 0:
        raise ImpossibleRunError(
            f"no plasma can be separated at a hematocrit of {100 * hematocrit:.0f} %"
        )
    replacement, calcium = 0.0, settings.calcium_flow
    if settings.replaces:
        room = settings.fluid_balance * plasma - anticoagulant - settings.calcium_flow
        replacement = room / (1 + settings.calcium_per_replacement)
        if replacement < 0:
            raise ImpossibleRunError(
                f"a fluid balance of {100 * settings.fluid_balance:.0f} % cannot be held: "
                f"anticoagulant and calcium alone are more than that of the plasma taken off"
            )
        calcium = settings.calcium_flow + settings.calcium_per_replacement * replacement
    flows = PumpFlows(
        inlet=inlet,
        blood=blood,
        anticoagulant=anticoagulant,
        plasma=plasma,
        patient_plasma=plasma * (1 - anticoagulant / plasma_phase),
        replacement=replacement,
        calcium=calcium,
        plasma_processed=blood * (1 - hematocrit),
    )
    return recirculating(flows, settings.recirculation) if settings.recirculation else flows


def recirculating(flows: PumpFlows, recirculation: float) -> PumpFlows:
    """The flows when a share of the blood drawn comes from the return line.

    x = (1 - r) + r y                  x, y: the patient's own share of plasma drawn, returned
    y = x (P - Q_p) / (P - Q_p + F)    P plasma drawn, Q_p taken off, F fluid given
    so x = (1 - r) / (1 - r (P - Q_p) / (P - Q_p + F)), and Q_p (1 - x) is fluid given just before.
    [mass balance of the return line, mixed; the hematocrit returned is taken to be that drawn]
    """
    left = flows.plasma_processed - flows.patient_plasma
    own = (1 - recirculation) / (1 - recirculation * left / (left + flows.fresh))
    return replace(
        flows,
        patient_plasma=own * flows.patient_plasma,
        recirculated=(1 - own) * flows.patient_plasma,
    )


def inlet_within_citrate_limit(
    inlet: float,
    hematocrit: float,
    settings: ExchangeSettings,
    citrate_ratio: float,
    limit: float,
) -> float:
    """The highest inlet flow up to `inlet` at which the patient gets no more citrate than `limit`.

    Counted is the anticoagulant returned plus the citrate of the replacement fluid as if it were
    anticoagulant: Q_ac (1 - PRE) + x Q_rep <= limit, where x is `citrate_ratio`, the citrate of the
    fluid over that of the anticoagulant, and `limit` is in mL/min. [Optia manual, "custom
    replacement fluid"; that only the returned part counts is inferred from the manual's wording.]
    """

    def infused(flows: PumpFlows) -> float:
        return flows.anticoagulant_returned + citrate_ratio * flows.replacement

    at_full = infused(exchange_flows(inlet, hematocrit, settings))
    if at_full <= limit:
        return inlet
    # all flows but that of calcium are proportional to the inlet flow: two points give the line
    without_calcium = exchange_flows(inlet, hematocrit, replace(settings, calcium_flow=0.0))
    slope = infused(without_calcium) / inlet
    offset = at_full - slope * inlet
    return (limit - offset) / slope
