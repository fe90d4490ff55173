"""Designs: which value everything that is varied has in run k of a sweep, for any k, alone.

Run k is sample k % samples of arm k // samples. In a ``grid`` lists and ranges are crossed into
arms, in a ``zip`` they run in parallel; what is drawn from distributions is drawn alike for every
arm, and so is luck, so that arms differ in nothing but what they are. In ``random``, ``lhs`` and
``sobol`` designs everything is drawn: lists and ranges evenly.

Draws are functions of seed, factor and sample, not of what was drawn before: a slice of a sweep
needs no memory of the rest, and is the same however the sweep is cut.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import CommandError
from simulator.sweep.draws import Floats, Integers, hashed, permuted, uniform
from simulator.sweep.factors import Factor as Factor
from simulator.sweep.factors import factor_of as factor_of

KINDS = ("grid", "zip", "random", "lhs", "sobol")
DRAWN = ("random", "lhs", "sobol")
MOST_RUNS = 100_000_000
USUAL_SAMPLES = 256
LUCK = "luck"
LEAST_SHARE = 2.0**-53


@dataclass(frozen=True)
class Design:
    """What every run of a sweep is."""

    factors: tuple[Factor, ...]
    kind: str
    samples: int
    seed: int
    correlated: tuple[str, ...] = ()
    """Addresses of factors that are drawn together."""
    root: tuple[tuple[float, ...], ...] = ()
    """Cholesky root of their correlations, as normal scores."""
    left_out: tuple[str, ...] = ()
    """What a population has and this scenario does not."""

    @property
    def arms(self) -> int:
        """Points that are crossed or run in parallel."""
        lengths = [len(f.values) for f in self._crossed]
        if not lengths:
            return 1
        return math.prod(lengths) if self.kind == "grid" else lengths[0]

    @property
    def size(self) -> int:
        """The number of runs."""
        return self.arms * self.samples

    @property
    def _crossed(self) -> tuple[Factor, ...]:
        if self.kind in DRAWN:
            return ()
        return tuple(f for f in self.factors if not f.distribution)

    def values(self, start: int, stop: int) -> dict[str, NDArray[Any]]:
        """The values of runs `start` to `stop` (not included), by address."""
        runs = np.arange(start, stop, dtype=np.int64)
        arm, sample = runs // self.samples, runs % self.samples
        drawn = [f for f in self.factors if f not in self._crossed]
        found: dict[str, NDArray[Any]] = {}
        left = arm
        for factor in reversed(self._crossed):
            if self.kind == "zip":
                found[factor.address] = factor.listed(arm)
            else:
                found[factor.address] = factor.listed(left % len(factor.values))
                left = left // len(factor.values)
        if drawn:
            shares = self._shares([f.address for f in drawn], sample)
            for f in sorted(drawn, key=lambda f: bool(f.by)):  # what others go by comes first
                found[f.address] = f.at(shares[f.address], found.get(f.by))
        return {f.address: found[f.address] for f in self.factors}

    def seeds(self, start: int, stop: int) -> Integers:
        """The seed of each run's luck: the same for all arms of a sample."""
        sample = np.arange(start, stop, dtype=np.int64) % self.samples
        drawn = (hashed(self.seed, LUCK, sample) >> np.uint64(33)).astype(np.int64)
        return np.where(sample == 0, self.seed, drawn)

    def overrides(self, run: int) -> tuple[str, ...]:
        """What ``--set`` is given to repeat a run alone."""
        values = self.values(run, run + 1)
        return tuple(f"{f.address}={f.text(values[f.address][0])}" for f in self.factors)

    def in_words(self) -> list[str]:
        """What is varied, a line for each, and how many runs that makes."""
        lines = [f"{f.address}: {f.words}" for f in self.factors]
        if self.correlated:
            lines.append(f"drawn together: {', '.join(self.correlated)}")
        if self.left_out:
            lines.append(f"not in this scenario: {', '.join(self.left_out)}")
        made = f"{self.samples:,} samples" if self.kind in DRAWN else f"{self.arms:,} arms"
        if self.kind not in DRAWN and self.samples > 1:
            made += f" × {self.samples:,} samples"
        return [*lines, f"{self.kind}: {made} = {self.size:,} runs"]

    def _shares(self, addresses: Sequence[str], sample: Integers) -> dict[str, Floats]:
        """Shares of the range of each drawn factor, for some samples."""
        if self.kind == "sobol":
            shares = self._sobol(addresses, sample)
        elif self.kind == "lhs":
            shares = {
                a: (permuted(self.seed, a, sample, self.samples) + uniform(self.seed, a, sample))
                / self.samples
                for a in addresses
            }
        else:
            shares = {a: uniform(self.seed, a, sample) for a in addresses}
        # a share of 0 or 1 has no value where a distribution has no end
        inside = {a: np.clip(s, LEAST_SHARE, 1 - LEAST_SHARE) for a, s in shares.items()}
        return self._together(inside)

    def _sobol(self, addresses: Sequence[str], sample: Integers) -> dict[str, Floats]:
        from scipy.stats import qmc

        sequence = qmc.Sobol(len(addresses), scramble=True, rng=self.seed)
        first = int(sample[0]) if len(sample) else 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a slice is no power of two
            if first:
                sequence.fast_forward(first)
            points = sequence.random(len(sample))
        return {a: np.ascontiguousarray(points[:, i]) for i, a in enumerate(addresses)}

    def _together(self, shares: dict[str, Floats]) -> dict[str, Floats]:
        """The shares of what is drawn together, by a Gaussian copula."""
        if not self.correlated:
            return shares
        from scipy.special import ndtr, ndtri

        scores = [ndtri(shares[a]) for a in self.correlated]
        mixed: dict[str, Floats] = {}
        for address, row in zip(self.correlated, self.root, strict=True):
            # term by term: a matrix product rounds by the length of the slice
            score = np.zeros(len(scores[0]))
            for weight, each in zip(row, scores, strict=True):
                score += weight * each
            mixed[address] = np.clip(ndtr(score), LEAST_SHARE, 1 - LEAST_SHARE)
        return shares | mixed

    def to_data(self) -> dict[str, Any]:
        """As plain data, from which `from_data` makes the same design."""
        factors = [
            {"address": f.address, "unit": f.unit, "values": list(f.values), "ends": f.ends,
             "distribution": f.distribution, "parameters": dict(f.parameters), "by": f.by,
             "cases": {case: dict(held) for case, held in f.cases.items()}}
            for f in self.factors
        ]  # fmt: skip
        return {"kind": self.kind, "samples": self.samples, "seed": self.seed, "factors": factors,
                "correlated": list(self.correlated), "root": [list(r) for r in self.root],
                "left_out": list(self.left_out)}  # fmt: skip

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Design:
        """The design that `to_data` has written."""
        factors = tuple(
            Factor(
                f["address"], f["unit"], tuple(f["values"]),
                tuple(f["ends"]) if f["ends"] else None, f["distribution"], f["parameters"],
                f["by"], f["cases"],
            )
            for f in data["factors"]
        )  # fmt: skip
        root = tuple(tuple(r) for r in data["root"])
        return cls(factors, data["kind"], data["samples"], data["seed"],
                   tuple(data["correlated"]), root, tuple(data["left_out"]))  # fmt: skip


