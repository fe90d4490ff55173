"""Where numbers come from, in lines of text: an entry, the sources of a run, one reference."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from simulator.catalog import Fact, Reference
from simulator.provenance import Standing, Use

FEW = 3
"""Numbers of an entry that are named in a line; of more, their count."""
WIDTH = 98


def facts(title: str, entries: Iterable[Fact]) -> list[str]:
    """A catalog entry in lines: each number with its unit, its source and how it was seen."""
    lines = [title]
    for fact in entries:
        source = "assumed" if fact.source == "assumed" else f"{fact.source} [{fact.seen}]"
        lines += ["", f"  {fact.path.split('.', 2)[2]} = {fact.value}", f"      {source}"]
        for text in filter(None, (fact.at, fact.note)):
            lines += textwrap.wrap(text, 84, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return lines


def bibliography(
    uses: Sequence[Use], references: Mapping[str, Reference], titles: Mapping[str, str]
) -> list[str]:
    """The sources of a run, each with what it stands behind and how that was seen.

    `titles` say in words what a number is whose path does not.
    """
    lines = []
    for use in uses:
        lines.append(f"{use.key}: {cited(references[use.key])}")
        if not use.numbers:
            lines.append("    named by the scenario")
        for path, grade in zip(use.numbers, use.grades, strict=True):
            title = f": {titles[path]}" if path in titles else ""
            lines.append(f"    {path}{title} [{grade}]")
    return lines


def cited(reference: Reference) -> str:
    """A reference on one line."""
    identifiers = [f"doi {reference.doi}"] if reference.doi else []
    identifiers += [f"PMID {reference.pmid}"] if reference.pmid else []
    return " ".join([reference.citation, *(f"({i})" for i in identifiers)])


def standing_of(standing: Standing) -> str:
    """What a reference stands behind, on one line, numbers by the entry that has them."""
    parts = []
    if standing.facts:
        count = len(standing.facts)
        entries = Counter(_entry(fact.path) for fact in standing.facts)
        shown = [f"{entry} ({n})" if n > 1 else entry for entry, n in entries.items()]
        if count <= FEW:
            shown = [fact.path for fact in standing.facts]
        parts.append(f"{count} number{'s' if count > 1 else ''}: {', '.join(shown)}")
    parts += [f"{label}: {', '.join(texts)}" for label, texts in _others(standing) if texts]
    return "; ".join(parts) or "background: nothing rests on it"


def standing_in_full(standing: Standing) -> list[str]:
    """All that a reference stands behind, in lines."""
    lines = [
        f"    {fact.path} = {fact.value} [{fact.seen}] {fact.at}".rstrip()
        for fact in standing.facts
    ]
    for label, texts in _others(standing):
        if texts:
            lines += textwrap.wrap(
                f"{label}: {', '.join(texts)}",
                WIDTH,
                initial_indent="    ",
                subsequent_indent="        ",
            )
    return lines or ["    background: nothing rests on it"]


def _others(standing: Standing) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "equations", standing.equations
    yield "published cases", standing.cases
    yield "scenarios", standing.scenarios
    yield "named beside", standing.named


def _entry(path: str) -> str:
    """The entry, or the module of equations, that a number stands in."""
    kind, name, *_ = path.split(".")
    return f"{kind}.{name}"
