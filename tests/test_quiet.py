"""The method for long stretches against closed forms, and against the explicit method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from stand_ins import WOMAN, followed, tracer

from simulator import catalog
from simulator.boundary import REST, Exchange
from simulator.patient import equations, quiet
from simulator.patient.integrator import Step, StepTooSmallError, integrate
from simulator.patient.patient import TOLERANCE, Patient

DAY = 1440.0
PLASMA = 30.0  # mL/min exchanged before the stretches of these tests

State = list[float]


def stiff(y: State) -> State:
    """A slow decay with its flux, and two fast ones that are drawn after it, one losing water."""
    slow, fast, other = y
    lost = 0.5 * slow
    return [-lost, 400 * (slow * slow - fast), 100 * (fast - other) - 3 * other, lost, 3 * other]


def swing(y: State) -> State:
    """Nothing fast, nothing linear: y'' = -sin y, and the work done as a flux."""
    return [y[1], -math.sin(y[0]), -y[1] * math.sin(y[0])]


FAST = quiet.Pair((1, 2, 0))


def follow(
    rates: Callable[[State], State],
    state: State,
    end: float,
    tolerance: float,
    pair: quiet.Pair,
    first_step: float = 1e-3,
) -> tuple[list[Step], State]:
    """The steps and what the fluxes come to."""
    steps, sums = [], [0.0] * (len(rates(state)) - len(state))
    for step, more, _ in quiet.extrapolate(rates, state, 0.0, end, first_step, tolerance, [pair]):
        steps.append(step)
        sums = [a + b for a, b in zip(sums, more, strict=True)]
    return steps, sums


def apart(one: State, other: State) -> float:
    return max(abs(a - b) / max(abs(b), 1e-9) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def exchanged() -> Patient:
    """A patient whose circuit has just been taken away."""
    patient = Patient(WOMAN, followed("igm", "fibrinogen", tracer=tracer()))
    patient.connect()
    acd = catalog.fluid("acd-a")
    patient.advance(2, Exchange(blood_to_circuit=60, anticoagulant=acd, anticoagulant_to_circuit=7))
    exchange = Exchange(
        plasma_to_circuit=PLASMA,
        anticoagulant=acd,
        anticoagulant_to_circuit=0.18 * PLASMA,
        circuit_to_waste=1.18 * PLASMA,
        given=((catalog.fluid("albumin-5"), PLASMA),),
    )
    patient.advance(90, exchange)
    patient.advance(92, Exchange(circuit_to_patient=40.0))
    patient.disconnect()
    return patient


# -- the method ------------------------------------------------------------------------------------


def test_weights_cancel_the_powers_they_are_meant_to() -> None:
    for power in range(quiet.ORDER):
        left = sum(w / n**power for w, n in zip(quiet.WEIGHTS, quiet.PARTS, strict=True))
        assert left == pytest.approx(float(power == 0), abs=1e-13)
        left = sum(w / n**power for w, n in zip(quiet.ERROR, quiet.PARTS, strict=True))
        assert (abs(left) < 1e-13) == (power < quiet.ORDER - 1)


@pytest.mark.parametrize(
    "block", [(0.0, 0.0, 0.0, 0.0), (-1.0, 0.3, 2.0, -0.5), (0.4, 0.5, 0.2, -1.5)]
)
def test_one_step_is_of_order_five_whatever_the_matrix(
    block: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c, d = block
    monkeypatch.setattr(quiet, "_jacobian", lambda *_: [[[a, b], [c, d]]])
    start = [1.0, 0.4]
    misses = []
    for h in (0.2, 0.1, 0.05):
        reference = list(integrate(swing, start, 0.0, h, 1e-3, 1e-13))
        done = sum(sums[0] for _, sums, _ in reference)
        (step,), (work,) = follow(swing, start, h, 1e3, quiet.Pair((0, 1)), first_step=h)
        exact = [*reference[-1][0].after, done]
        misses.append(max(abs(a - b) for a, b in zip([*step.after, work], exact, strict=True)))
    assert misses[0] / misses[1] == pytest.approx(2**6, rel=0.5)
    assert misses[1] / misses[2] == pytest.approx(2**6, rel=0.5)


def test_a_stiff_system_is_followed_to_the_tolerance_in_few_steps() -> None:
    start = [2.0, 1.0, 0.1]
    explicit = list(integrate(stiff, start, 0.0, 4.0, 1e-3, 1e-10))
    steps, _ = follow(stiff, start, 4.0, 1e-7, FAST)
    assert apart(steps[-1].after, explicit[-1][0].after) < 1e-6
    coarse = list(integrate(stiff, start, 0.0, 4.0, 1e-3, 1e-7))
    assert len(steps) < len(coarse) / 3
    assert steps[0].before == start
    assert steps[-1].end == 4.0


def test_what_leaves_the_state_is_found_in_the_fluxes_whatever_the_tolerance() -> None:
    """slow + its flux; and, with the pair's own flux, a closed chain of the fast ones."""

    def chain(y: State) -> State:
        passed, left = 30 * (y[0] * y[0] - y[1]), 2 * y[1]
        return [-passed, passed - left, left]

    for tolerance in (1e-2, 1e-6):
        steps, (lost,) = follow(
            chain, [2.0, 1.0], 3.0, tolerance, quiet.Pair((0, 1), ((0, -1, -1),))
        )
        assert sum(steps[-1].after) + lost == pytest.approx(3.0, rel=1e-13)
        steps, (lost, _) = follow(stiff, [2.0, 1.0, 0.1], 3.0, tolerance, FAST)
        assert steps[-1].after[0] + lost == pytest.approx(2.0, rel=1e-13)


