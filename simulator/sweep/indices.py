"""Sensitivity indices of any outcome: Morris' elementary effects, Sobol's shares of variance.

The one door to SALib. Points lie in the unit cube, one row for each run, one column for each input;
what the inputs are, and what is run, is not known here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import CommandError

METHODS = ("sobol", "morris")
LEVELS = 4
"""Of Morris' grid in each direction, as he proposed."""
CONFIDENCE = 0.95
RESAMPLES = 1000
"""Of the bootstrap behind the intervals."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Index:
    """How much an outcome depends on one input.

    Sobol: `first` is the share of the outcome's variance that the input explains alone, `total` the
    share in which it has any part. Morris: `first` is mu*, the mean absolute change of the outcome
    from one end of the input to the other, and `total` is sigma, how far that change depends on
    where it is made. `mean` is the same mean with its sign.
    """

    name: str
    first: float
    first_half_width: float
    """Of the 95 % interval."""
    total: float
    total_half_width: float | None = None
    """Morris' sigma has none."""
    mean: float | None = None

    def named(self, name: str) -> Index:
        """The same of an input by another name."""
        return replace(self, name=name)


def rows_needed(method: str, inputs: int, samples: int) -> int:
    """Runs of a study: samples (Sobol) or trajectories (Morris), times inputs and a little."""
    return samples * (inputs + (2 if method == "sobol" else 1))


def points(method: str, inputs: int, samples: int, seed: int) -> Numbers:
    """Where in the unit cube an outcome is needed, one row for each run.

    Raises `CommandError` if the method cannot do with so many samples or inputs.
    """
    if method == "sobol" and (samples < 2 or samples & (samples - 1)):
        down = 1 << max(1, samples.bit_length() - 1)
        raise CommandError(
            f"--samples {samples}: Sobol's sequence is balanced in powers of two; "
            f"expected {down} or {2 * down}"
        )
    if inputs < 1 or (method == "morris" and samples < 2):
        raise CommandError("expected at least one input, and at least 2 trajectories")
    problem = _problem([f"x{i}" for i in range(inputs)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method == "sobol":
            from SALib.sample import sobol as sampled

            found = sampled.sample(problem, samples, calc_second_order=False, seed=seed)
        else:
            from SALib.sample import morris as walked

            found = walked.sample(problem, samples, num_levels=LEVELS, seed=seed)
    return np.asarray(found, dtype=np.float64)


def indices(
    method: str, names: Sequence[str], points: Numbers, outcome: Numbers, seed: int
) -> tuple[Index, ...]:
    """Indices of every input, in the order of `names`, from the outcome at each of the points."""
    if not np.isfinite(outcome).all():
        raise ValueError("expected an outcome at every point")
    spread = float(outcome.max() - outcome.min())
    if spread <= 1e-12 * max(1.0, float(np.abs(outcome).max())):
        return tuple(Index(name, 0.0, 0.0, 0.0, 0.0, 0.0) for name in names)
    analyzed = _sobol if method == "sobol" else _morris
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return analyzed(names, points, outcome, seed + 1)  # SALib takes 0 for no seed


def _sobol(names: Sequence[str], points: Numbers, outcome: Numbers, seed: int) -> tuple[Index, ...]:
    from SALib.analyze import sobol

    found: Mapping[str, Any] = sobol.analyze(
        _problem(names),
        outcome,
        calc_second_order=False,
        num_resamples=RESAMPLES,
        conf_level=CONFIDENCE,
        seed=seed,
    )
    columns = (found["S1"], found["S1_conf"], found["ST"], found["ST_conf"])
    return tuple(Index(name, *map(float, row)) for name, *row in zip(names, *columns, strict=True))


def _morris(
    names: Sequence[str], points: Numbers, outcome: Numbers, seed: int
) -> tuple[Index, ...]:
    from SALib.analyze import morris

    found: Mapping[str, Any] = morris.analyze(
        _problem(names),
        points,
        outcome,
        num_resamples=RESAMPLES,
        conf_level=CONFIDENCE,
        num_levels=LEVELS,
        seed=seed,
    )
    columns = (found["mu_star"], found["mu_star_conf"], found["sigma"], found["mu"])
    return tuple(
        Index(name, float(star), float(half), float(sigma), None, float(mu))
        for name, star, half, sigma, mu in zip(names, *columns, strict=True)
    )


def _problem(names: Sequence[str]) -> dict[str, Any]:
    # Numbered, because SALib takes equal names for a group.
    return {
        "num_vars": len(names),
        "names": [f"{i} {name}" for i, name in enumerate(names)],
        "bounds": [[0.0, 1.0]] * len(names),
    }
