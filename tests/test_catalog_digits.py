"""One changed digit in the catalog is noticed: by the tables of MODEL.md, and by published rows.

The tables hold every number, so that any change turns a test red at once. That the published rows
feel the numbers they rest on is shown for some of them here and, for all that a gate can feel, by
`make statistics`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from simulator import catalog, provenance
from simulator.errors import SimulatorError
from simulator.evidence import cases, document, verdicts

FELT = 1e-6
"""Relative change of a row beyond which `tests/test_published.py` fails."""


def changed_digit(text: str) -> str:
    """A quantity with the last digit of its number one higher, or lower where it is a 9."""
    number = re.match(r"[-+]?[\d.]+", text)
    assert number is not None, text
    digits = list(number[0])
    place = max(i for i, character in enumerate(digits) if character.isdigit())
    digits[place] = str(int(digits[place]) + (1 if digits[place] != "9" else -1))
    return "".join(digits) + text[number.end() :]


def test_a_digit_is_changed_as_it_says() -> None:
    assert changed_digit("44 %") == "45 %"
    assert changed_digit("-250 mmHg") == "-251 mmHg"
    assert changed_digit("0.89 L/h") == "0.88 L/h"
    assert changed_digit("10") == "11"


@cache
def listed() -> str:
    return "\n".join(document.numbers_of_the_catalog())


@pytest.mark.parametrize("kind", catalog.KINDS)
def test_every_number_of_the_catalog_stands_in_the_model_as_it_is(kind: str, project: Path) -> None:
    """So that a changed digit makes MODEL.md stale, which is red."""
    model = (project / "MODEL.md").read_text(encoding="utf-8")
    facts = [fact for fact in provenance.catalog_facts() if fact.path.startswith(f"{kind}.")]
    assert facts
    for fact in facts:
        line = f"| {fact.path.split('.', 2)[2]} | {fact.value} | {fact.source} | {fact.seen} |"
        assert line in listed(), line
        assert line in model, f"{line} is not in MODEL.md: make model"


GATED: dict[str, tuple[str, ...]] = {
    "solutes.igg.intravascular_fraction": ("ohkubo-2016",),
    "solutes.igg.catabolism.intrinsic": ("guptill-2016",),
    "solutes.igg.transcapillary_escape": ("ohkubo-2016",),
    "solutes.fibrinogen.transcapillary_escape": ("zollner-2014",),
    "solutes.albumin.transcapillary_escape": ("crit-line",),
    "devices.spectra-optia.separator.packed_hematocrit": ("kim-2015",),
    "devices.spectra-optia.extracorporeal_volume": ("kim-2015",),
    "devices.cobe-spectra.separator.packed_hematocrit": ("cid-2014",),
    "devices.evacure-ec-4a.separator.sieving.igg": ("ohkubo-2016",),
    "fluids.albumin-5.solutes.albumin": ("zollner-2014",),
    "fluids.acd-a.citrate": ("vox-sang-1998",),
}
"""Numbers that gates rest on, and a study in which that is felt."""


def rows_moved(path: str, text: str, studies: tuple[str, ...]) -> list[str]:
    """Rows that move when a number of the catalog has another value."""
    before = document.recorded()
    with catalog.altered(path, text):
        found = [verdict for name in studies for verdict in judged(cases.load(name))]
    return [
        verdict.name
        for verdict in found
        if abs((verdict.simulated or 0.0) - before[verdict.name]) > FELT * abs(before[verdict.name])
    ]


def judged(case: cases.Case) -> list[verdicts.Verdict]:
    """The rows of a case that need no repetition, run now."""
    return verdicts.judged(case, [run for run in case.runs.values() if run.repetitions == 1])


@pytest.mark.parametrize(("path", "studies"), GATED.items())
def test_a_changed_digit_moves_a_published_row(path: str, studies: tuple[str, ...]) -> None:
    fact = next(fact for fact in provenance.catalog_facts() if fact.path == path)
    assert rows_moved(path, fact.value, studies) == []
    assert rows_moved(path, changed_digit(fact.value), studies)


def studies_of_gates() -> dict[str, tuple[str, list[str]]]:
    """Every number that a run behind a gate can read: its value, and the studies that read it."""
    found: dict[str, tuple[str, list[str]]] = {}
    for name in cases.names():
        case = cases.load(name)
        gated = {run for row in case.rows if row.kind == "gate" for run in row.runs}
        facts = {
            catalog.written_at(fact.path): fact.value
            for run in gated
            if case.runs[run].repetitions == 1
            for fact in provenance.facts_of(case.runs[run].scenario)
        }
        for path, value in facts.items():
            found.setdefault(path, (value, []))[1].append(name)
    return found


UNFELT = re.compile(
    r"\.(prime_time|connect_time|disconnect_time|change_over_time|pump_stop_limit|standing_limit"
    r"|waste_bag|container|.*_max|.*_min|.*_limit|inlet_flow|hematocrit_update|rinseback_.*"
    r"|disturbances\..*|vein_pressure|pressure_.*|recirculation|failure|initial"
    r"|single_needle_volume|return_flow|heparin_.*|filtration_fraction_.*"
    r"|permeability|fouling|calcium|magnesium|urticaria|anticoagulant_ratio"
    r"|sieving\.(ldl|ige|iga|igm|c3|c4|adamts13))$"
)
"""Numbers that no gate rests on, as their kind shows: they decide whether something happens rather
than how much; the case states them itself, or reads shares of the start; they are of pressures, of
solutes and of minerals that no gate reads.

What matches and is felt all the same is no fault: the test asks only of what does not match.
"""


@pytest.mark.statistics
@pytest.mark.timeout(3000)
def test_every_number_that_a_gate_rests_on_is_felt() -> None:
    """One digit of each in turn; what is not felt must be of the kinds that need not be."""
    numbers = studies_of_gates()
    assert len(numbers) > 100
    unfelt = [
        path
        for path, (value, studies) in numbers.items()
        if not any(notices(path, value, study) for study in studies)
    ]
    assert [path for path in unfelt if not UNFELT.search(path)] == []


def notices(path: str, value: str, study: str) -> bool:
    """Whether a row of the study moves with one digit; a run that cannot be is noticed, too."""
    try:
        return bool(rows_moved(path, changed_digit(value), (study,)))
    except SimulatorError:
        return True