def test_a_step_can_be_read_anywhere_inside() -> None:
    def decay(y: State) -> State:
        return [-0.3 * y[0], -2.0 * y[1]]

    steps, _ = follow(decay, [10.0, 4.0], 5.0, 1e-7, quiet.Pair((0, 1)))
    for step in steps:
        for fraction in (0.0, 0.1, 0.5, 0.9, 1.0):
            t = step.start + fraction * step.length
            assert step.at(fraction)[0] == pytest.approx(10 * math.exp(-0.3 * t), rel=1e-6)
            assert step.at(fraction)[1] == pytest.approx(4 * math.exp(-2.0 * t), rel=2e-6)


def test_a_polynomial_of_degree_five_is_read_exactly() -> None:
    def quintic(t: float) -> float:
        return 1 + t * (2 - t * (3 + t * (1 - t * (0.5 + t * 0.25))))

    def slope(t: float) -> float:
        return 2 - t * (6 + t * (3 - t * (2 + t * 1.25)))

    earlier = quiet.Knot(0.7, [quintic(0.3)], [slope(0.3)])
    step = quiet.QuietStep(
        1.0, 1.5, [quintic(1.0)], [quintic(2.5)], ([slope(1.0)], [slope(2.5)]), earlier
    )
    for fraction in (0.1, 0.4, 0.8):
        assert step.at(fraction)[0] == pytest.approx(quintic(1 + 1.5 * fraction), rel=1e-12)


def test_what_runs_away_or_is_no_number_is_refused() -> None:
    for runs_away in (lambda y: [y[0] ** 2, 0.0], lambda _: [math.nan, 0.0]):
        with pytest.raises(StepTooSmallError):
            follow(runs_away, [1.0, 1.0], 2.0, 1e-6, quiet.Pair((0, 1)))


# -- the patient -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", ["starling", "none"])
def test_what_the_pairs_share_with_fluxes_balances(shift: str, exchanged: Patient) -> None:
    """Ledgers close to rounding, however coarse the steps."""
    patient = exchanged.fork()
    patient.constants = replace(patient.constants, starling=shift == "starling")
    before = patient.weigh()
    rates = equations.rates(patient.constants, patient.therapy, REST, patient.state)
    size = len(patient.state)
    totals = [0.0] * (len(rates(patient.state)) - size)
    for step, sums, _ in quiet.extrapolate(
        rates, patient.state, 0.0, 5 * DAY, 1.0, 1e-3, quiet.pairs_of(size)
    ):
        patient.state = step.after
        totals = [a + b for a, b in zip(totals, sums, strict=True)]
    after = patient.weigh()
    excreted, metabolized, released, regained = totals[:4]
    for substance, gained in {
        "water": -excreted,
        "citrate": -metabolized,
        "calcium": released,
        "magnesium": regained,
    }.items():
        assert after[substance] == pytest.approx(before[substance] + gained, rel=1e-13)


def test_rows_and_the_end_of_a_gap_are_those_of_the_explicit_method(exchanged: Patient) -> None:
    rates = equations.rates(exchanged.constants, exchanged.therapy, REST, exchanged.state)
    start, end = exchanged.state, 7 * DAY
    reference = [step for step, *_ in integrate(rates, start, 0.0, end, 1.0, 1e-10)]
    steps = [step for step, *_ in quiet.integrate(rates, start, 0.0, end, 1.0, TOLERANCE)]
    assert steps[-1].end == end
    assert apart(steps[-1].after, reference[-1].after) < 2e-7
    inside = iter(reference)
    exact = next(inside)
    for step in steps:
        for fraction in (0.25, 0.5, 0.75, 1.0):
            time = step.start + fraction * step.length
            while exact.end < time:
                exact = next(inside)
            expected = exact.at((time - exact.start) / exact.length)
            assert apart(step.at(fraction), expected) < 1e-6


def test_a_gap_costs_a_fraction_of_the_evaluations(exchanged: Patient) -> None:
    rates = equations.rates(exchanged.constants, exchanged.therapy, REST, exchanged.state)
    counts = []
    for method in (integrate, quiet.integrate):
        for days in (2, 14):
            count = 0

            def counted(y: State) -> State:
                nonlocal count
                count += 1
                return rates(y)

            list(method(counted, exchanged.state, 0.0, days * DAY, 1.0, TOLERANCE))
            counts.append(count)
    assert counts[2] < counts[0] / 1.8
    assert counts[3] < counts[1] / 6


def test_a_short_stretch_is_left_to_the_explicit_method(exchanged: Patient) -> None:
    rates = equations.rates(exchanged.constants, exchanged.therapy, REST, exchanged.state)
    methods = (integrate, quiet.integrate)
    ends = [
        [s.after for s, *_ in m(rates, exchanged.state, 0.0, 400.0, 1.0, 1e-7)] for m in methods
    ]
    assert ends[0] == ends[1]


def test_a_gap_in_two_halves_is_the_gap(exchanged: Patient) -> None:
    whole, halves = exchanged.fork(), exchanged.fork()
    begin = exchanged.time
    whole.advance(begin + 4 * DAY)
    halves.advance(begin + 1.7 * DAY)
    halves.advance(begin + 4 * DAY)
    assert apart(whole.state, halves.state) < 3e-7
