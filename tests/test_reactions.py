"""When a patient reacts: hazards, budgets, and the instant found on the integrator's steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import catalog
from simulator.boundary import REST, Exchange
from simulator.catalog import Reaction, chance_rate
from simulator.catalog.entries import REFERENCE_SESSION
from simulator.luck import Luck
from simulator.patient import reactions
from simulator.patient.integrator import State, Step
from simulator.patient.reactions import (
    LAWS,
    Signs,
    Susceptibility,
    urticaria_rate,
)

CALCIUM, BLOOD = 1.2, 5000.0
HIVES, FAINT, TINGLE, FALL = (
    replace(catalog.reaction(name), spread=0.0)  # in a patient like the mean of all
    for name in ("urticaria", "vasovagal", "paresthesia", "hypotension")
)
CALM = Signs(calcium_fall=0.0, calcium_speed=0.0, volume_fall=0.0, urticaria_rate=0.0)
"""A patient in whom nothing has changed."""

Course = Callable[[float], tuple[float, float]]
"""Ionized calcium and blood volume at a time."""


class Fixed(Random):
    """A stream whose first budgets are given, and after that one that is never used up."""

    def __init__(self, *budgets: float, ends: bool = False) -> None:
        super().__init__(0)
        self.budgets, self.ends = list(budgets), ends

    def expovariate(self, lambd: float = 1.0) -> float:
        return self.budgets.pop(0) / lambd if self.budgets else math.inf

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu

    def random(self) -> float:
        return 0.0 if self.ends else 1.0


def steady(time: float) -> tuple[float, float]:
    """Nothing changes."""
    return CALCIUM, BLOOD


NODES = (0.0, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
"""Of the stages whose slopes a step keeps."""


def step(course: Course, start: float, end: float) -> Step:
    """One step along a course that is at most quadratic in time, as the integrator takes it."""
    length = end - start
    slopes = []
    for node in NODES:
        time = start + node * length
        around = zip(course(time - 1), course(time + 1), strict=True)
        slopes.append([(after - before) / 2 for before, after in around])
    return Step(start, length, list(course(start)), list(course(end)), tuple(slopes))


def susceptible(
    *those: Reaction,
    budgets: Mapping[str, Sequence[float]] | None = None,
    first_session: bool = False,
    ends: bool = False,
    course: Course = steady,
) -> Susceptibility:
    """A mean patient with budgets given by reaction."""

    def luck(whose: str, purpose: str) -> Random:
        return Fixed(*(budgets or {}).get(purpose, ()), ends=ends)

    return Susceptibility(
        those, list(course(0.0)), _calcium, _volume, luck, first_session=first_session
    )


def first_reaction(one: Susceptibility, cuts: Sequence[float], course: Course = steady) -> float:
    """When the first reaction comes, in steps cut at these times; infinite if none does."""
    for start, end in pairwise(cuts):
        if (when := one.watch(step(course, start, end))) is not None:
            return when
    return math.inf


def _calcium(state: State) -> float:
    return state[0]


def _volume(state: State) -> float:
    return state[1]


cuts = st.lists(st.floats(0.01, 30.0), min_size=1, max_size=12)


def cut_at(lengths: Sequence[float]) -> list[float]:
    """Times from 0 on, past 400."""
    times = [0.0]
    for length in (*lengths, 400.0):
        times.append(times[-1] + length)
    return times


# -- laws ------------------------------------------------------------------------------------------


@given(st.floats(1e-6, 0.9))
def test_a_rate_makes_its_probability_in_a_reference_session(probability: float) -> None:
    rate = chance_rate(probability)
    assert 1 - math.exp(-REFERENCE_SESSION * rate) == pytest.approx(probability)


def test_every_reaction_of_the_catalog_has_a_law_and_no_law_is_idle() -> None:
    assert {catalog.reaction(name).law for name in catalog.names("reactions")} == set(LAWS)


@pytest.mark.parametrize(
    ("reaction", "sign"),
    [(TINGLE, "calcium_fall"), (FALL, "volume_fall")],
    ids=lambda x: str(x)[:9],
)
def test_at_the_reference_fall_the_hazard_is_the_catalogs(reaction: Reaction, sign: str) -> None:
    law, fall = LAWS[reaction.law], reaction.reference_fall
    reference = law(reaction, replace(CALM, **{sign: fall}))
    assert reference == pytest.approx(chance_rate(reaction.rate))
    doubled = law(reaction, replace(CALM, **{sign: 2 * fall}))
    assert doubled == pytest.approx(2**reaction.exponent * reference)
    assert law(reaction, CALM) == 0.0
    assert law(reaction, replace(CALM, **{sign: -fall})) == 0.0


def test_calcium_that_falls_fast_is_felt_as_if_it_had_fallen_further() -> None:
    """By the fall that some minutes of this speed would add; a rise relieves nobody."""
    falling = replace(CALM, calcium_fall=0.05, calcium_speed=0.01)
    further = replace(CALM, calcium_fall=0.05 + TINGLE.speed_gain * 0.01)
    law = LAWS["calcium-fall"]
    assert law(TINGLE, falling) == pytest.approx(law(TINGLE, further))
    rising, still = (replace(CALM, calcium_fall=0.05, calcium_speed=s) for s in (-0.01, 0.0))
    assert law(TINGLE, rising) == law(TINGLE, still)


def test_a_constant_hazard_looks_at_nothing() -> None:
    ill = Signs(calcium_fall=0.3, calcium_speed=0.1, volume_fall=0.3, urticaria_rate=9.0)
    assert LAWS["constant"](FAINT, ill) == LAWS["constant"](FAINT, CALM) == chance_rate(FAINT.rate)


def test_hives_come_with_the_fluids_that_are_known_to_give_them() -> None:
    plasma, saline = catalog.fluid("fresh-frozen-plasma"), catalog.fluid("saline")
    assert plasma.urticaria > saline.urticaria == 0
    exchange = Exchange(given=((plasma, 30.0), (saline, 20.0)))
    assert urticaria_rate(exchange) == pytest.approx(0.030 * plasma.urticaria)
    assert urticaria_rate(REST) == 0
    assert LAWS["fluid-given"](HIVES, replace(CALM, urticaria_rate=0.01)) == 0.01


# -- budgets and instants --------------------------------------------------------------------------


@given(cuts, st.floats(0.001, 3.0))
def test_a_constant_hazard_comes_when_it_has_used_up_its_budget(
    lengths: list[float], minutes: float
) -> None:
    """However the integrator cuts its steps: budget over hazard."""
    budget = 100 * minutes * chance_rate(FAINT.rate)
    one = susceptible(FAINT, budgets={"vasovagal": [budget]})
    assert first_reaction(one, cut_at(lengths)) == pytest.approx(100 * minutes, abs=1e-9)
    assert one.due is FAINT


@given(cuts, st.floats(1.0, 300.0))
def test_a_hazard_that_grows_in_proportion_to_time_comes_at_the_square_root(
    lengths: list[float], minutes: float
) -> None:
    """Blood volume falls steadily; with an exponent of 1 the integral of the hazard is s t² / 2."""
    linear = replace(FALL, exponent=1.0)

    def falls(time: float) -> tuple[float, float]:
        return CALCIUM, BLOOD * (1 - 0.002 * time)

    slope = chance_rate(linear.rate) * 0.002 / linear.reference_fall
    one = susceptible(linear, budgets={"hypotension": [slope * minutes**2 / 2]})
    assert first_reaction(one, cut_at(lengths), falls) == pytest.approx(minutes, abs=1e-8)


@given(st.floats(0.01, 5.0), st.floats(0, 5), st.floats(0, 5), st.floats(0, 1), st.booleans())
def test_the_share_of_a_step_that_uses_up_a_budget_is_found_again(
    constant: float, linear: float, square: float, share: float, falls: bool
) -> None:
    rises = tuple(constant + linear * s + square * s**2 for s in (0.0, 0.5, 1.0))
    a, b, c = reversed(rises) if falls else rises
    budget = reactions._integral((a, b, c), share)
    assert reactions._reached((a, b, c), budget) == pytest.approx(share, abs=1e-10)


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.floats(0.0, 1.0))
def test_the_integral_is_that_of_the_parabola_through_three_points(
    coefficients: tuple[float, float, float], share: float
) -> None:
    a, b, c = coefficients

    def hazard(s: float) -> float:
        return a + b * s + c * s * s

    expected = a * share + b * share**2 / 2 + c * share**3 / 3
    hazards = (hazard(0.0), hazard(0.5), hazard(1.0))
    assert reactions._integral(hazards, share) == pytest.approx(expected, abs=1e-12)


def test_of_two_reactions_in_one_step_the_earlier_comes_and_the_other_keeps_the_rest() -> None:
    other = replace(FAINT, name="other")
    rate = chance_rate(FAINT.rate)
    for first, second in ((FAINT, other), (other, FAINT)):
        one = susceptible(FAINT, other, budgets={first.name: [40 * rate], second.name: [70 * rate]})
        assert one.watch(step(steady, 0.0, 100.0)) == pytest.approx(40.0, rel=1e-9)
        assert one.taken()[0] is first
        # from minute 40 on, 30 min are left
        assert first_reaction(one, [40.0, 55.0, 90.0, 200.0]) == pytest.approx(70.0, rel=1e-9)
        assert one.taken()[0] is second


def test_after_a_reaction_a_new_budget_is_drawn() -> None:
    rate = chance_rate(FAINT.rate)
    one = susceptible(FAINT, budgets={"vasovagal": [40 * rate, 25 * rate]})
    assert first_reaction(one, [0.0, 100.0]) == pytest.approx(40.0, rel=1e-9)
    one.taken()
    assert first_reaction(one, [40.0, 100.0]) == pytest.approx(65.0, rel=1e-9)


def test_in_a_patient_who_does_not_change_only_the_constant_hazard_is_there() -> None:
    budgets = dict.fromkeys(catalog.names("reactions"), (1e-09,))
    one = susceptible(TINGLE, FALL, HIVES, budgets=budgets)
    assert first_reaction(one, [0.0, 50.0, 500.0]) == math.inf


def test_hives_come_only_while_the_fluid_runs() -> None:
    plasma = catalog.fluid("fresh-frozen-plasma")
    exchange = Exchange(given=((plasma, 40.0),))
    one = susceptible(HIVES, budgets={"urticaria": [30 * urticaria_rate(exchange)]})
    assert first_reaction(one, [0.0, 100.0]) == math.inf
    one.begin(exchange)
    assert first_reaction(one, [100.0, 120.0]) == math.inf
    one.begin(REST)
    assert first_reaction(one, [120.0, 300.0]) == math.inf
    one.begin(exchange)
    assert first_reaction(one, [300.0, 400.0]) == pytest.approx(310.0, rel=1e-9)


@pytest.mark.parametrize("length", [1.0, 7.0, 50.0])
def test_the_fall_is_measured_from_before_the_session_and_its_speed_within_the_step(
    length: float,
) -> None:
    """Calcium falls by k t²; with an exponent of 1 the hazard is s (k t² + 2 τ k t)."""

    def falls(time: float) -> tuple[float, float]:
        return CALCIUM * (1 - 1e-5 * time**2), BLOOD

    linear = replace(TINGLE, exponent=1.0)
    scale = 1e-5 * chance_rate(linear.rate) / linear.reference_fall
    budget = scale * (30.0**3 / 3 + linear.speed_gain * 30.0**2)
    one = susceptible(linear, budgets={"paresthesia": [budget]}, course=falls)
    times = [i * length for i in range(101)]
    assert first_reaction(one, times, falls) == pytest.approx(30.0, rel=1e-8)


# -- what one reaction does to others, sessions and patients ---------------------------------------


def test_paresthesia_raises_the_hazard_of_fainting_once() -> None:
    tingle = replace(FAINT, name="paresthesia", after_paresthesia=1.0)
    rate, more = chance_rate(FAINT.rate), FAINT.after_paresthesia
    assert more > 1
    budgets = {"paresthesia": [10 * rate, 1 * rate], "vasovagal": [(10 + more * 5) * rate]}
    one = susceptible(tingle, FAINT, budgets=budgets)
    assert first_reaction(one, [0.0, 100.0]) == pytest.approx(10.0, rel=1e-9)
    assert one.taken()[0] is tingle
    assert first_reaction(one, [10.0, 100.0]) == pytest.approx(11.0, rel=1e-9)
    assert one.taken()[0] is tingle  # a second time, which adds nothing
    assert first_reaction(one, [11.0, 100.0]) == pytest.approx(15.0, rel=1e-9)
    assert one.taken()[0] is FAINT


def test_other_reactions_raise_nothing() -> None:
    other = replace(FAINT, name="other", after_paresthesia=1.0)
    rate = chance_rate(FAINT.rate)
    one = susceptible(other, FAINT, budgets={"other": [10 * rate], "vasovagal": [20 * rate]})
    first_reaction(one, [0.0, 100.0])
    one.taken()
    assert first_reaction(one, [10.0, 100.0]) == pytest.approx(20.0, rel=1e-9)


def test_the_first_session_has_its_own_factor() -> None:
    budget = 60 * chance_rate(FAINT.rate)
    for first_session, factor in ((False, 1.0), (True, FAINT.first_session)):
        one = susceptible(FAINT, budgets={"vasovagal": [budget]}, first_session=first_session)
        assert first_reaction(one, [0.0, 100.0]) == pytest.approx(60.0 / factor, rel=1e-9)
    assert FAINT.first_session > 1


@pytest.mark.parametrize("ends", [False, True])
def test_whether_a_reaction_ends_the_session_is_drawn(ends: bool) -> None:
    one = susceptible(FAINT, budgets={"vasovagal": [1e-6]}, ends=ends)
    first_reaction(one, [0.0, 100.0])
    assert one.taken() == (FAINT, ends)
    assert one.due is None


def drawn(reaction: Reaction, number: int, *, same_patient: bool = False) -> Susceptibility:
    """A patient by number in a later session, with luck."""
    luck = Luck(20)

    def stream(whose: str, purpose: str) -> Random:
        each = 0 if same_patient and whose == "patient" else number
        return luck.stream(whose, each, purpose)

    state = list(steady(0.0))
    return Susceptibility((reaction,), state, _calcium, _volume, stream, first_session=False)


def test_the_mean_patient_has_the_catalogs_hazard() -> None:
    """Log-normal factors with mean 1; their standard error is sqrt(exp(s²) - 1) / sqrt(n)."""
    tingle, number = catalog.reaction("paresthesia"), 4000
    factors = [drawn(tingle, i)._pending[0].factor for i in range(number)]
    spread = tingle.spread
    error = math.sqrt((math.exp(spread**2) - 1) / number)
    assert sum(factors) / number == pytest.approx(1.0, abs=3 * error)
    assert len(set(factors)) == number
    assert len({drawn(tingle, i, same_patient=True)._pending[0].factor for i in range(9)}) == 1


@pytest.mark.parametrize("name", ["paresthesia", "hypotension", "vasovagal"])
def test_under_reference_conditions_the_catalogs_share_of_sessions_has_a_reaction(
    name: str,
) -> None:
    """Of 4000 sessions of a mean patient; three binomial standard errors."""
    reaction, number = replace(catalog.reaction(name), spread=0.0), 4000

    def low(time: float) -> tuple[float, float]:
        fall = 1 - reaction.reference_fall
        return CALCIUM * fall, BLOOD * fall

    times = [0.0, 3.0, 10.0, 45.0, REFERENCE_SESSION]
    steps = [step(low, start, end) for start, end in pairwise(times)]
    patients = (drawn(reaction, i) for i in range(number))
    had = sum(any(one.watch(s) is not None for s in steps) for one in patients)
    error = math.sqrt(reaction.rate * (1 - reaction.rate) / number)
    assert had / number == pytest.approx(reaction.rate, abs=3 * error)


# -- luck ------------------------------------------------------------------------------------------


def test_a_stream_depends_on_the_seed_and_its_name_only() -> None:
    luck = Luck(7)
    expected = luck.stream("session", 2, "access").random()
    for _ in range(10):
        luck.stream("session", 1, "access").random()
        luck.stream("something", "new").gauss(0.0, 1.0)
    assert luck.stream("session", 2, "access").random() == expected
    assert Luck(7).stream("session", 2, "access").random() == expected


def test_streams_of_other_seeds_names_and_numbers_are_others() -> None:
    first = Luck(7).stream("session", 2, "access").random()
    others = [
        Luck(8).stream("session", 2, "access"), Luck(7).stream("session", 1, "access"),
        Luck(7).stream("session", 2, "vessel"), Luck(7).stream("patient", 2, "access"),
        Luck(7).stream("session", 2), Luck(7).stream("session", "2a", "ccess"),
    ]  # fmt: skip
    assert len({first, *(other.random() for other in others)}) == 1 + len(others)


def test_drawing_from_one_stream_does_not_move_another() -> None:
    luck = Luck(3)
    one, other = luck.stream("one"), luck.stream("other")
    expected = [Luck(3).stream("other").random()]
    for _ in range(100):
        one.random()
    assert [other.random()] == expected
