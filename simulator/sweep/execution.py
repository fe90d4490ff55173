"""Runs of a sweep given out to this process, to several, or to a cluster, and their rows taken in.

Rows come in any order and are the same whoever made them. Who dies costs the runs that he had in
hand, which are given out again; runs that kill whoever has them become rows that say so.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulator.sweep import engines, plain
from simulator.sweep.plain import Rows
from simulator.sweep.plan import Plan

Range = tuple[int, int]
AHEAD = 2
"""Chunks given out for each worker, so that none waits."""
PATIENCE = 3
"""How often runs may end whoever has them and nothing else, before it is said to be their doing."""
DEADLY = "the process that ran it was ended from outside, or ended itself, three times"


def ranges_of(gaps: Sequence[Range], size: int) -> Iterator[Range]:
    """Gaps cut into chunks."""
    for start, stop in gaps:
        for first in range(start, stop, size):
            yield first, min(first + size, stop)


class Workers(Protocol):
    """Somebody who makes rows."""

    count: int

    def give(self, runs: Range) -> None:
        """Give out some runs."""
        ...

    def take(self) -> tuple[Range, Rows | None]:
        """Wait for some runs that are ready; None for rows that were lost with whoever had them."""
        ...

    def close(self) -> None:
        """No more is wanted."""
        ...


def all_rows(workers: Workers, plan: Plan, chunks: Iterator[Range]) -> Iterator[Rows]:
    """The rows of all chunks, as they come.

    Who dies may take with him what others had in hand. So nobody is blamed at once: runs that were
    lost are given out again, and if they are lost again, one chunk after the other and alone.
    """
    doubts: dict[Range, int] = {}
    blame: dict[Range, int] = {}
    waiting: list[Range] = []
    suspects: list[Range] = []
    out = 0
    alone = False
    try:
        while True:
            if suspects and out == 0:
                workers.give(suspects.pop())
                out, alone = 1, True
            while not suspects and not alone and out < AHEAD * workers.count:
                runs = waiting.pop() if waiting else next(chunks, None)
                if runs is None:
                    break
                workers.give(runs)
                out += 1
            if out == 0:
                return
            runs, rows = workers.take()
            out -= 1
            by_itself, alone = alone, False
            if rows is not None:
                yield rows
            elif not by_itself:
                doubts[runs] = doubts.get(runs, 0) + 1
                (waiting if doubts[runs] == 1 else suspects).append(runs)
            else:
                blame[runs] = blame.get(runs, 0) + 1
                start, stop = runs
                if blame[runs] < PATIENCE:
                    suspects.append(runs)
                elif stop - start > 1:
                    middle = (start + stop) // 2
                    suspects += [(start, middle), (middle, stop)]
                else:
                    yield plain.failed(plan, start, DEADLY)
    finally:
        workers.close()


@dataclass
class Here:
    """This process itself."""

    plan: Plan
    engine: str
    count: int = 1
    _given: list[Range] = field(default_factory=list)

    def give(self, runs: Range) -> None:
        """Note some runs."""
        self._given.append(runs)

    def take(self) -> tuple[Range, Rows]:
        """Run the first of them."""
        runs = self._given.pop(0)
        return runs, engines.rows(self.plan, self.engine, *runs)

    def close(self) -> None:
        """Nothing is left to do."""


class Processes:
    """Processes of this computer."""

    def __init__(self, plan: Plan, engine: str, jobs: int) -> None:
        self.plan, self.engine, self.count = plan, engine, jobs
        self._out: dict[Future[Rows], Range] = {}
        self._lost: list[Range] = []
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.count, context, initializer=_begin_work, initargs=(self.plan, self.engine)
        )

    def give(self, runs: Range) -> None:
        """Give out some runs."""
        try:
            future = self._pool.submit(_work, *runs)
        except BrokenProcessPool:  # one has died since
            self._renew()
            future = self._pool.submit(_work, *runs)
        self._out[future] = runs

    def take(self) -> tuple[Range, Rows | None]:
        """Wait for some runs that are ready, or were lost."""
        if self._lost:
            return self._lost.pop(), None
        ready, _ = wait(self._out, return_when=FIRST_COMPLETED)
        future = next(iter(ready))
        runs = self._out.pop(future)
        try:
            return runs, future.result()
        except BrokenProcessPool:
            self._renew()
            return runs, None

    def _renew(self) -> None:
        """One has died, and the pool with it: what was out is lost, but for what is ready."""
        for other, theirs in list(self._out.items()):
            if other.done() and other.exception() is None:
                continue
            del self._out[other]
            self._lost.append(theirs)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new_pool()

    def close(self) -> None:
        """Let the processes end."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_PLAN: list[Any] = []


def _begin_work(plan: Plan, engine: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    _PLAN[:] = [plan, engine]


def _work(start: int, stop: int) -> Rows:
    plan, engine = _PLAN
    return engines.rows(plan, engine, start, stop)


def workers_for(plan: Plan, engine: str, jobs: int) -> Callable[[], Workers]:
    """This process for one job, else so many processes; started when called."""
    if jobs <= 1:
        return lambda: Here(plan, engine)
    return lambda: Processes(plan, engine, jobs)
