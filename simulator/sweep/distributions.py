"""The closed list of distributions: quantile functions of numbers, with truncation.

Source: any textbook; the truncated ones by the quantile function between the shares of the limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.units import Quantity

Floats = NDArray[np.float64]


def quantiles(name: str, parameters: Mapping[str, float], shares: Floats) -> Floats:
    """Values below which these shares of a distribution lie, in the unit of its parameters.

    ``min`` and ``max`` cut the distribution off: what is left is spread over all shares.
    """
    low = _share(name, parameters, parameters["min"]) if "min" in parameters else 0.0
    high = _share(name, parameters, parameters["max"]) if "max" in parameters else 1.0
    found = _quantile(name, parameters, low + (high - low) * shares)
    # rounding must not carry a value over the limit that it was cut off at
    found = np.maximum(found, parameters["min"]) if "min" in parameters else found
    return np.minimum(found, parameters["max"]) if "max" in parameters else found


def _quantile(name: str, p: Mapping[str, float], u: Floats) -> Floats:
    from scipy.special import ndtri

    if name == "normal":
        return np.asarray(p["mean"] + p["sd"] * ndtri(u))
    if name == "lognormal":
        log_median, log_sd = _logarithmic(p)
        return np.asarray(np.exp(log_median + log_sd * ndtri(u)))
    low, high = p["from"], p["to"]
    if name == "uniform":
        return low + u * (high - low)
    mode = p["mode"]
    rising = low + np.sqrt(u * (high - low) * (mode - low))
    falling = high - np.sqrt((1 - u) * (high - low) * (high - mode))
    return np.where(u * (high - low) <= mode - low, rising, falling)


def _share(name: str, p: Mapping[str, float], value: float) -> float:
    """The share of a distribution below a value."""
    from scipy.special import ndtr

    if name == "normal":
        return float(ndtr((value - p["mean"]) / p["sd"]))
    if name == "lognormal":
        log_median, log_sd = _logarithmic(p)
        return float(ndtr((math.log(value) - log_median) / log_sd)) if value > 0 else 0.0
    low, high = p["from"], p["to"]
    inside = min(max(value, low), high)
    if name == "uniform":
        return (inside - low) / (high - low)
    mode = p["mode"]
    if inside <= mode:
        return (inside - low) ** 2 / ((high - low) * (mode - low)) if mode > low else 0.0
    return 1 - (high - inside) ** 2 / ((high - low) * (high - mode))


def _logarithmic(p: Mapping[str, float]) -> tuple[float, float]:
    """Median and standard deviation of the logarithm."""
    if "median" in p:
        return math.log(p["median"]), math.log(p["gsd"])
    variance = math.log1p((p["sd"] / p["mean"]) ** 2)
    return math.log(p["mean"]) - variance / 2, math.sqrt(variance)


def trouble(name: str, p: Mapping[str, float]) -> str:
    """What keeps parameters from making a distribution, in words; empty if nothing does."""
    wrong = {
        "expected a median above 0": p.get("median", 1) <= 0,
        "expected a mean above 0": name == "lognormal" and p.get("mean", 1) <= 0,
        "expected a gsd above 1": p.get("gsd", 2) <= 1,
        "expected an sd above 0": p.get("sd", 1) <= 0,
        "expected from below to": "from" in p and not p["from"] < p["to"],
        "expected the mode between from and to": "mode" in p
        and not p["from"] <= p["mode"] <= p["to"],
        "expected min below max": not p.get("min", -math.inf) < p.get("max", math.inf),
    }
    for message, found in wrong.items():
        if found:
            return message
    begin = _share(name, p, p["min"]) if "min" in p else 0.0
    end = _share(name, p, p["max"]) if "max" in p else 1.0
    return "" if begin < end else "nothing is left between min and max"


def in_one_unit(quantities: Mapping[str, Quantity], unit: str) -> dict[str, Any]:
    """Parameters as numbers in a unit; a geometric standard deviation is a ratio."""
    return {key: q.canonical if key == "gsd" else q.to(unit) for key, q in quantities.items()}
