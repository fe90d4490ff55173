"""The parts of MODEL.md and README.md that are made from the catalog and from a verification.

A part stands between ``<!-- made: NAME -->`` and ``<!-- end -->``. `simulator.documents` writes
them; a test fails when they are stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from simulator import catalog, provenance
from simulator.catalog import Fact
from simulator.constants import CONSTANTS
from simulator.evidence import cases, wording
from simulator.evidence.verdicts import Verdict, judge

_PART = re.compile(r"(<!-- made: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

DOCUMENTS = ("MODEL.md", "README.md")

RECORDED = "recorded.json"
"""Beside the published cases: what every row gave when the documents were last made."""


def remade(text: str, verdicts: Sequence[Verdict]) -> str:
    """A document with its made parts made anew; raises `KeyError` for a part of no known name."""
    parts: Mapping[str, Callable[[], Iterator[str]]] = {
        "catalog": numbers_of_the_catalog,
        "constants": numbers_of_the_equations,
        "published": lambda: published(verdicts),
        "misses": lambda: misses(verdicts),
        "counts": lambda: iter([wording.sentence(verdicts)]),
    }

    def make(found: re.Match[str]) -> str:
        lines = "\n".join(parts[found["name"]]())
        return f"{found[1]}\n{lines}\n\n{found[3]}"

    return _PART.sub(make, text)


def numbers_of_the_catalog() -> Iterator[str]:
    """Every number of the bundled catalog where it is written, by entry, with source and grade."""
    for (kind, name), facts in groupby(provenance.catalog_facts(), key=_entry):
        if name not in catalog.own_names(kind):
            entry = provenance.LOAD[kind](name)
            like = "".join(f", else like {base}" for base in catalog.lineage(kind, name)[1:2])
            yield from _details(f"{kind}.{name}{like}: {entry.title}", list(facts))


def _entry(fact: Fact) -> tuple[str, str]:
    kind, name, _ = fact.path.split(".", 2)
    return kind, name


def numbers_of_the_equations() -> Iterator[str]:
    """Every graded number that stands in an equation."""
    yield from _facts([constant.fact() for constant in CONSTANTS], cut=0)


def _details(summary: str, facts: list[Fact]) -> Iterator[str]:
    """A table that GitHub folds away."""
    count = "1 number" if len(facts) == 1 else f"{len(facts)} numbers"
    yield f"<details><summary>{_plain(summary)} ({count})</summary>"
    yield ""
    yield from _facts(facts, cut=2)
    yield ""
    yield "</details>"


def _facts(facts: list[Fact], cut: int) -> Iterator[str]:
    yield "| number | value | source | seen |"
    yield "|---|---|---|---|"
    for fact in facts:
        path = fact.path.split(".", cut)[cut] if cut else fact.path
        yield f"| {path} | {_plain(fact.value)} | {fact.source} | {fact.seen} |"


def published(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Every row of the published cases: what was measured, what comes out."""
    yield "| study, seen | quantity | class | measured | n | asked for | simulated | verdict |"
    yield "|---|---|---|---|---|---|---|---|"
    for file, rows in groupby(verdicts, key=lambda v: v.case.file):
        for i, v in enumerate(rows):
            study = f"{file}, {v.case.seen}" if i == 0 else ""
            verdict = "**missed**" if v.met is False else v.word
            cells = (
                *(study, v.row.quantity, v.row.kind, wording.measured(v)),
                *(wording.counted(v), wording.asked(v), wording.simulated(v), verdict),
            )
            yield f"| {' | '.join(_plain(cell) for cell in cells)} |"


def misses(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Every row that is not met, with its likely cause."""
    for v, cause in wording.misses(verdicts):
        yield f"- {_plain(wording.miss(v, cause))}"


def _plain(text: str) -> str:
    """Text in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def recorded() -> dict[str, float]:
    """What each row gave when the documents were last made, by name."""
    file = cases.folder() / RECORDED
    values: dict[str, float] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return values


def as_recorded() -> list[Verdict]:
    """All rows with the values that were recorded, judged; nothing is run."""
    values = recorded()
    return [
        replace(verdict, simulated=values.get(verdict.name))
        for case in map(cases.load, cases.names())
        for verdict in (judge(case, row, {}) for row in case.rows)
    ]
