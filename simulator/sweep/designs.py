"""Designs: which value everything that is varied has in run k of a sweep, for any k, alone.

Run k is sample k % samples of arm k // samples. In a ``grid`` lists and ranges are crossed into
arms, in a ``zip`` they run in parallel; what is drawn from distributions is drawn alike for every
arm, and so is luck, so that arms differ in nothing but what they are. In ``random``, ``lhs`` and
``sobol`` designs everything is drawn: lists and ranges evenly.

Draws are functions of seed, factor and sample, not of what was drawn before: a slice of a sweep
needs no memory of the rest, and is the same however the sweep is cut.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator import units
from simulator.catalog import nearest
from simulator.errors import CommandError
from simulator.scenario.report import number
from simulator.scenario.sweep import DISTRIBUTIONS, LIMITS
from simulator.sweep.distributions import in_one_unit, quantiles, trouble

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
KINDS = ("grid", "zip", "random", "lhs", "sobol")
DRAWN = ("random", "lhs", "sobol")
MOST_RUNS = 100_000_000
USUAL_SAMPLES = 256
LUCK = "luck"
ONE_OF = "one of"
"""Not a distribution of numbers: one of some values, each with its chance."""
LEAST_SHARE = 2.0**-53


@dataclass(frozen=True)
class Factor:
    """One thing that is varied: a dotted path, and what it may be."""

    address: str
    unit: str
    """Of its numbers; empty for pure numbers and for named values."""
    values: tuple[Any, ...] = ()
    """Of a list or a range: numbers in `unit`, or whatever a scenario can say there."""
    ends: tuple[float, float] | None = None
    """Of a range."""
    distribution: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    by: str = ""
    """Address of what its distribution goes by, such as the patient's sex."""
    cases: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Parameters for each value of that."""

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers in `unit`."""
        return not self.values or all(isinstance(v, float) for v in self.values)

    @property
    def words(self) -> str:
        """What it may be, in words."""
        if self.distribution == ONE_OF:
            return " or ".join(f"{_text(v)} ({p:.0%})" for v, p in self._chances)
        if self.cases:
            each = (f"{case} {self._given(held)}" for case, held in self.cases.items())
            return f"{self.distribution}: {'; '.join(each)}"
        if self.distribution:
            return f"{self.distribution}: {self._given(self.parameters)}"
        if self.ends:
            low, high = map(number, self.ends)
            return f"{len(self.values)} values from {low} to {high} {self.unit}".rstrip()
        shown = [number(v) if isinstance(v, float) else _text(v) for v in self.values]
        listed = ", ".join(shown[:8]) + (f", … ({len(shown)})" if len(shown) > 8 else "")
        return f"{listed} {self.unit}".rstrip()

    @property
    def _chances(self) -> list[tuple[Any, float]]:
        return [(value, self.parameters[str(value)]) for value in self.values]

    def _given(self, parameters: Mapping[str, float]) -> str:
        return ", ".join(
            f"{key} {number(v)}{'' if key == 'gsd' or not self.unit else ' ' + self.unit}"
            for key, v in parameters.items()
        )

    def at(self, shares: Floats, cases: NDArray[Any] | None = None) -> NDArray[Any]:
        """Its values at shares of its range, where it goes by something in these cases of that."""
        if self.distribution == ONE_OF:
            upto = np.cumsum([chance for _, chance in self._chances])
            return self.listed(np.searchsorted(upto, shares, side="right").astype(np.int64))
        if self.cases and cases is not None:
            found = np.empty(len(shares))
            for case, parameters in self.cases.items():
                here = cases == case
                found[here] = quantiles(self.distribution, parameters, shares[here])
            return found
        if self.distribution:
            return quantiles(self.distribution, self.parameters, shares)
        if self.ends:
            return self.ends[0] + shares * (self.ends[1] - self.ends[0])
        return self.listed((shares * len(self.values)).astype(np.int64))

    def listed(self, places: Integers) -> NDArray[Any]:
        """Its values at places of its list."""
        kind = np.float64 if self.numeric else np.object_
        held = np.empty(len(self.values), dtype=kind)
        held[:] = self.values
        return held[np.minimum(places, len(self.values) - 1)]

    def text(self, value: Any) -> str:
        """A value as ``--set`` takes it; reads back to the same number."""
        if self.numeric:
            return f"{float(value)!r} {self.unit}".rstrip()
        return _text(value)


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
        hashed = (_hashed(self.seed, LUCK, sample) >> np.uint64(33)).astype(np.int64)
        return np.where(sample == 0, self.seed, hashed)

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
                a: (_permuted(self.seed, a, sample, self.samples) + _uniform(self.seed, a, sample))
                / self.samples
                for a in addresses
            }
        else:
            shares = {a: _uniform(self.seed, a, sample) for a in addresses}
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


