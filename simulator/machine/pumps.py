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

    @property
    def anticoagulant_removed(self) -> float:
        """Anticoagulant that leaves with the plasma."""
        return self.plasma - self.patient_plasma

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
    plasma = settings.separator.plasma_flow(inlet, channel_hematocrit)
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
    return PumpFlows(
        inlet=inlet,
        blood=blood,
        anticoagulant=anticoagulant,
        plasma=plasma,
        patient_plasma=plasma * (1 - anticoagulant / plasma_phase),
        replacement=replacement,
        calcium=calcium,
        plasma_processed=blood * (1 - hematocrit),
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
