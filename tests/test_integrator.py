"""The integrator against solutions known in closed form."""

from __future__ import annotations

import math

import pytest

from simulator.patient.integrator import StepTooSmallError, integrate


def decay(y: list[float]) -> list[float]:
    """Two decays, and as fluxes what each loses."""
    return [-0.3 * y[0], -2.0 * y[1], 0.3 * y[0], 2.0 * y[1]]


def run(tolerance: float, end: float = 5.0) -> tuple[list[float], list[float], int]:
    state, lost, count = [10.0, 4.0], [0.0, 0.0], 0
    for step, sums, _ in integrate(decay, state, 0.0, end, 0.1, tolerance):
        state = step.after
        lost = [a + b for a, b in zip(lost, sums, strict=True)]
        count += 1
    return state, lost, count


def test_an_exponential_decay_is_followed_to_the_tolerance() -> None:
    state, _, _ = run(1e-10)
    assert state[0] == pytest.approx(10 * math.exp(-1.5), rel=1e-9)
    assert state[1] == pytest.approx(4 * math.exp(-10), rel=1e-8)


def test_a_tighter_tolerance_takes_more_steps_and_is_closer() -> None:
    loose, _, few = run(1e-4)
    tight, _, many = run(1e-9)
    exact = 10 * math.exp(-1.5)
    assert few < many
    assert abs(tight[0] - exact) < abs(loose[0] - exact) / 100


def test_what_leaves_the_state_is_found_in_the_fluxes_whatever_the_tolerance() -> None:
    state, lost, _ = run(1e-3)
    assert state[0] + lost[0] == pytest.approx(10, rel=1e-14)
    assert state[1] + lost[1] == pytest.approx(4, rel=1e-14)


def test_a_step_can_be_read_anywhere_inside() -> None:
    for step, _, _ in integrate(decay, [10.0, 4.0], 0.0, 5.0, 0.1, 1e-8):
        for fraction in (0.0, 0.1, 0.5, 0.9, 1.0):
            t = step.start + fraction * step.length
            assert step.at(fraction)[0] == pytest.approx(10 * math.exp(-0.3 * t), rel=1e-7)


def test_the_last_step_ends_exactly_at_the_end() -> None:
    *_, (step, _, proposed) = integrate(decay, [10.0, 4.0], 0.0, 5.0, 0.1, 1e-6)
    assert step.end == 5.0
    assert proposed > 0


def test_a_solution_that_runs_away_is_refused() -> None:
    with pytest.raises(StepTooSmallError):
        list(integrate(lambda y: [y[0] ** 2], [1.0], 0.0, 2.0, 0.1, 1e-6))  # blows up at t = 1


def test_a_rate_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(StepTooSmallError):
        list(integrate(lambda y: [math.nan], [1.0], 0.0, 2.0, 0.1, 1e-6))
