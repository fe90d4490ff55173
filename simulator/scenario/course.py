"""When the sessions are, and what each of them is prescribed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulator.orders import Prescription
from simulator.scenario import format as written
from simulator.scenario.entries import Entries
from simulator.scenario.limits import MAX_SESSIONS
from simulator.scenario.model import PlannedSession
from simulator.scenario.report import Report, number
from simulator.scenario.treatment import Prescribed, prescribed
from simulator.scenario.tree import Path
from simulator.scenario.written import usable
from simulator.units import MINUTES_PER_DAY, Quantity

WEEK = 7 * MINUTES_PER_DAY


def sessions(
    model: written.Course, main: Prescribed | None, entries: Entries
) -> tuple[PlannedSession, ...]:
    """Every session of the course, in order of time.

    The first block starts at time zero. A further block starts one of its own intervals after the
    last session before it (a weekly plan: at the next day of its own rhythm), unless it says `at`.
    """
    report = entries.report
    planned: list[PlannedSession] = []
    blocks: list[tuple[Path, written.Course | written.Block]] = [(("course",), model)]
    blocks += [(("course", "then", place), block) for place, block in usable(model.then)]
    for path, block in blocks:
        said = main or Prescribed()
        if isinstance(block, written.Block) and block.prescription is not None:
            own = prescribed(block.prescription, (*path, "prescription"), entries, main)
            said = said.under(own)
        last = planned[-1].at if planned else None
        times = _times(block, path, last, report)
        if len(planned) + len(times) > MAX_SESSIONS:
            report.add(path, f"more than {MAX_SESSIONS} sessions in all")
            break
        planned += [PlannedSession(time, _complete(said)) for time in times]
    return tuple(planned)


def count(model: written.Course | None) -> int:
    """How many sessions are planned, as far as that can be read."""
    if model is None:
        return 0
    return _length(model) + sum(_length(block) for _, block in usable(model.then))


def _complete(said: Prescribed) -> Prescription:
    """A whole prescription. What is missing has been reported, and no run will see this one."""
    amount, unit = said.exchange or (0.0, "PV")
    balance = 1.0 if said.fluid_balance is None else said.fluid_balance
    return Prescription(amount, unit, said.replacement or (), balance, said.calcium)


def _length(block: written.Course | written.Block) -> int:
    if block.at is not None:
        return len(block.at)
    plan = block.sessions
    if isinstance(plan, written.Weekly):
        return (plan.per_week or 0) * (plan.weeks or 0)
    return plan or 0


def _times(
    block: written.Course | written.Block, path: Path, last: float | None, report: Report
) -> list[float]:
    """Times of the sessions of one block, min."""
    plan, every = block.sessions, block.every
    if block.at is not None:
        for key, value in (("sessions", plan), ("every", every)):
            if value is not None:
                report.add((*path, key), "`at` says when the sessions are; write one of them")
        return _listed(block.at, (*path, "at"), last, report)
    if plan is None:
        if not (report.touches((*path, "sessions")) or report.touches((*path, "at"))):
            report.add(
                path,
                "missing; expected sessions, such as 'sessions: 5' with 'every: 2 d', or "
                "'at: [0 d, 2 d]'",
            )
        return []
    if isinstance(plan, written.Weekly):
        if every is not None:
            report.add((*path, "every"), "a weekly plan has its own rhythm; leave `every` out")
        return _weekly(plan, last, path, report)
    if every is None:
        if plan > 1 or (plan == 1 and last is not None):
            report.missing((*path, "every"), "the time between sessions, such as '2 d'")
        return [0.0] if plan and last is None else []
    start = 0.0 if last is None else last + every.canonical
    return [start + number * every.canonical for number in range(plan)]


def _listed(
    moments: Sequence[Quantity], path: Path, last: float | None, report: Report
) -> list[float]:
    times: list[float] = []
    if not moments:
        report.add(path, "expected at least one time; a run without sessions has 'sessions: 0'")
    for place, moment in usable(moments):
        time = moment.canonical
        before = times[-1] if times else last
        if before is not None and time <= before:
            report.add(
                (*path, place),
                f"expected a time after the session before, at "
                f"{number(before / MINUTES_PER_DAY)} d, "
                f"got {number(moment.value)} {moment.unit.text}",
            )
        times.append(time)
    return times


def _weekly(plan: written.Weekly, last: float | None, path: Path, report: Report) -> list[float]:
    """So many sessions a week, on days spread evenly: 3 on 0, 2, 4; 2 on 0, 3; 5 on 0, 1, 2, 4, 5.

    After other sessions the rhythm goes on: the first one comes as long after the last session as
    the first of a week comes after the last of the week before.
    """
    per_week, weeks = plan.per_week, plan.weeks
    if per_week is None or weeks is None:
        return []
    if per_week * weeks > MAX_SESSIONS:
        report.add((*path, "sessions"), f"more than {MAX_SESSIONS} sessions")
        return []
    days = [math.floor(7 * place / per_week) * MINUTES_PER_DAY for place in range(per_week)]
    start = 0.0 if last is None else last + WEEK - days[-1]
    return [start + week * WEEK + day for week in range(weeks) for day in days]
