"""What stands in the file of a published case: every key, and the kind of its value."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from simulator.catalog import GRADES
from simulator.scenario.fields import Anything, Choice, Exactly, Text, Whole
from simulator.scenario.measures import AnyMeasure
from simulator.scenario.written import SKIP_UNUSABLE
from simulator.scenario.written import Written as Written
from simulator.units import Quantity

CLASSES = ("gate", "trend", "report", "calibration")
"""gate: must hold. trend: its order or direction should. report: shown only. calibration: was
used to set a parameter, so that agreement proves nothing."""

SPREADS = ("sd", "se", "range", "iqr", "ci95")
"""Kinds of spread that studies print; the last three are two ends."""

COMPARISONS = ("difference", "ratio", "percent")
"""How a quantity of one run is held against that of another: a - b, a / b, 100 (a / b - 1)."""

STATISTICS = ("median", "mean", "percent")
"""Of seeded repetitions: percent counts those in which the endpoint is not zero."""

Amount = Annotated[Quantity, AnyMeasure("62 %")]


class Run(Written):
    """One run of the study: a scenario, and what is different in it."""

    scenario: Annotated[Any, Anything()] | None = None
    """A bundled scenario or a patient of `published/patients`, by name; or one written here."""
    like: Annotated[str, Text("another run of this file", longest=100)] | None = None
    set: dict[str, Annotated[Any, Anything()]] | None = None
    """Dotted paths of the scenario and their values."""
    repetitions: Annotated[int, Whole(2, 100_000)] | None = None
    """Run so often, with seeds from 0 on."""


class Row(Written):
    """One measured quantity."""

    needs: ClassVar[dict[str, str]] = {
        "quantity": "what was measured, in words",
        "run": "the name of a run of this file",
        "read": "where it is read in the run, such as 'fall igg @ session 3'",
        "class": "gate, trend, report or calibration",
    }
    quantity: Annotated[str, Text(longest=200)] | None = None
    run: Annotated[Any, Anything()] | None = None
    """The name of a run of this file; or a list of names, over which the mean is taken."""
    read: Annotated[str, Text("such as 'fall igg @ session 3'", longest=200)] | None = None
    against: Annotated[str, Text("a run of this file", longest=100)] | None = None
    compare: Annotated[str, Choice(COMPARISONS)] | None = None
    statistic: Annotated[str, Choice(STATISTICS)] | None = None
    measured: Amount | None = None
    sd: Amount | None = None
    se: Amount | None = None
    range: list[Annotated[Amount, SKIP_UNUSABLE]] | None = None
    iqr: list[Annotated[Amount, SKIP_UNUSABLE]] | None = None
    ci95: list[Annotated[Amount, SKIP_UNUSABLE]] | None = None
    count: Annotated[str, Text("so many of so many: '5 of 17'", r"\d+ of \d+")] | None = None
    n: Annotated[int, Whole(1, 100_000_000)] | None = None
    of: Annotated[str, Text("what n counts", longest=60)] | None = None
    """Patients, unless it says procedures or sessions."""
    kind: Annotated[str, Choice(CLASSES)] | None = Field(default=None, alias="class")
    would_be: Annotated[str, Choice(("gate",))] | None = None
    """Of a row that is only shown because it misses: the class that it would have."""
    tolerance: Amount | None = None
    """Either side of what was measured; without it, the printed spread."""
    at_least: Amount | None = None
    at_most: Amount | None = None
    why: Annotated[str, Text()] | None = None
    """The reason for the tolerance, or for the class."""
    miss: Annotated[str, Text()] | None = None
    """Of a row that is not met: the likely cause."""


class Study(Written):
    """One study."""

    needs: ClassVar[dict[str, str]] = {
        "format": "'format: 1', the version of this format",
        "study": "its key in the bibliography",
        "title": "what was studied, in a line",
        "seen": f"how it was seen: {', '.join(GRADES)}",
        "runs": "what is simulated, by name",
        "rows": "what was measured, by name",
    }
    format: Annotated[Literal[1], Exactly(1)] | None = None
    study: Annotated[str, Text("a key of the bibliography", longest=100)] | None = None
    title: Annotated[str, Text(longest=200)] | None = None
    seen: Annotated[str, Choice(GRADES)] | None = None
    not_stated: Annotated[str, Text()] | None = None
    """What the source does not say, and what is taken instead."""
    runs: dict[str, Annotated[Run, SKIP_UNUSABLE]] | None = None
    rows: dict[str, Annotated[Row, SKIP_UNUSABLE]] | None = None
