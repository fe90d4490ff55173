"""The operator: one person, perhaps for several machines, who needs a while to come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from functools import cached_property
from math import inf, log
from random import Random
from typing import Any

import simpy

from simulator import catalog
from simulator.machine.alarms import Priority
from simulator.orders import OPERATOR, Attendance

Process = Generator[simpy.Event, Any, None]


class Operator:
    """Who looks after this machine, and after the others of the unit.

    Without an `Attendance` this is the ideal operator: always there, at once. Without luck all
    times are the medians, and the other machines call as regularly as bottles run dry.
    """

    def __init__(
        self, env: simpy.Environment, attendance: Attendance | None, luck: Random | None
    ) -> None:
        self.env = env
        self.attendance = attendance
        self.luck = luck
        self.calls = 0
        self.actions: Counter[str] = Counter()
        self.waited = 0.0
        """min from calls to arrivals, summed over the calls of this machine"""
        self._person = simpy.PriorityResource(env)
        self._at_work: list[simpy.Process] = []

    @cached_property
    def habits(self) -> catalog.Operator:
        """How long things take; the ideal operator has none."""
        return catalog.operator(OPERATOR)

    def come(self, priority: Priority) -> Generator[simpy.Event, Any, Any]:
        """Call; goes on when the operator stands at the machine. Yields what `leave` takes."""
        called = self.env.now
        self.calls += 1
        visit = None
        if self.attendance is not None:
            visit = self._person.request(priority)
            yield visit
            yield self.env.timeout(self.around(self.attendance.response))
        self.waited += self.env.now - called
        return visit

    def leave(self, visit: Any) -> None:
        """Done here; the next one who called is served."""
        if visit is not None:
            self._person.release(visit)

    def handling(self, usual: float) -> float:
        """min that something takes which usually takes a free operator this long, way included."""
        if self.attendance is None:
            return usual
        return self.around(max(usual - self.habits.response, 0.0))

    def start(self) -> None:
        """The shift: the other machines of the unit begin to call."""
        if self.attendance is None:
            return
        habits, rounds = self.habits, self.attendance.vital_signs
        calls = [(Priority.STOP, habits.call_interval, habits.call_time)]
        if rounds < inf:
            calls.append((Priority.ROUTINE, rounds, habits.vital_signs_time))
        for other in range(1, self.attendance.machines):
            for call in calls:
                machine = self._another_machine(*call, offset=other / self.attendance.machines)
                self._at_work.append(self.env.process(machine))

    def stop(self) -> None:
        """Nothing that the other machines do matters any more."""
        for process in self._at_work:
            if process.is_alive:
                process.interrupt()
        self._at_work.clear()

    def _another_machine(
        self, priority: Priority, every: float, minutes: float, offset: float
    ) -> Process:
        """A machine next to this one wants its operator: for bottles, or for vital signs.

        Calls come on average `every` min and keep the operator there for `minutes` (median);
        `offset` is the share of the interval that has passed when this session begins.
        """
        assert self.attendance is not None
        wait = every * offset
        with suppress(simpy.Interrupt):
            while True:
                yield self.env.timeout(wait)
                with self._person.request(priority) as visit:
                    yield visit
                    yield self.env.timeout(self.around(self.attendance.response))
                    yield self.env.timeout(self.around(minutes))
                wait = self.luck.expovariate(1 / every) if self.luck else every

    def around(self, median: float) -> float:
        """A time (min) with this median: log-normal, or just that without luck."""
        if self.luck is None or median <= 0:
            return median
        return self.luck.lognormvariate(log(median), self.habits.response_spread)
