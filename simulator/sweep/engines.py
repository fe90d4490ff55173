"""Which way the rows of a sweep are made: one run after the other, or in compiled lanes."""

from __future__ import annotations

from collections.abc import Callable

from simulator.errors import CommandError
from simulator.sweep import fast, plain
from simulator.sweep.plain import Rows
from simulator.sweep.plan import Plan

LARGE = 2_000
"""Runs from which on compiling pays."""


def choose(plan: Plan, announce: Callable[[str], None] = lambda text: None) -> str:
    """`plain` or `fast`; says why if the fast way is asked for or would pay, and cannot serve.

    Raises `CommandError` if the fast way is asked for and cannot serve.
    """
    if plan.engine == "plain" or (plan.engine == "auto" and plan.design.size < LARGE):
        return "plain"
    why = fast.refusal(plan)
    if not why:
        fast.prepare(plan, announce)
        return "fast"
    if plan.engine == "fast":
        raise CommandError(f"--engine fast cannot serve this sweep: {why}")
    announce(f"Run one by one: {why}")
    return "plain"


def rows(plan: Plan, engine: str, start: int, stop: int) -> Rows:
    """The rows of some runs."""
    made: Rows = (fast if engine == "fast" else plain).rows(plan, start, stop)
    return made


def chunk(plan: Plan, engine: str, jobs: int) -> int:
    """Runs that are given out together: a second or two of work, and at most 4,000 parts."""
    size = plan.design.size
    if engine == "fast":
        return max(512, min(8192, -(-size // (2 * jobs))))
    return max(1, min(4, -(-size // (4 * jobs))), -(-size // 4000))
