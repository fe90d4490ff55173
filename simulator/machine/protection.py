"""Protection: watches the readings, latches alarms, and lets go of none that still has a cause.

Control sets the pumps (`control.Controller`); protection can only stop them. An alarm is latched
until it is acknowledged *and* its condition has ended; an acknowledgment alone never releases one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from simulator.machine.alarms import ALARMS, Alarm, Readings, Response

EARLY = 1e-9  # min: a condition that has lasted for all but rounding has lasted long enough
STOPPING = (Response.STOP, Response.RETRY)


class Protection:
    """The alarms of one session."""

    def __init__(
        self,
        env: simpy.Environment,
        read: Callable[[], Readings],
        sound: Callable[[Alarm], None],
        release: Callable[[Alarm], None],
    ) -> None:
        self._env = env
        self._read = read
        self._sound = sound
        self._release = release
        self._since: dict[str, float] = {}
        """When the condition of an alarm that does not sound yet began to hold."""
        self._acknowledged: dict[str, bool] = {}
        """The alarms that are latched, and whether somebody has acknowledged them."""

    def look(self) -> None:
        """Look at the readings: sound what has lasted long enough, release what is over."""
        readings = self._read()
        for alarm in ALARMS:
            if alarm.condition(readings):
                self._holds(alarm)
            else:
                self._since.pop(alarm.name, None)
                if self._acknowledged.get(alarm.name):
                    del self._acknowledged[alarm.name]
                    self._release(alarm)

    def acknowledge(self, alarm: Alarm) -> None:
        """Somebody has seen it. It is released now only if its condition has ended."""
        if alarm.name in self._acknowledged:
            self._acknowledged[alarm.name] = True
            self.look()

    def is_latched(self, alarm: Alarm) -> bool:
        """Whether the alarm has sounded and has not been released."""
        return alarm.name in self._acknowledged

    def standing(self) -> dict[str, bool]:
        """The latched alarms by name, and whether somebody has acknowledged them."""
        return {a.name: self._acknowledged[a.name] for a in ALARMS if a.name in self._acknowledged}

    def unacknowledged(self) -> list[Alarm]:
        """The latched alarms that nobody has acknowledged, in the order of the table."""
        return [a for a in ALARMS if self._acknowledged.get(a.name) is False]

    def latched(self, *responses: Response) -> list[Alarm]:
        """The latched alarms with one of these responses, in the order of the table."""
        return [a for a in ALARMS if a.response in responses and a.name in self._acknowledged]

    def _holds(self, alarm: Alarm) -> None:
        if alarm.name in self._acknowledged:
            return
        new = alarm.name not in self._since
        since = self._since.setdefault(alarm.name, self._env.now)
        if self._env.now - since >= alarm.hold - EARLY:
            del self._since[alarm.name]
            self._acknowledged[alarm.name] = alarm.response is Response.TELL
            self._sound(alarm)
        elif new:
            self._env.process(self._look_again(alarm.hold))

    def _look_again(self, minutes: float) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(minutes)
        self.look()
