"""Draws: random numbers as functions of seed, name and place, so that any of them is had alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def _key(seed: int, name: str) -> np.uint64:
    value = np.uint64(0xCBF29CE484222325)
    with np.errstate(over="ignore"):
        for byte in f"{seed}/{name}".encode():
            value = (value ^ np.uint64(byte)) * np.uint64(0x100000001B3)
    return value


def hashed(seed: int, name: str, places: Integers) -> NDArray[np.uint64]:
    """64 random bits for each place, by SplitMix64 [Steele, Lea & Flood, OOPSLA 2014]."""
    with np.errstate(over="ignore"):
        z = _key(seed, name) + (places.astype(np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(seed: int, name: str, places: Integers) -> Floats:
    """A number between 0 and 1, neither included, for each place."""
    bits = hashed(seed, name, places) >> np.uint64(12)
    return (bits.astype(np.float64) + 0.5) * 2.0**-52


def permuted(seed: int, name: str, places: Integers, count: int) -> Floats:
    """Each place of `count` somewhere else, no two at the same: a Feistel cipher that walks on
    until it is back among them [Black & Rogaway, CT-RSA 2002]."""
    half = max(1, (max(count - 1, 1).bit_length() + 1) // 2)
    mask = np.uint64((1 << half) - 1)
    found = places.astype(np.uint64)
    outside = np.ones(len(found), dtype=np.bool_)
    while outside.any():
        left, right = found[outside] >> np.uint64(half), found[outside] & mask
        for turn in range(4):
            mixed = hashed(seed, f"{name}/{turn}", right.astype(np.int64)) & mask
            left, right = right, left ^ mixed
        found[outside] = (left << np.uint64(half)) | right
        outside = found >= np.uint64(count)
    return found.astype(np.float64)
