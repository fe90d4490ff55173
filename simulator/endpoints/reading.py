"""A run looked at for one endpoint: when, and what stands there in its curves and sessions."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from simulator.errors import CommandError
from simulator.result import Result, SessionResult
from simulator.units import MINUTES_PER_DAY


@dataclass(frozen=True, slots=True)
class When:
    """A moment of a run: see the package."""

    session: int | None = None
    """None with no offset: the last session."""
    way: str = "at"
    """at, before, after, in (a session), or on (a time of the course)."""
    minutes: float = 0.0
    text: str = ""


LAST_SESSION = When()


@dataclass(frozen=True, slots=True)
class Reading:
    """An endpoint looked at in one run."""

    result: Result
    phrase: str
    """The endpoint as it is written, for messages."""
    solute: str
    """The solute it is about; empty if it is about none."""
    when: When

    @property
    def session(self) -> SessionResult:
        """The session that the endpoint names, or the last one."""
        return self._session(self.when.session)

    def _session(self, index: int | None) -> SessionResult:
        sessions = self.result.sessions
        found = [s for s in sessions if index in (None, s.index)]
        if not found:
            which = "no session" if index is None else f"no session {index}"
            raise CommandError(f"{self.phrase}: the run has {which} ({len(sessions)} ran)")
        return found[-1]

    def share(self, part: float, whole: float) -> float:
        """A part over a whole; raises `CommandError` if there is none of that."""
        if not whole:
            raise CommandError(
                f"{self.phrase}: this run has no such number: it would be a share of nothing"
            )
        return part / whole

    def start(self) -> float:
        """Level of the solute before anything was done."""
        sessions = self.result.sessions
        if sessions:
            return sessions[0].solutes[self.solute].pre
        return self.result.solutes[self.solute].initial

    def level(self) -> float:
        """Level of the solute in plasma when the endpoint says, in its unit."""
        when = self.when
        if when.way == "before":
            return self.session.solutes[self.solute].pre
        if when.way == "at" and when.session is None and not self.result.sessions:
            return self.result.solutes[self.solute].final
        if when.way == "at":
            return self.post(self.session)
        return self.curve(f"{self.solute}_plasma")

    def post(self, session: SessionResult) -> float:
        """Level just after a session."""
        post = session.solutes[self.solute].post
        if post is None:
            raise CommandError(f"{self.phrase}: session {session.index} has not ended")
        return post

    def moment(self) -> float:
        """The time of the endpoint, min from the start of the run."""
        when = self.when
        if when.way == "on":
            return when.minutes
        if when.way == "at" and when.session is None and not self.result.sessions:
            return self.result.column("time")[-1] * MINUTES_PER_DAY
        session = self.session
        return {
            "before": session.connected[0],
            "at": session.connected[1],
            "after": session.connected[1] + when.minutes,
            "in": session.run[0] + when.minutes,
        }[when.way]

    def curve(self, name: str, time: float | None = None) -> float:
        """A curve at the time of the endpoint, or at another (min), between its rows straight."""
        time = self.moment() if time is None else time
        days = self.result.column("time")
        day = time / MINUTES_PER_DAY
        if not days[0] <= day <= days[-1] + 1e-9:
            raise CommandError(
                f"{self.phrase}: day {day:g} is beyond the run, which ends on day {days[-1]:g}"
            )
        values = self.result.column(name)
        i = min(bisect_left(days, day), len(days) - 1)
        if days[i] == day or i == 0:
            return values[i]
        share = min(1.0, (day - days[i - 1]) / (days[i] - days[i - 1]))
        return values[i - 1] + share * (values[i] - values[i - 1])

    def change(self, name: str) -> float:
        """Change of a curve since the first draw of the session, %; without one, of the run."""
        before = self.curve(name, self.session.run[0] if self.result.sessions else 0.0)
        return 100 * (self.share(self.curve(name), before) - 1)
