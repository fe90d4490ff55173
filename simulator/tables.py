"""Tables for the terminal: what a run, a comparison and the catalog say in rows."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from simulator.machine.alarms import CONTAINERS
from simulator.result import Event, Result, SessionResult, followed_in_all, mean
from simulator.terminal import Table
from simulator.terminal import show as show
from simulator.units import MINUTES_PER_DAY

NOT_CLINICAL = "For teaching and research, not for treating patients."


def number(value: float | None, digits: int = 3) -> str:
    """A number with a few significant digits, thousands marked, with an exponent beyond 1e6."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.{digits - 1}e}"
    whole = abs(value) >= 10 ** (digits - 1)
    return f"{value:,.0f}" if whole else f"{value:.{digits}g}"


def sessions(result: Result) -> Table:
    """One row per session: what the machine did and what the antibody made of it."""
    marker = marker_of(result)
    unit = result.solutes[marker].unit
    treated = any(s.plasma_treated for s in result.sessions)
    table = Table(f"Sessions (before, after: {marker} in plasma, {unit})")
    if treated:
        table.caption = "treated: patient plasma that went through column or second filter"
    for heading in (
        "#", "day", "run\nmin", "blood\nmL", f"{'treated' if treated else 'plasma'}\nmL", "PV",
        "eff.\n%", "repl.\nmL", "BV min\n%", "iCa min\nmM", "before", "after",
    ):  # fmt: skip
        table.column(heading, "right")
    for s in result.sessions:
        efficiency = s.plasma_removal_efficiency
        level = s.solutes[marker]
        table.row(
            str(s.index),
            f"{s.start / MINUTES_PER_DAY:.4g}",
            f"{s.run_minutes:.0f}",
            f"{s.blood_processed:,.0f}",
            f"{s.dose:,.0f}",
            f"{s.plasma_volumes_exchanged:.2f}",
            "-" if efficiency is None else f"{100 * efficiency:.1f}",
            f"{s.replacement:,.0f}",
            f"{100 * s.blood_volume_nadir:.1f}",
            f"{s.ionized_calcium_nadir:.2f}",
            number(level.pre),
            number(level.post),
        )
    return table


def solutes(result: Result) -> Table:
    """One row per solute: where it started, how low it fell, where it stands at the end."""
    table = Table("Solutes in plasma")
    for heading in (
        "solute", "unit", "start", "nadir", "% of\nstart", "on day", "end", "% of\nstart",
        "removed",
    ):  # fmt: skip
        left = heading in ("solute", "unit")
        table.column(heading, "left" if left else "right")
    for name, s in result.solutes.items():
        table.row(
            name,
            s.unit,
            number(s.initial),
            number(s.nadir),
            _percent(s.nadir, s.initial),
            f"{s.nadir_time / MINUTES_PER_DAY:.2f}",
            number(s.final),
            _percent(s.final, s.initial),
            f"{number(s.removed)} {s.mass_unit}",
        )
    return table


_RETRIED = "access-pressure-low"
_ADVICE = "pumps-stopped"
"""An alarm that only follows from others."""
_MANY = 12
"""Rows about what happened, beyond which only the worst sessions are shown."""


def happened(result: Result) -> Table | None:
    """What was not planned, one row for each session that had any of it; None if none had.

    Of many such sessions, those are shown that a patient would remember; the last row is the sum.
    """
    all_rows = [s for s in result.sessions if any(read(s) for _, read in _UNPLANNED)]
    if not all_rows:
        return None
    shown = all_rows
    if len(shown) > _MANY:
        shown = [s for s in shown if s.stop_reason is not None or any(s.reactions.values())]
    few = "" if len(shown) == len(all_rows) else " (sessions with a reaction or an early end)"
    table = Table(f"What happened{few}")
    for heading in ("#", "pauses\nmin", "access\npauses", "other\nalarms", "operator\nwaiting min"):
        table.column(heading, "right")
    table.column("reactions", broken=True, most=28)
    table.column("ended early", broken=True, most=32)
    for s in shown:
        table.row(str(s.index), *_counts([s]), s.stop_reason or "-")
    if len(all_rows) > 1:
        table.row()
        early = sum(s.stop_reason is not None for s in all_rows)
        table.row("all", *_counts(all_rows), f"{early} of {len(result.sessions)}")
    return table


