"""What stands in the file of a published case: every key, and the kind of its value."""

from typing import ClassVar

from simulator.catalog import GRADES
from simulator.scenario.fields import Anything, Choice, Exactly, Text, Whole
from simulator.scenario.measures import AnyMeasure
from simulator.scenario.written import ByName, Each, Key, Part
from simulator.scenario.written import Written as Written

CLASSES = ("gate", "trend", "report", "calibration")
"""gate: must hold. trend: its order or direction should. report: shown only. calibration: was
used to set a parameter, so that agreement proves nothing."""

SPREADS = ("sd", "se", "range", "iqr", "ci95")
"""Kinds of spread that studies print; the last three are two ends."""

COMPARISONS = ("difference", "ratio", "percent")
"""How a quantity of one run is held against that of another: a - b, a / b, 100 (a / b - 1)."""

STATISTICS = ("median", "mean", "percent")
"""Of seeded repetitions: percent counts those in which the endpoint is not zero."""

AMOUNT = AnyMeasure("62 %")


class Run(Written):
    """One run of the study: a scenario, and what is different in it."""

    scenario = Key(Anything())
    """A bundled scenario or a patient of `published/patients`, by name; or one written here."""
    like = Key(Text("another run of this file", longest=100))
    set = Key(ByName(Anything()))
    """Dotted paths of the scenario and their values."""
    repetitions = Key(Whole(2, 100_000))
    """Run so often, with seeds from 0 on."""


class Row(Written):
    """One measured quantity."""

    needs: ClassVar[dict[str, str]] = {
        "quantity": "what was measured, in words",
        "run": "the name of a run of this file",
        "read": "where it is read in the run, such as 'fall igg @ session 3'",
        "class": "gate, trend, report or calibration",
    }
    quantity = Key(Text(longest=200))
    run = Key(Anything())
    """The name of a run of this file; or a list of names, over which the mean is taken."""
    read = Key(Text("such as 'fall igg @ session 3'", longest=200))
    against = Key(Text("a run of this file", longest=100))
    compare = Key(Choice(COMPARISONS))
    statistic = Key(Choice(STATISTICS))
    measured = Key(AMOUNT)
    sd = Key(AMOUNT)
    se = Key(AMOUNT)
    range = Key(Each(AMOUNT))
    iqr = Key(Each(AMOUNT))
    ci95 = Key(Each(AMOUNT))
    count = Key(Text("so many of so many: '5 of 17'", r"\d+ of \d+"))
    n = Key(Whole(1, 100_000_000))
    of = Key(Text("what n counts", longest=60))
    """Patients, unless it says procedures or sessions."""
    kind = Key(Choice(CLASSES), "class")
    would_be = Key(Choice(("gate",)))
    """Of a row that is only shown because it misses: the class that it would have."""
    tolerance = Key(AMOUNT)
    """Either side of what was measured; without it, the printed spread."""
    at_least = Key(AMOUNT)
    at_most = Key(AMOUNT)
    why = Key(Text())
    """The reason for the tolerance, or for the class."""
    miss = Key(Text())
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
    format = Key(Exactly(1))
    study = Key(Text("a key of the bibliography", longest=100))
    title = Key(Text(longest=200))
    seen = Key(Choice(GRADES))
    not_stated = Key(Text())
    """What the source does not say, and what is taken instead."""
    runs = Key(ByName(Part(Run)))
    rows = Key(ByName(Part(Row)))
