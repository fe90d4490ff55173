"""What the pumps do: all flows of an exchange from the settings and the patient's hematocrit.

The inlet pump carries blood and anticoagulant; at an inlet:anticoagulant ratio R, one part in R is
anticoagulant [vendor definition: Terumo]. All flows in mL/min.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from simulator.errors import ImpossibleRunError
from simulator.machine.separators import Separator

NEARBY = 0.99
"""Factor on an inlet flow to see what a lower one does."""
NEGLIGIBLE = 1e-12
"""Share of the citrate limit that does not matter."""


@dataclass(frozen=True, slots=True)
class PumpFlows:
    """Flows of one stretch, mL/min."""

    inlet: float = 0.0
    blood: float = 0.0
    """The patient's blood in the inlet flow."""
    anticoagulant: float = 0.0
    anticoagulant_kept: float = 0.0
    """Anticoagulant that stays in the circuit for now."""
    separated: float = 0.0
    """Plasma that leaves the separator, anticoagulant included."""
    plasma: float = 0.0
    """Into the waste bag, anticoagulant included."""
    patient_plasma: float = 0.0
    """Into the waste bag, anticoagulant left out."""
    treated: float = 0.0
    """Patient plasma that is treated, and given back but for what is discarded of it."""
    treated_again: float = 0.0
    """Plasma treated just before and drawn again: to the machine plasma treated, to us nothing."""
    plasma_back: float = 0.0
    """Treated plasma given back, anticoagulant included."""
    anticoagulant_back: float = 0.0
    """Anticoagulant in it."""
    content_back: float = 0.0
    """Content of a bowl given back."""
    anticoagulant_released: float = 0.0
    """Anticoagulant in it, kept until then."""
    replacement: float = 0.0
    calcium: float = 0.0
    plasma_processed: float = 0.0
    """Patient plasma that passes the separator."""
    recirculated: float = 0.0
    """Into the waste bag, given just before and drawn again: plasma to the machine, not to us."""

    @property
    def counted_plasma(self) -> float:
        """What the machine counts as patient plasma removed: it cannot see recirculation."""
        return self.patient_plasma + self.recirculated

    @property
    def dose(self) -> float:
        """What is counted against the prescription: plasma treated, or else removed."""
        return self.treated + self.treated_again or self.counted_plasma

    @property
    def treated_to_patient(self) -> float:
        """Treated plasma given back, anticoagulant left out."""
        return self.plasma_back - self.anticoagulant_back

    @property
    def fresh(self) -> float:
        """All fluid that the return line carries beside blood and treated plasma."""
        anticoagulant = self.anticoagulant_with_cells + self.anticoagulant_released
        return anticoagulant + self.replacement + self.calcium

    @property
    def share_recirculated(self) -> float:
        """Of the fluid given, the share that is drawn again and goes to waste."""
        return self.recirculated / self.fresh if self.recirculated else 0.0

    @property
    def anticoagulant_removed(self) -> float:
        """Anticoagulant that goes to waste with the plasma."""
        return self.plasma - self.counted_plasma

    @property
    def anticoagulant_with_cells(self) -> float:
        """Anticoagulant that goes straight back with the red cells."""
        taken = self.anticoagulant_removed + self.anticoagulant_kept + self.anticoagulant_back
        return self.anticoagulant - taken

    @property
    def anticoagulant_returned(self) -> float:
        """Anticoagulant that reaches the patient."""
        return self.anticoagulant_with_cells + self.anticoagulant_back + self.anticoagulant_released

    def channel_hematocrit(self, hematocrit: float) -> float:
        """Hematocrit of what enters the separator: the patient's, diluted by anticoagulant."""
        return hematocrit * self.blood / self.inlet


STOPPED = PumpFlows()


@dataclass(frozen=True, slots=True)
class Anticoagulation:
    """How much anticoagulant: citrate by the blood, heparin by the minute."""

    ratio: float = math.inf
    """Inlet over anticoagulant flow."""
    by_time: float = 0.0
    """mL/min"""

    def flow(self, inlet: float) -> float:
        """mL/min for an inlet flow."""
        return inlet / self.ratio + self.by_time