def _counts(sessions: Sequence[SessionResult]) -> list[str]:
    """Cells about one or more sessions: pauses, alarms, waiting, reactions."""
    reactions: Counter[str] = Counter()
    for session in sessions:
        reactions.update(session.reactions)
    felt = [name if n == 1 else f"{name} x{n}" for name, n in reactions.items() if n]
    return [
        f"{sum(s.pauses for s in sessions):.1f}",
        str(sum(_access_pauses(s) for s in sessions)),
        str(sum(_other_alarms(s) for s in sessions)),
        f"{sum(s.operator_waiting for s in sessions):.1f}",
        ", ".join(felt) or "-",
    ]


def _access_pauses(session: SessionResult) -> int:
    return session.alarms.get(_RETRIED, 0)


def _other_alarms(session: SessionResult) -> int:
    """Alarms that are neither daily work nor put right by the machine itself."""
    return sum(
        count
        for name, count in session.alarms.items()
        if name not in (*CONTAINERS, _RETRIED, _ADVICE)
    )


#: What was not planned in a session: label and how much of it there was.
_UNPLANNED: tuple[tuple[str, Callable[[SessionResult], float]], ...] = (
    ("access pauses", _access_pauses),
    ("other alarms", _other_alarms),
    ("reactions", lambda s: sum(s.reactions.values())),
    ("operator waiting, min", lambda s: s.operator_waiting),
    ("sessions ended early", lambda s: s.stop_reason is not None),
)


def warnings(result: Result) -> list[str]:
    """Each warning once, as lines: in the words of its first session, with all that had it."""
    given: dict[str, list[Event]] = {}
    for event in result.events:
        if event.event == "warning":  # the same words about another number are the same warning
            given.setdefault(re.sub(r"\d", "", event.detail), []).append(event)
    lines = []
    for events in given.values():
        where = _sessions([event.session for event in events])
        text = f"Warning ({where}): {events[0].detail}"
        lines += wrapped(text)
    return lines


def warnings_of(labels: Sequence[str], results: Sequence[Result]) -> list[str]:
    """The warnings of several runs as lines, each with the label of its run."""
    return [
        line
        for label, result in zip(labels, results, strict=True)
        for line in ([f"{label}:", *warnings(result)] if warnings(result) else [])
    ]


def _sessions(numbers: Sequence[int]) -> str:
    """Session numbers in words: "session 2", or "session 1, again in 2-4, 7"."""
    first, *others = sorted(set(numbers))
    runs: list[list[int]] = []
    for number in others:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"session {first}" + (f", again in {', '.join(parts)}" if parts else "")


def marker_of(result: Result) -> str:
    """The solute a table leads with: the first that the scenario itself made up, else IgG."""
    from simulator import catalog

    known = catalog.names("solutes")
    return next((name for name in result.solutes if name not in known), "igg")


Row = tuple[str, list[float | None]]
"""A quantity with its unit, and its value in each arm."""


def comparison_rows(results: Sequence[Result]) -> list[Row]:
    """Rows of a comparison: a label with its unit, and one number per arm."""

    def total(label: str, read: Callable[[SessionResult], float]) -> Row:
        return label, [sum(map(read, r.sessions)) for r in results]

    def reached(
        label: str, of: Callable[..., float | None], read: Callable[[SessionResult], float]
    ) -> Row:
        return label, [of(map(read, r.sessions), default=None) for r in results]

    rows: list[Row] = [
        ("sessions", [float(len(r.sessions)) for r in results]),
        total("run time, min, all sessions", lambda s: s.run_minutes),
        (
            "connected, min, mean per session",
            [mean([s.connected_minutes for s in r.sessions]) for r in results],
        ),
        total("pauses, min", lambda s: s.pauses),
        *_unplanned(results),
        total("blood processed, mL", lambda s: s.blood_processed),
        total("patient plasma removed, mL", lambda s: s.patient_plasma_removed),
        *_if_any(total("patient plasma treated, mL", lambda s: s.plasma_treated)),
        *_if_any(total("bowl cycles", lambda s: s.bowl_cycles)),
        reached("most blood outside the body, mL", max, lambda s: s.blood_outside),
        total("replacement, mL", lambda s: s.replacement),
        total("citrate to patient, mmol", lambda s: s.citrate_to_patient),
        *_if_any(total("heparin, U", lambda s: s.heparin)),
        reached("lowest blood volume, %", min, lambda s: 100 * s.blood_volume_nadir),
        reached("lowest ionized calcium, mmol/L", min, lambda s: s.ionized_calcium_nadir),
    ]
    shared = followed_in_all(results, results[0].solutes)
    return rows + [row for name in shared for row in _solute_rows(name, results)]


