"""Sensitivity indices are those of textbooks, and a study says in words what they mean."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.errors import CommandError
from simulator.sweep import indices as found_by
from simulator.sweep import sensitivity
from simulator.sweep.indices import METHODS, Index
from simulator.sweep.sensitivity import Study, in_words

Numbers = NDArray[np.float64]


def ishigami(unit: Numbers) -> Numbers:
    """Ishigami's function, a = 7, b = 0.1, over [−π, π]³."""
    x, y, z = (2 * np.pi * unit - np.pi).T
    return np.asarray(np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))


def analytic_indices_of_ishigami() -> tuple[list[float], list[float]]:
    """First and total indices, from its variances in closed form."""
    a, b, pi = 7.0, 0.1, np.pi
    alone = [(1 + b * pi**4 / 5) ** 2 / 2, a**2 / 8, 0.0]
    joint = 8 * b**2 * pi**8 / 225
    variance = sum(alone) + joint
    totals = [alone[0] + joint, alone[1], joint]
    return [v / variance for v in alone], [v / variance for v in totals]


def study_of(method: str, *found: Index) -> Study:
    names = tuple("" for _ in found)
    values = np.linspace(10.0, 30.0, 101)
    return Study("T", "left igg @ 14 d", "%", method, found, names, values, seed=1)


# -- indices ---------------------------------------------------------------------------------------


def test_sobol_indices_of_ishigami_are_the_analytic_ones() -> None:
    points = found_by.points("sobol", 3, 4096, seed=1)
    found = found_by.indices("sobol", ["x", "y", "z"], points, ishigami(points), seed=1)
    first, total = analytic_indices_of_ishigami()
    assert [each.first for each in found] == pytest.approx(first, abs=0.02)
    assert [each.total for each in found] == pytest.approx(total, abs=0.02)


def test_intervals_of_sobol_indices_hold_the_analytic_ones() -> None:
    inside = []
    first, total = analytic_indices_of_ishigami()
    for seed in range(10):
        points = found_by.points("sobol", 3, 256, seed=seed)
        found = found_by.indices("sobol", ["x", "y", "z"], points, ishigami(points), seed=seed)
        inside += [
            abs(e.first - s) <= e.first_half_width for e, s in zip(found, first, strict=True)
        ]
        inside += [
            abs(e.total - s) <= (e.total_half_width or 0) for e, s in zip(found, total, strict=True)
        ]
    # of 60 intervals of 95 %; quasi-random points are better than the bootstrap believes
    assert sum(inside) >= 54


@pytest.mark.parametrize("method", METHODS)
def test_a_linear_outcome_has_the_indices_of_its_coefficients(method: str) -> None:
    coefficients = np.array([3.0, -2.0, 1.0, 0.0])
    points = found_by.points(method, 4, 1024 if method == "sobol" else 10, seed=3)
    found = found_by.indices(method, list("abcd"), points, points @ coefficients, seed=3)
    if method == "sobol":
        shares = coefficients**2 / (coefficients**2).sum()
        assert [each.first for each in found] == pytest.approx(list(shares), abs=0.02)
        assert [each.total for each in found] == pytest.approx(list(shares), abs=0.02)
    else:
        assert [each.first for each in found] == pytest.approx([3, 2, 1, 0], abs=1e-9)
        assert [each.mean for each in found] == pytest.approx([3, -2, 1, 0], abs=1e-9)
        assert [each.total for each in found] == pytest.approx([0, 0, 0, 0], abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_indices_to_the_last_digit(method: str, seed: int) -> None:
    def once() -> tuple[Index, ...]:
        points = found_by.points(method, 3, 16, seed)
        return found_by.indices(method, ["x", "y", "z"], points, ishigami(points), seed)

    assert once() == once()


@pytest.mark.parametrize("method", METHODS)
def test_as_many_points_are_asked_for_as_are_said(method: str) -> None:
    points = found_by.points(method, 5, 8, seed=1)
    assert points.shape == (found_by.rows_needed(method, 5, 8), 5)
    assert points.min() >= 0
    assert points.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_what_never_changes_depends_on_nothing(method: str) -> None:
    points = found_by.points(method, 2, 8, seed=1)
    found = found_by.indices(method, ["a", "b"], points, np.full(len(points), 5.0), seed=1)
    assert [(each.first, each.total) for each in found] == [(0, 0), (0, 0)]
    assert in_words(study_of(method, *found)) == ["left igg @ 14 d is the same in all 101 runs."]


def test_samples_of_sobol_are_a_power_of_two() -> None:
    with pytest.raises(CommandError, match=r"--samples 100: .* expected 64 or 128"):
        found_by.points("sobol", 2, 100, seed=1)


def test_an_outcome_that_is_missing_is_not_overlooked() -> None:
    points = found_by.points("sobol", 2, 8, seed=1)
    values = ishigami(np.column_stack([points, points[:, 0]]))
    values[3] = np.nan
    with pytest.raises(ValueError, match="at every point"):
        found_by.indices("sobol", ["a", "b"], points, values, seed=1)


# -- in words --------------------------------------------------------------------------------------


def test_shares_of_the_variance_are_told_in_words() -> None:
    study = study_of(
        "sobol",
        Index("patient.weight", 0.01, 0.02, 0.02, 0.01),
        Index("solutes.antibody.half_life", 0.66, 0.05, 0.68, 0.06),
        Index("prescription.exchange", 0.28, 0.04, 0.30, 0.04),
    )
    said = in_words(study)
    assert said[0] == (
        "Over 101 runs, left igg @ 14 d lies around 20 %, nine of ten from 11 to 29 %."
    )
    assert said[1] == (
        "The half life of antibody explains two thirds of the variance of left igg @ 14 d alone: "
        "66 % ± 5."
    )
    assert said[2] == "Then exchange 28 % ± 4."
    assert said[3] == "Hardly any share, even together with others: weight 2 % ± 1."
    assert len(said) == 4


def test_inputs_that_act_together_and_wide_intervals_are_told() -> None:
    study = study_of(
        "sobol", Index("patient.weight", 0.3, 0.12, 0.7, 0.2), Index("x.y", 0.3, 0.05, 0.7, 0.1)
    )
    said = " ".join(in_words(study))
    assert "About 40 % of the variance comes from inputs acting together." in said
    assert "as wide as ± 20 %" in said


def test_effects_are_told_with_their_direction() -> None:
    study = study_of(
        "morris",
        Index("patient.weight", 0.2, 0.1, 0.1, None, 0.2),
        Index("solutes.antibody.half_life", 12.0, 1.5, 3.0, None, -12.0),
        Index("prescription.exchange", 6.0, 1.0, 8.0, None, 1.0),
    )
    said = in_words(study)
    assert said[1] == (
        "The half life of antibody matters most: from one end of its range to the other it moves "
        "left igg @ 14 d down by 12 % on average (± 1.5)."
    )
    assert said[2] == "Then exchange up or down by 6 %."
    assert said[3] == "Less than a tenth of that: weight."
    assert re.search(r"σ above µ\*\): exchange\.$", said[4])


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "practically all"), (2 / 3, "two thirds"), (0.5, "half"), (1 / 3, "a third"),
     (0.25, "a quarter"), (0.9, "nine tenths"), (0.75, "three quarters"), (0.01, "little")],
)  # fmt: skip
def test_a_share_has_words(share: float, words: str) -> None:
    assert sensitivity._fraction(share) == words