def factor_of(address: str, spec: Any) -> Factor:
    """What a sweep block says of one address; raises `CommandError`."""
    if isinstance(spec, list | tuple):
        return _list_of(address, spec)
    if isinstance(spec, Mapping) and {"from", "to", "steps"} <= set(spec):
        unit, (low, high) = _in_unit(address, [spec["from"], spec["to"]])
        steps = int(spec["steps"])
        if steps < 2:
            raise CommandError(f"--vary {address}: expected at least 2 steps, got {steps}")
        values = tuple(float(v) for v in np.linspace(low, high, steps))
        return Factor(address, unit, values, ends=(low, high))
    if isinstance(spec, Mapping) and len(spec) == 1:
        ((name, given),) = spec.items()
        _check_form(address, str(name), given)
        parsed = {key: _quantity(address, value) for key, value in given.items()}
        first = next(q for key, q in parsed.items() if key != "gsd")
        try:
            parameters = in_one_unit(parsed, first.unit.text)
            wrong = trouble(name, parameters)
        except (ValueError, KeyError) as error:
            wrong = str(error)
        if wrong:
            raise CommandError(f"--vary {address}: {name}: {wrong}; got {_shown(given)}")
        unit = "" if first.unit.text == "1" else first.unit.text
        return Factor(address, unit, distribution=str(name), parameters=parameters)
    raise CommandError(
        f"--vary {address}: expected a list, {{from: …, to: …, steps: …}} or a distribution such "
        f"as {{normal: {{mean: …, sd: …}}}}; got {spec!r}"
    )


def _check_form(address: str, name: str, given: Any) -> None:
    """Raise unless these are the parameters of that distribution."""
    if name not in DISTRIBUTIONS:
        raise CommandError(
            f"--vary {address}: {name!r} is not a distribution; {nearest(name, DISTRIBUTIONS)}"
        )
    forms = DISTRIBUTIONS[name]
    stated = set(given) - set(LIMITS) if isinstance(given, Mapping) else set()
    if stated not in map(set, forms):
        wanted = " or ".join(f"{name}({', '.join(form)})" for form in forms)
        raise CommandError(
            f"--vary {address}: expected {wanted}, with {'=…, '.join(LIMITS)}=… if it is cut off; "
            f"got {_shown(given)}"
        )


def _list_of(address: str, spec: Sequence[Any]) -> Factor:
    """A list: of numbers if all can be counted in one unit, else of whatever it says."""
    if not spec:
        raise CommandError(f"--vary {address}: expected at least one value")
    plain = all(isinstance(v, str | int | float) and not isinstance(v, bool) for v in spec)
    if plain and any(isinstance(v, str) for v in spec):
        try:
            unit, values = _in_unit(address, spec)
            return Factor(address, unit, tuple(values))
        except CommandError:
            pass  # names, or quantities of several dimensions
    return Factor(address, "", tuple(v if not isinstance(v, float) else str(v) for v in spec))


def _in_unit(address: str, texts: Sequence[Any]) -> tuple[str, list[float]]:
    quantities = [_quantity(address, text) for text in texts]
    unit = quantities[0].unit.text
    try:
        values = [q.value if q.unit.text == unit else q.to(unit) for q in quantities]
    except ValueError as error:
        raise CommandError(f"--vary {address}: {error}") from None
    return ("" if unit == "1" else unit), values


def _quantity(address: str, text: Any) -> units.Quantity:
    try:
        return units.parse(str(text))
    except ValueError as error:
        raise CommandError(f"--vary {address}: {error}") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _shown(given: Any) -> str:
    return json.dumps(given, ensure_ascii=False) if isinstance(given, Mapping) else repr(given)


# -- draws ----------------------------------------------------------------------------------------


def _key(seed: int, name: str) -> np.uint64:
    value = np.uint64(0xCBF29CE484222325)
    with np.errstate(over="ignore"):
        for byte in f"{seed}/{name}".encode():
            value = (value ^ np.uint64(byte)) * np.uint64(0x100000001B3)
    return value


def _hashed(seed: int, name: str, places: Integers) -> NDArray[np.uint64]:
    """64 random bits for each place, by SplitMix64 [Steele, Lea & Flood, OOPSLA 2014]."""
    with np.errstate(over="ignore"):
        z = _key(seed, name) + (places.astype(np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _uniform(seed: int, name: str, places: Integers) -> Floats:
    """A number between 0 and 1, neither included, for each place."""
    bits = _hashed(seed, name, places) >> np.uint64(12)
    return (bits.astype(np.float64) + 0.5) * 2.0**-52


def _permuted(seed: int, name: str, places: Integers, count: int) -> Floats:
    """Each place of `count` somewhere else, no two at the same: a Feistel cipher that walks on
    until it is back among them [Black & Rogaway, CT-RSA 2002]."""
    half = max(1, (max(count - 1, 1).bit_length() + 1) // 2)
    mask = np.uint64((1 << half) - 1)
    found = places.astype(np.uint64)
    outside = np.ones(len(found), dtype=np.bool_)
    while outside.any():
        left, right = found[outside] >> np.uint64(half), found[outside] & mask
        for turn in range(4):
            mixed = _hashed(seed, f"{name}/{turn}", right.astype(np.int64)) & mask
            left, right = right, left ^ mixed
        found[outside] = (left << np.uint64(half)) | right
        outside = found >= np.uint64(count)
    return found.astype(np.float64)
