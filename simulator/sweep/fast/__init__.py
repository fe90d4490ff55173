"""The fast path of a sweep: compiled lanes of patients along schedules walked once.

Nothing of patient or machine is written a second time. Scenario, patient and machine are run with
numbers that remember how they were made (`symbols`): the reader once for a scenario (`ground`), the
machine once for each path of its decisions (`walk`, `programs`), the equations once for a compiler
(`body`, `written`, `kernel`, `assembled`). `course` takes many patients through it, each on his own
path and with his own steps, so that what comes out is what single runs give, to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.sweep.plain import Rows
    from simulator.sweep.plan import Plan


def refusal(plan: Plan) -> str:
    """Why the fast path cannot serve a sweep, in words; empty if it can."""
    from simulator.sweep.fast import service

    return service.refusal(plan)


def prepare(plan: Plan, announce: Callable[[str], None]) -> None:
    """Compile what a sweep needs, unless it has been; `announce` is told if that takes time."""
    from simulator.sweep.fast import service

    service.prepare(plan, announce)


def rows(plan: Plan, start: int, stop: int) -> Rows:
    """The rows of some runs; those that lanes cannot follow are run one by one."""
    from simulator.sweep.fast import service

    return service.rows(plan, start, stop)
