"""Verdicts in words: what was measured, what comes out, which rows miss and why."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulator.evidence.verdicts import Verdict
from simulator.evidence.verification import Verification

CLASS_WORDS = {
    "gate": "must hold",
    "trend": "order or direction is asked for",
    "report": "shown only",
    "calibration": "was used to set a parameter: agreement proves nothing",
}


def digits(v: Verdict) -> int:
    """Decimal places in which a row is best read."""
    sizes = [abs(x) for x in (v.measured, v.simulated, *(v.spread or ())) if x]
    largest = max((x for x in sizes if math.isfinite(x)), default=1.0)
    return 0 if largest >= 200 else 1 if largest >= 10 else 2 if largest >= 1 else 3


def number(value: float, places: int) -> str:
    """A number with so many places, and a minus sign that is one."""
    text = f"{value:,.{places}f}"
    if places and "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text in ("-0", "") else text
    return text.replace("-", "−")


def measured(v: Verdict) -> str:
    """What the study printed, with its spread: ``92.5 ± 4.9 %``, ``62 to 65 %``, ``5 of 17``."""
    row, places = v.row, digits(v)
    unit = f" {v.unit}" if v.unit else ""
    if row.measured.count is not None:
        some, of = row.measured.count
        return f"{some} of {of}"
    kind = row.measured.spread_kind
    if v.measured is None:
        return _bounds(v, places) + unit
    value = number(v.measured, places)
    if v.spread is None:
        return value + unit
    low, high = v.spread
    if kind in ("sd", "se"):
        half = number(high - v.measured, places)
        return f"{value} ± {half}{unit}" + (" (SE)" if kind == "se" else "")
    ends = f"{number(low, places)} to {number(high, places)}{unit}"
    return ends if row.measured.value is None else f"{value}{unit} ({ends})"


def _bounds(v: Verdict, places: int) -> str:
    low, high = v.accepted or (-math.inf, math.inf)
    if math.isinf(low):
        return f"< {number(high, places)}"
    if math.isinf(high):
        return f"> {number(low, places)}"
    return f"{number(low, places)} to {number(high, places)}"


def asked(v: Verdict) -> str:
    """Where the simulated value must lie, in words."""
    if v.accepted is None:
        return "nothing"
    return f"{_bounds(v, digits(v))} {v.unit}".strip()


def simulated(v: Verdict) -> str:
    """What comes out."""
    if v.simulated is None:
        return "-"
    return f"{number(v.simulated, digits(v))} {v.unit}".strip()


def counted(v: Verdict) -> str:
    """How many were measured: ``14``, ``46 procedures``; empty where it is not printed."""
    m = v.row.measured
    if m.n is None:
        return ""
    return str(m.n) if m.of == "patients" else f"{m.n} {m.of}"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are, what they read, and how they come out."""

    rows: int
    """Without those of class calibration, as in all numbers but that of calibration."""
    numbers: int
    """Printed numbers that the rows read: one read again under another assumption is the same."""
    studies: int
    missed: int
    calibration: int

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> Counts:
        """Those of some rows."""
        tests = [v for v in verdicts if v.row.kind != "calibration"]
        return cls(
            rows=len(tests),
            numbers=len({_printed(v) for v in tests}),
            studies=len({v.case.study for v in tests}),
            missed=sum(v.met is False for v in tests),
            calibration=len(verdicts) - len(tests),
        )

    def __str__(self) -> str:
        reads = "row that reads" if self.rows == 1 else "rows that read"
        numbers = "printed number" if self.numbers == 1 else "printed numbers"
        studies = "study" if self.studies == 1 else "studies"
        return f"{self.rows} {reads} {self.numbers} {numbers} of {self.studies} {studies}"


def _printed(v: Verdict) -> tuple[object, ...]:
    """What tells one printed number from another.

    Of what it is (a solute, else the endpoint) and how much; after which of the sessions is not
    looked at, so that a number that a study prints twice counts once.
    """
    of = v.row.read.solute or v.row.read.name
    numbers = v.measured, v.spread, v.row.measured.count
    bounds = v.accepted if numbers == (None, None, None) else None
    return v.case.study, numbers, bounds, v.unit, of


def summary(v: Verification) -> list[str]:
    """The outcome of a verification in a few lines."""
    held = sum(check.met for check in v.checks)
    first, *others = counts(v.verdicts)
    return [
        first,
        f"Closed forms, conservation, engines: {held} of {len(v.checks)} hold.",
        *others,
        _held(v),
    ]


def _held(v: Verification) -> str:
    if not v.holds:
        return "NOT all that must hold holds."
    waiting = sum(x.simulated is None for x in v.of_kind("gate"))
    return f"All that must hold{' and was run' if waiting else ''} holds."


def counts(verdicts: Sequence[Verdict]) -> list[str]:
    """How many rows there are and how they come out: first those that must hold."""
    every = Counts.of(verdicts)
    set_one = f"{every.calibration} more that set a parameter and prove nothing"
    lines = [f"{every}{f', and {set_one}' if every.calibration else ''}."]
    for kind, words in CLASS_WORDS.items():
        of_kind = [v for v in verdicts if v.row.kind == kind]
        if of_kind:
            demoted = sum(v.row.would_be == "gate" for v in of_kind)
            more = f"; {demoted} of these would be gates" if demoted else ""
            lines.append(f"{kind.capitalize()} ({words}): {_outcomes(of_kind)}{more}.")
    return lines


def sentence(verdicts: Sequence[Verdict]) -> str:
    """The same in a sentence."""
    every = Counts.of(verdicts)
    kinds = {kind: [v for v in verdicts if v.row.kind == kind] for kind in CLASS_WORDS}
    demoted = sum(v.row.would_be == "gate" for v in verdicts)
    return (
        f"{every}: {len(kinds['gate'])} gates, which must hold ({_outcomes(kinds['gate'])}); "
        f"{len(kinds['trend'])} orders and directions ({_outcomes(kinds['trend'])}); "
        f"{len(kinds['report'])} that are shown only ({_outcomes(kinds['report'])}), {demoted} of "
        f"which would be gates if they were met. {every.calibration} more set a parameter and "
        "prove nothing."
    )


def _outcomes(verdicts: Sequence[Verdict]) -> str:
    words = Counter(v.word for v in verdicts)
    said = ("met", "missed", "shown", "not run")
    parts = [f"{words[w]} {w}" for w in said if words[w]]
    return ", ".join(parts) + (" (--all runs them)" if words["not run"] else "")


def misses(verdicts: Sequence[Verdict]) -> Iterator[tuple[Verdict, str]]:
    """Rows that are not met, each with its likely cause."""
    for v in verdicts:
        if v.met is False:
            yield v, v.row.miss or "not explained yet"


def miss(v: Verdict, cause: str) -> str:
    """A miss in a sentence."""
    return f"{v.name} ({v.row.kind}): {measured(v)}, here {simulated(v)}. {cause}"