def filling_flows(inlet: float, anticoagulation: Anticoagulation) -> PumpFlows:
    """Flows while the circuit fills: blood and anticoagulant in, nothing separated."""
    anticoagulant = anticoagulation.flow(inlet)
    return PumpFlows(
        inlet=inlet,
        blood=inlet - anticoagulant,
        anticoagulant=anticoagulant,
        anticoagulant_kept=anticoagulant,
    )


def pushing_flows(filling: PumpFlows, hematocrit: float) -> PumpFlows:
    """Flows once a bowl is full: all that flows in pushes as much plasma out into the waste bag.

    The plasma phase of what flows in, with its anticoagulant, is that of what flows out: a share
    Q_ac / (Q_in (1 - Hct_ch)) of it is anticoagulant.
    """
    plasma_phase = filling.inlet - filling.blood * hematocrit
    anticoagulant_removed = filling.inlet * filling.anticoagulant / plasma_phase
    return replace(
        filling,
        anticoagulant_kept=filling.anticoagulant - anticoagulant_removed,
        separated=filling.inlet,
        plasma=filling.inlet,
        patient_plasma=filling.inlet - anticoagulant_removed,
    )


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """What the flows of an exchange depend on besides the inlet flow and the patient."""

    separator: Separator
    anticoagulation: Anticoagulation
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
    discarded: float = 1.0
    """Share of the separated plasma that is not given back."""


def exchange_flows(inlet: float, hematocrit: float, settings: ExchangeSettings) -> PumpFlows:
    """Flows of an exchange at an inlet flow and the patient's current hematocrit.

    Q_ac = Q_in / R,  Q_wb = Q_in - Q_ac,  Hct_ch = Hct (1 - 1/R)
    Q_s from the separator; its anticoagulant share is f = Q_ac / (Q_in (1 - Hct_ch))
    Q_p = d Q_s is discarded (all of it, unless it is treated), the rest given back
    Q_rep + Q_ca + Q_ac = FB Q_p      (fluid balance; the return then equals the blood drawn)
    """
    anticoagulant = settings.anticoagulation.flow(inlet)
    blood = inlet - anticoagulant
    channel_hematocrit = hematocrit * blood / inlet
    plasma_phase = inlet * (1 - channel_hematocrit)
    separated = settings.separator.plasma_flow(inlet, channel_hematocrit / settings.margin)
    if separated <= 0:
        raise inseparable(hematocrit)
    treats = settings.discarded < 1
    plasma = settings.discarded * separated
    replacement = 0.0
    if settings.replaces:
        replacement = _replacement(plasma, anticoagulant, hematocrit, settings)
    patients_share = 1 - anticoagulant / plasma_phase
    flows = PumpFlows(
        inlet=inlet,
        blood=blood,
        anticoagulant=anticoagulant,
        separated=separated,
        plasma=plasma,
        patient_plasma=plasma * patients_share,
        treated=separated * patients_share if treats else 0.0,
        plasma_back=separated - plasma,
        anticoagulant_back=(separated - plasma) * (1 - patients_share),
        replacement=replacement,
        calcium=settings.calcium_flow + settings.calcium_per_replacement * replacement,
        plasma_processed=blood * (1 - hematocrit),
    )
    return recirculating(flows, settings.recirculation) if settings.recirculation else flows


def inseparable(hematocrit: float) -> ImpossibleRunError:
    """That a separator has no plasma to give at this hematocrit of the patient."""
    return ImpossibleRunError(
        f"no plasma can be separated at a hematocrit of {100 * hematocrit:.0f} %"
    )