def design_of(block: Mapping[str, Any], seed: int) -> Design:
    """The design that a sweep block describes; raises `CommandError` with what was expected."""
    vary = dict(block.get("vary") or {})
    correlated: tuple[str, ...] = ()
    root: tuple[tuple[float, ...], ...] = ()
    left_out: tuple[str, ...] = ()
    factors = [factor_of(address, spec) for address, spec in vary.items()]
    if block.get("population"):
        from simulator.sweep import population

        members = population.factors(str(block["population"]), block.get("said") or {})
        factors = [*(f for f in members.factors if f.address not in vary), *factors]
        left_out = members.left_out
        drawn_from = [f for f in factors if f.distribution]
        correlated, root = members.together([f.address for f in drawn_from])
    if not factors:
        raise CommandError(
            "nothing is varied: give the scenario a sweep block, or --vary PATH=SPEC, such as "
            "--vary 'patient.weight=50 kg..110 kg/7'"
        )
    kind = block.get("design") or "grid"
    seed = block.get("seed", seed)
    drawn = kind in DRAWN or any(f.distribution for f in factors)
    samples = block.get("samples") or (USUAL_SAMPLES if drawn else 1)
    if kind == "sobol" and samples & (samples - 1):
        below = 1 << (samples.bit_length() - 1)
        raise CommandError(
            f"--samples: sobol needs a power of two, such as {below} or {2 * below}, got {samples}"
        )
    design = Design(tuple(factors), kind, samples, seed, correlated, root, left_out)
    lengths = {f.address: len(f.values) for f in design._crossed}
    if kind == "zip" and len(set(lengths.values())) > 1:
        counts = ", ".join(f"{address} has {count}" for address, count in lengths.items())
        raise CommandError(f"zip needs lists of one length; {counts}")
    if design.size > MOST_RUNS:
        raise CommandError(f"{design.size:,} runs are more than {MOST_RUNS:,}; take fewer")
    return design