def _solute_rows(name: str, results: Sequence[Result]) -> list[Row]:
    """Rows of a comparison about one solute; none where arms count it in different units."""
    unit, mass = results[0].solutes[name].unit, results[0].solutes[name].mass_unit
    if any(r.solutes[name].unit != unit for r in results):
        return []
    adsorbed = [sum(s.solutes[name].adsorbed for s in r.sessions) for r in results]
    return [
        (
            f"{name} fall per session, mean, %",
            [mean([100 * x for x in r.falls(name)]) for r in results],
        ),
        (f"{name} at its lowest, {unit}", [r.solutes[name].nadir for r in results]),
        (f"{name} at the end, {unit}", [r.solutes[name].final for r in results]),
        (f"{name} removed, {mass}", [r.solutes[name].removed for r in results]),
        *_if_any((f"{name} removed on columns, {mass}", [*adsorbed])),
    ]


def _if_any(row: Row) -> list[Row]:
    """The row, if it came to that in any arm."""
    return [row] if any(row[1]) else []


def _unplanned(results: Sequence[Result]) -> list[Row]:
    """Rows of a comparison about what was not planned, as far as it came to that in any arm."""
    counted: list[Row] = [
        (label, [float(sum(map(read, r.sessions))) for r in results]) for label, read in _UNPLANNED
    ]
    return [row for one in counted for row in _if_any(one)]


MOST_DIFFERENCES = 3
"""Arms beyond which a comparison shows no differences: there is no room for as many columns."""


def comparison(labels: Sequence[str], results: Sequence[Result]) -> Table:
    """One row per quantity, one column per arm, and how each of a few differs from the first."""
    table = Table("Comparison")
    table.column("", broken=True)
    few = len(results) <= MOST_DIFFERENCES
    for i, label in enumerate(labels):
        table.column(label, "right", broken=True)
        if i and few:
            table.column("vs first", "right")
    for name, values in comparison_rows(results):
        cells = [number(values[0], 4)]
        for value in values[1:]:
            cells += [number(value, 4), *([_difference(value, values[0])] if few else [])]
        table.row(name, *cells)
    return table


def grid(title: str, columns: Mapping[str, str], rows: Iterable[Sequence[str]]) -> Table:
    """Rows of text under headings, each `left`, `right` or `name`.

    What is on the left may be broken; a name, which is there too, is kept whole to be copied.
    """
    table = Table(title)
    for heading, side in columns.items():
        table.column(heading, "right" if side == "right" else "left", broken=side == "left")
    for row in rows:
        table.row(*row)
    return table


def names(title: str, entries: Mapping[str, str]) -> Table:
    """Names, each with a line about it."""
    table = Table(title)
    table.column("name")
    table.column("", broken=True)
    for name, line in entries.items():
        table.row(name, line)
    return table


def wrapped(text: str) -> list[str]:
    """A text on lines that are short enough for a terminal, the later ones indented."""
    return textwrap.wrap(text, 98, subsequent_indent="    ")


def _percent(value: float, whole: float) -> str:
    return f"{100 * value / whole:.0f}" if whole else "-"


def _difference(value: float | None, first: float | None) -> str:
    if value is None or first is None or value == first:
        return "=" if value == first else "-"
    if value * first <= 0:
        return "-"  # a share of nothing, or of the opposite
    return f"{100 * (value / first - 1):+.1f} %"
