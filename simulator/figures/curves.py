"""The curves of one session, by minute since first contact."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.result import Result, SessionResult
from simulator.units import MINUTES_PER_DAY

_STANDING = 1e-9  # mL; less than this between two rows, and the blood pump stood still


@dataclass(frozen=True, slots=True)
class Curves:
    """What a session did to the patient, by minute since first contact."""

    session: SessionResult
    minutes: Sequence[float]
    blood_volume: Sequence[float]
    """% above that before the first draw"""
    ionized_calcium: Sequence[float]
    """mmol/L"""
    plasma: Sequence[float]
    """L of patient plasma treated, or else removed"""
    treated: bool
    """Whether that plasma was treated and given back."""
    replaced: Sequence[float]
    """L"""
    pauses: Sequence[tuple[float, float]]
    """Minutes during which all pumps stood still between first draw and end of the exchange."""


def curves_of(result: Result, session: SessionResult) -> Curves:
    """The curves of one session of a run."""
    rows = [i for i, index in enumerate(result.column("session")) if index == session.index]
    time = result.column("time")
    minutes = [time[i] * MINUTES_PER_DAY - session.connected[0] for i in rows]
    draw, end = (t - session.connected[0] for t in session.run)
    first = next(n for n, minute in enumerate(minutes) if minute >= draw - 1e-6)

    def values(name: str) -> list[float]:
        column = result.column(name)
        return [column[i] for i in rows]

    def since_start(name: str) -> list[float]:
        moved = values(name)
        return [(value - moved[0]) / 1000 for value in moved]

    blood = values("blood_volume")
    treated = session.plasma_treated > 0
    return Curves(
        session=session,
        minutes=minutes,
        blood_volume=[100 * (value / blood[first] - 1) for value in blood],
        ionized_calcium=values("ionized_calcium"),
        plasma=since_start("plasma_treated" if treated else "patient_plasma_removed"),
        treated=treated,
        replaced=since_start("replacement"),
        pauses=_pauses_of_bowl(result, session, minutes, values("blood_processed"))
        if session.bowl_cycles
        else _pauses(minutes, values("blood_processed"), draw, end),
    )


def _pauses(
    minutes: Sequence[float], processed: Sequence[float], draw: float, end: float
) -> list[tuple[float, float]]:
    """Stretches of the run in which no blood was drawn."""
    found: list[tuple[float, float]] = []
    for i in range(len(minutes) - 1):
        begin, stop = minutes[i], minutes[i + 1]
        still = processed[i + 1] - processed[i] < _STANDING
        if stop <= begin or not still or begin < draw - 1e-6 or stop > end + 1e-6:
            continue
        if found and found[-1][1] >= begin - 1e-6:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((begin, stop))
    return found


def _pauses_of_bowl(
    result: Result, session: SessionResult, minutes: Sequence[float], processed: Sequence[float]
) -> list[tuple[float, float]]:
    """The same where no blood is drawn during a return either: as the log has them.

    A draw that no return follows (the circuit was lost) may have ended in a pause of no end.
    """
    start, end = (time - session.connected[0] for time in session.run)
    events = [event for event in result.events if event.session == session.index]
    turns = [(e.minute or 0.0, e.event) for e in events if e.event in ("draw", "return")]
    last, turn = turns[-1] if turns else (end, "return")
    logged_until = last if turn == "draw" else end
    found: list[tuple[float, float]] = []
    for event in events:
        minute = event.minute or 0.0
        held = re.fullmatch(r"after (\S+) min", event.detail)
        if event.event == "resumed" and held and start < minute <= logged_until:
            found.append((minute - float(held[1]), minute))
    return found + _pauses(minutes, processed, logged_until, end)
