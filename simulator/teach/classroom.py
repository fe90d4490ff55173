"""The runs of a class: each a scenario with the changes made to it, and all that follows from them.

A run is computed whole and then played, so its future is known until somebody changes something. A
change is an event of the scenario at the moment on the clock; with it the run is computed anew from
its start. Events change nothing before they happen, so what the class has seen stays as it was, and
what it sees from then on is what the command line gives for the scenario that is saved.

*Rejected:* a simulation that is stepped in real time. It could not go back, a fork would need every
state of machine, patient and luck to be copied, and a saved session would be a second way to say
what happened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simulator import scenario as scenarios
from simulator.errors import ScenarioError, SimulatorError
from simulator.lessons import Lesson, Verdict
from simulator.playback import offer, recording
from simulator.playback.recording import Recording
from simulator.records import record
from simulator.result import Result
from simulator.scenario import writer
from simulator.scenario.model import Scenario
from simulator.units import MINUTES_PER_DAY

MOST_RUNS = 24
MOST_CHANGES = 400
MINUTE_DIGITS = 4
"""Decimals of a minute to which a change in a session is dated."""
DAY_DIGITS = 6
"""Decimals of a day to which a change between sessions is dated."""
SEEN = 1e-6
"""min; times on the page are rounded to this, and a change comes after what is seen."""
LATEST = 0.01
"""min before the end of a run, after which no change has a moment of its own."""
FROM_THE_START = "from the start"

Change = Mapping[str, str]
"""What happens, as an event of a scenario writes it, but for when."""


class RefusedError(SimulatorError):
    """Something that was asked cannot be done; the runs are as they were."""


@record
class Line:
    """One run of the class."""

    number: int
    recording: Recording
    label: str
    parent: int | None = None
    forked_at: float | None = None
    """min"""
    actions: tuple[Mapping[str, Any], ...] = ()
    """The changes made on the page, as it shows them: time and text."""

    @property
    def scenario(self) -> Scenario:
        """The scenario with all changes: what is saved."""
        return self.recording.scenario

    def as_data(self) -> dict[str, Any]:
        """The run in the words of the page."""
        return recording.as_data(
            self.recording,
            number=self.number,
            parent=self.parent,
            forked_at=self.forked_at,
            label=self.label,
            actions=self.actions,
        )


class Classroom:
    """All runs, and the lesson that is on."""

    def __init__(self, source: str, overrides: Sequence[str] = (), seed: int | None = None) -> None:
        self.source, self.overrides, self.seed = source, overrides, seed
        self.lines: dict[int, Line] = {}
        self.lesson: Lesson | None = None
        self._arms: dict[str, int] = {}
        """The run of each arm of the lesson that the class was at last."""
        self._arm_of: dict[int, str] = {}
        """The arm of which each run is, or is a fork."""
        self._as_written: dict[str, Result] = {}
        """What each gave before anything was changed."""
        self._furthest: dict[int, float] = {}
        """How far the class has seen each run, min."""
        self._numbered = 0

    # -- opening ----------------------------------------------------------------------------------

    def open(self, name: str | None = None, sees_to: str | None = None) -> Line:
        """Begin anew with a scenario: the one that the class came with, or a bundled one.

        `sees_to`: what is seen to without the class; None leaves only bottles and bags to an
        operator, unless the scenario has one of its own.
        """
        own = name is None or name == self.source
        if not own and name not in scenarios.bundled_names():
            raise RefusedError(f"there is no bundled scenario {name!r}")
        source = self.source if own else str(name)
        loaded = scenarios.load(source, self.overrides if own else (), self.seed if own else None)
        if sees_to is None:
            sees_to = "bottles" if loaded.operator is None and loaded.sessions else loaded.sees_to
        if sees_to != loaded.sees_to:
            document = dict(loaded.document)
            document["operator"] = {**document.get("operator", {}), "sees_to": sees_to}
            loaded = reread(document, loaded.name)
        self._forget()
        return self._begin(loaded, FROM_THE_START)

    def teach(self, lesson: Lesson) -> list[Line]:
        """Begin a lesson: a run for each of its arms, the first the one that the class changes."""
        loaded = {arm.label: arm.scenario() for arm in lesson.arms}
        self._forget()
        self.lesson = lesson
        lines = []
        for label, one in loaded.items():
            line = self._begin(one, label)
            self._arms[label], self._arm_of[line.number] = line.number, label
            if line.recording.result is not None:
                self._as_written[label] = line.recording.result
            lines.append(line)
        return lines

    def judge(self, prediction: float | None) -> Verdict:
        """What the lesson says of a prediction and of the runs as they stand now."""
        if self.lesson is None:
            raise RefusedError("no lesson is on; begin one")
        results = {}
        for label, number in self._arms.items():
            result = self.lines[number].recording.result
            if result is None:
                why = self.lines[number].recording.impossible
                raise RefusedError(f"the run could not go on ({why}); go back and change that")
            results[label] = result
        return self.lesson.judge(prediction, results, self._as_written)

    # -- what the class does ----------------------------------------------------------------------

    def saw(self, number: int, time: float) -> None:
        """The class has seen a run up to a time, min."""
        if number in self.lines:
            self._furthest[number] = max(self._furthest[number], time)

    def act(self, number: int, at: float, change: Change) -> Line:
        """A change at a moment (min) of a run; before what the class has seen, it is a fork.

        Raises `RefusedError` with what the scenario format says against it.
        """
        line = self.line(number)
        if len(line.actions) >= MOST_CHANGES:
            raise RefusedError(f"a run takes at most {MOST_CHANGES} changes; save it and go on")
        event = dated(line.recording, at, change)
        document = dict(line.scenario.document)
        document["events"] = [*document.get("events", []), event]
        try:
            changed = reread(document, line.scenario.name)
        except ScenarioError as error:  # where in the file it would stand tells a class nothing
            raise RefusedError("; ".join(p.message for p in error.problems)) from None
        text = worded(change)
        actions = (*line.actions, {"time": moment_of(line.recording, event), "text": text})
        if at < self._furthest[number] - SEEN:
            label = f"{when(line.recording, at)}: {text}"
            new = self._begin(changed, label, parent=line.number, forked_at=at, actions=actions)
            self._stay_with(new)
            return new
        new = Line(
            line.number, recording.recorded(changed), line.label, line.parent, line.forked_at,
            actions,
        )  # fmt: skip
        self.lines[number] = new
        self.saw(number, at)
        self._stay_with(new)
        return new

    def fork(self, number: int, at: float) -> Line:
        """The same run again, beside it, to be changed from a moment (min) on."""
        line = self.line(number)
        label = f"fork at {when(line.recording, at)}"
        self._make_room()
        new = Line(self._next(), line.recording, label, number, at, line.actions)
        self.lines[new.number] = new
        self._furthest[new.number] = at
        self._stay_with(new)
        return new

    def show(self, number: int) -> Line:
        """The class turns to another of the runs."""
        line = self.line(number)
        self._stay_with(line)
        return line

    def _stay_with(self, line: Line) -> None:
        """The lesson judges the run of an arm that the class was at last, fork or not."""
        arm = self._arm_of.get(line.number, self._arm_of.get(line.parent or 0, ""))
        if arm:
            self._arm_of[line.number], self._arms[arm] = arm, line.number

    def saved(self, number: int) -> tuple[str, str]:
        """A name and the text of the scenario that replays a run, to the byte of its log."""
        line = self.line(number)
        return f"{line.scenario.name}-taught", scenarios.dump(line.scenario)

    def offer(self, number: int) -> dict[str, Any]:
        """What can be done to a run."""
        return offer.offered(self.line(number).scenario)

    # -- keeping ----------------------------------------------------------------------------------

    def _begin(self, scenario: Scenario, label: str, **place: Any) -> Line:
        self._make_room()
        line = Line(self._next(), recording.recorded(scenario), label, **place)
        self.lines[line.number] = line
        self._furthest[line.number] = place.get("forked_at") or 0.0
        return line

    def line(self, number: int) -> Line:
        if number not in self.lines:
            raise RefusedError(f"there is no run {number} any more")
        return self.lines[number]

    def _make_room(self) -> None:
        if len(self.lines) >= MOST_RUNS:
            raise RefusedError(
                f"there are {MOST_RUNS} runs beside each other already; begin anew for more"
            )

    def _next(self) -> int:
        self._numbered += 1
        return self._numbered

    def _forget(self) -> None:
        self.lines.clear()
        self._furthest.clear()
        self._arms.clear()
        self._arm_of.clear()
        self._as_written.clear()
        self.lesson = None


def reread(document: Mapping[str, Any], name: str) -> Scenario:
    """The scenario that a changed document says, read as any file is."""
    return scenarios.loads(writer.to_yaml(document), name)


def dated(run: Recording, at: float, change: Change) -> dict[str, Any]:
    """A change as an event of the scenario, just after a moment (min) of a run."""
    if not 0 <= at <= run.scenario.until:
        raise RefusedError("that moment is not in the run")
    if at > run.scenario.until - LATEST:
        raise RefusedError("the run ends here; go back for a change")
    if run.impossible and at >= run.ended:
        raise RefusedError("the run could not go on here; go back and change what led to it")
    session, start = session_at(run, at)
    if session:
        minute = math.ceil((at - start + SEEN) * 10**MINUTE_DIGITS) / 10**MINUTE_DIGITS
        return {"session": session, "at": f"{minute:.{MINUTE_DIGITS}f} min", **change}
    if "fault" in change or "do" in change:
        raise RefusedError("no session is on; go on to the next one")
    day = math.ceil((at + SEEN) / MINUTES_PER_DAY * 10**DAY_DIGITS) / 10**DAY_DIGITS
    return {"at": f"{day:.{DAY_DIGITS}f} d", **change}


def session_at(run: Recording, at: float) -> tuple[int, float]:
    """The session that is on at a moment (min) and when it began; 0 for none."""
    ends = {s.index: s.connected[1] for s in run.result.sessions} if run.result else {}
    for index, start in reversed(run.visits):
        if start <= at:
            return (index, start) if at < ends.get(index, math.inf) else (0, 0.0)
    return 0, 0.0


def moment_of(run: Recording, event: Mapping[str, Any]) -> float:
    """When an event made by `dated` happens, min from the start of the run."""
    number, unit = str(event["at"]).split()
    if unit == "d":
        return recording.moment(float(number) * MINUTES_PER_DAY)
    return recording.moment(dict(run.visits)[event["session"]] + float(number))


def when(run: Recording, at: float) -> str:
    """A moment in words."""
    session, start = session_at(run, at)
    if session:
        return f"session {session}, {at - start:.1f} min"
    return f"day {at / MINUTES_PER_DAY:.2f}"


def worded(change: Change) -> str:
    """A change in words."""
    if "set" in change:
        what = change["set"].partition(".")[2].replace(".", " ").replace("_", " ")
        return f"{what} to {change['to']}"
    if "give" in change:
        over = f" over {change['over']}" if "over" in change else ""
        return f"give {change['dose']} {change['give']}{over}"
    if "fault" in change:
        lasting = f" for {change['for']}" if "for" in change else ""
        return f"{change['fault']}{lasting}".replace("-", " ")
    return change["do"].replace("-", " ")
