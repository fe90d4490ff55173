"""Luck: named streams of random numbers, all grown from the one seed of a scenario.

What a stream yields depends on the seed and its own name only. So a new stream never changes
another, what happens in one session never reshuffles the next, and two arms of a comparison share
their luck.
"""

from __future__ import annotations

import hashlib
import random


class Luck:
    """The luck of one run. Streams are the standard library's generator: fast for single draws."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, *purpose: str | int) -> random.Random:
        """A new generator for a purpose, such as ("session", 2, "access"); always the same one."""
        name = "/".join(map(str, (self.seed, *purpose)))
        return random.Random(int.from_bytes(hashlib.sha256(name.encode()).digest()))
