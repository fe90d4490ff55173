"""How a patient reacts to a session: hazards that follow his state, not thresholds.

Each reaction has a hazard h (per min); it comes when the integral of h has used up a budget drawn
from the exponential distribution of mean 1. So what happens follows from the seed and the patient's
own curves, however finely these are written, and nothing is polled: the instant is found on the
integrator's interpolant. Rates and their sources: `catalog/reactions/`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulator.boundary import Exchange
from simulator.catalog import Reaction, chance_rate
from simulator.patient.integrator import State, Step

PARESTHESIA = "paresthesia"
"""The reaction after which others become more probable; see `after_paresthesia`."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the hazards look at, at one instant."""

    calcium_fall: float
    """Relative fall of ionized calcium since before the session."""
    calcium_speed: float
    """How fast that fall grows, per min."""
    volume_fall: float
    """Relative fall of the blood volume since before the session."""
    urticaria_rate: float
    """Urticarial reactions per min to be expected from the fluids that run in."""


def calcium_fall(reaction: Reaction, signs: Signs) -> float:
    """Hazard per min that grows with the fall of ionized calcium and with its speed.

    h = r (max(0, d + τ d') / d_ref)^n,  d the relative fall, d' its speed, τ `speed_gain`
    """
    felt = signs.calcium_fall + reaction.speed_gain * max(0.0, signs.calcium_speed)
    relative = max(0.0, felt) / reaction.reference_fall
    return chance_rate(reaction.rate) * math.pow(relative, reaction.exponent)


def volume_fall(reaction: Reaction, signs: Signs) -> float:
    """Hazard per min that grows with the fall of the blood volume: h = r (max(0, d) / d_ref)^n."""
    relative = max(0.0, signs.volume_fall) / reaction.reference_fall
    return chance_rate(reaction.rate) * math.pow(relative, reaction.exponent)


def constant(reaction: Reaction, signs: Signs) -> float:
    """The same hazard at every minute of a session."""
    del signs
    return chance_rate(reaction.rate)


def fluid_given(reaction: Reaction, signs: Signs) -> float:
    """Hazard per min from what each fluid is known to provoke per liter."""
    del reaction
    return signs.urticaria_rate


Law = Callable[[Reaction, Signs], float]
LAWS: dict[str, Law] = {
    "calcium-fall": calcium_fall,
    "volume-fall": volume_fall,
    "constant": constant,
    "fluid-given": fluid_given,
}
"""By the name that a catalog file gives as its `law`."""


def urticaria_rate(exchange: Exchange) -> float:
    """Urticarial reactions per min to be expected from what runs in."""
    return sum(flow * fluid.urticaria for fluid, flow in exchange.given) / 1000


@dataclass
class _Pending:
    """One reaction that has not come yet."""

    reaction: Reaction
    law: Law
    factor: float
    """Of this patient, in this session."""
    luck: Random
    left: float
    """What is left of the budget."""


class Susceptibility:
    """Which reactions one patient has in one session, and when.

    `luck` gives a stream for this patient (the same in every session) and for this session, by
    purpose. Reading a state: `calcium` (mmol/L) and `blood_volume` (mL).
    """

    def __init__(
        self,
        reactions: tuple[Reaction, ...],
        state: State,
        calcium: Callable[[State], float],
        blood_volume: Callable[[State], float],
        luck: Callable[[str, str], Random],
        first_session: bool,
    ) -> None:
        self._calcium, self._blood_volume = calcium, blood_volume
        self._calcium_before, self._volume_before = calcium(state), blood_volume(state)
        self._urticaria = 0.0
        self.due: Reaction | None = None
        """The reaction that stopped the clock, until `taken`."""
        self._tingled = False
        self._pending: list[_Pending] = []
        for reaction in reactions:
            nature = luck("patient", reaction.name)
            draws = luck("session", reaction.name)
            # log-normal with mean 1, so that the catalog's rate is that of the mean patient
            spread = reaction.spread
            factor = math.exp(spread * nature.gauss(0.0, 1.0) - spread**2 / 2)
            if first_session:
                factor *= reaction.first_session
            self._pending.append(
                _Pending(reaction, LAWS[reaction.law], factor, draws, draws.expovariate(1.0))
            )

    def begin(self, exchange: Exchange) -> None:
        """From now on this runs in."""
        self._urticaria = urticaria_rate(exchange)

    def watch(self, step: Step) -> float | None:
        """The time (min) inside a step at which a reaction comes; None, and the step is used up."""
        self.due = None
        signs = self._signs(step)
        used = []
        first, when = None, 1.0
        for pending in self._pending:
            start, middle, end = (
                pending.factor * pending.law(pending.reaction, each) for each in signs
            )
            total = step.length * (start + 4 * middle + end) / 6
            if total >= pending.left:
                at = _reached((start, middle, end), pending.left / step.length)
                if first is None or at < when:
                    first, when = pending, at
            used.append((start, middle, end))
        for pending, hazards in zip(self._pending, used, strict=True):
            pending.left -= step.length * _integral(hazards, when)
        if first is None:
            return None
        self.due = first.reaction
        first.left = first.luck.expovariate(1.0)
        return step.start + when * step.length

    def taken(self) -> tuple[Reaction, bool]:
        """The reaction that is due now, and whether it ends the session."""
        assert self.due is not None
        pending = next(p for p in self._pending if p.reaction is self.due)
        if self.due.name == PARESTHESIA and not self._tingled:
            self._tingled = True
            for other in self._pending:
                other.factor *= other.reaction.after_paresthesia
        self.due = None
        return pending.reaction, pending.luck.random() < pending.reaction.ends_session

    def _signs(self, step: Step) -> tuple[Signs, Signs, Signs]:
        """At the beginning, in the middle and at the end of a step."""
        states = (step.before, step.at(0.5), step.after)
        falls = [1 - self._calcium(y) / self._calcium_before for y in states]
        a, b, c = falls
        # the slope of the parabola through the three
        speeds = [(4 * b - 3 * a - c), (c - a), (3 * c + a - 4 * b)]
        first, second, third = (
            Signs(
                calcium_fall=fall,
                calcium_speed=speed / step.length,
                volume_fall=1 - self._blood_volume(y) / self._volume_before,
                urticaria_rate=self._urticaria,
            )
            for y, fall, speed in zip(states, falls, speeds, strict=True)
        )
        return first, second, third


def _integral(hazards: tuple[float, float, float], share: float) -> float:
    """Of the parabola through three hazards at 0, 1/2 and 1, from 0 to `share`."""
    a, b, c = hazards
    slope, curve = 4 * b - 3 * a - c, 2 * (a + c - 2 * b)
    return share * (a + share * (slope / 2 + share * curve / 3))


def _reached(hazards: tuple[float, float, float], budget: float) -> float:
    """The share of the step at which the integral reaches the budget, by bisection."""
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        if _integral(hazards, middle) < budget:
            low = middle
        else:
            high = middle
    return high