def _replacement(
    plasma: float, anticoagulant: float, hematocrit: float, settings: ExchangeSettings
) -> float:
    """Replacement fluid, mL/min, that the fluid balance leaves room for.

    Q_rep + Q_ca + Q_ac = FB Q_p,  Q_ca = Q_ca,0 + c Q_rep
    """
    room = settings.fluid_balance * plasma - anticoagulant - settings.calcium_flow
    if room >= 0:
        return room / (1 + settings.calcium_per_replacement)
    if settings.discarded < 1:
        return 0.0  # little or nothing is discarded: there is nothing to make up
    raise ImpossibleRunError(
        f"a fluid balance of {100 * settings.fluid_balance:.0f} % cannot be held: "
        f"anticoagulant and calcium alone are more than that of the plasma taken off, "
        f"{plasma:.1f} mL/min at a hematocrit of {100 * hematocrit:.0f} %"
    )


def recirculating(flows: PumpFlows, recirculation: float) -> PumpFlows:
    """The flows when a share of the blood drawn comes from the return line.

    x = (1 - r) + r y                  x, y: the patient's own share of plasma drawn, returned
    y = x (P - Q_p) / (P - Q_p + F)    P plasma drawn, Q_p discarded, F fluid given
    so x = (1 - r) / (1 - r (P - Q_p) / (P - Q_p + F)), and Q_p (1 - x) was given just before.
    [mass balance of the return line, mixed; the hematocrit returned is taken to be that drawn]

    Where plasma is treated, that which has not been treated just before is u of the plasma drawn,
    by the same balance with Q_s (separated) for Q_p above the line. Of the rest nothing is removed;
    what is discarded of it is the patient's plasma all the same.
    """
    given = flows.fresh + flows.anticoagulant_back

    def share(taken: float) -> float:
        """Of the plasma drawn, what was not in the return line as anything but plasma left."""
        left = flows.plasma_processed - taken
        mixed = flows.plasma_processed - flows.patient_plasma + given
        return (1 - recirculation) / (1 - recirculation * left / mixed)

    own = share(flows.patient_plasma)
    untreated = share(flows.treated) if flows.treated else own
    again = (1 - untreated) * (flows.treated - flows.patient_plasma) if flows.treated else 0.0
    return replace(
        flows,
        patient_plasma=own * flows.patient_plasma,
        recirculated=(1 - own) * flows.patient_plasma,
        treated=untreated * flows.treated,
        treated_again=(1 - untreated) * flows.treated,
        plasma_back=flows.plasma_back - again,
    )


def inlet_within_citrate_limit(
    inlet: float,
    hematocrit: float,
    settings: ExchangeSettings,
    citrate_ratios: tuple[float, float],
    limit: float,
) -> float:
    """The highest inlet flow up to `inlet` at which the patient gets no more citrate than `limit`.

    Counted is the anticoagulant returned plus the citrate of the replacement fluid as if it were
    anticoagulant: Q_ac (1 - PRE) + x Q_rep <= limit, where x is the citrate of the fluid over that
    of the anticoagulant, and `limit` is in mL/min. `citrate_ratios`: that of the anticoagulant, 1
    or, of heparin, 0; and x. [Optia manual, "custom replacement fluid"; that only the returned part
    counts is inferred from the manual's wording.]
    """

    def infused(flows: PumpFlows) -> float:
        of_anticoagulant, of_fluid = citrate_ratios
        return of_anticoagulant * flows.anticoagulant_returned + of_fluid * flows.replacement

    flow, excess = inlet, infused(exchange_flows(inlet, hematocrit, settings)) - limit
    if excess <= 0:
        return inlet
    other = NEARBY * inlet
    while abs(excess) > NEGLIGIBLE * limit and other != flow:
        above = infused(exchange_flows(other, hematocrit, settings)) - limit
        if above == excess:
            break
        # a straight line through both, which is what it nearly always is; where an ordered plasma
        # flow makes it a level one first, it would lead below zero
        crossing = other - above * (other - flow) / (above - excess)
        flow, excess, other = other, above, crossing if crossing > 0 else other / 2
    return flow
