"""Published cases: one study per file, what it measured, and the runs in which that is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from simulator import catalog, endpoints, units
from simulator.endpoints import Endpoint
from simulator.errors import CommandError, ScenarioError, SimulatorError
from simulator.evidence import format as written
from simulator.scenario import library
from simulator.scenario.model import Scenario
from simulator.scenario.overrides import steps
from simulator.scenario.reader import parse
from simulator.scenario.report import near_or_all, shown
from simulator.scenario.resolve import resolve
from simulator.scenario.shape import read_file
from simulator.scenario.tree import Node, assign
from simulator.scenario.tree import Path as TreePath
from simulator.scenario.written import usable
from simulator.units import Quantity

Class = Literal["gate", "trend", "report", "calibration"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a study printed: a value, a spread, or both, in the unit it used."""

    value: Quantity | None = None
    spread: tuple[Quantity, Quantity] | None = None
    """Two ends: of the range, the quartiles, the confidence interval; or a standard deviation or
    error either side of the value."""
    spread_kind: str = ""
    """One of `format.SPREADS`; empty without a spread."""
    count: tuple[int, int] | None = None
    """So many of so many."""
    n: int | None = None
    of: str = "patients"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a case."""

    name: str
    scenario: Scenario
    repetitions: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One measured quantity, where it is read, and what is asked of it."""

    name: str
    quantity: str
    runs: tuple[str, ...]
    """Of several, the mean is meant."""
    read: Endpoint
    kind: Class
    measured: Measured
    tolerance: Quantity | None = None
    at_least: Quantity | None = None
    at_most: Quantity | None = None
    against: str | None = None
    compare: str | None = None
    statistic: str | None = None
    why: str = ""
    miss: str = ""
    would_be: str = ""
    """Of a row that is only shown because it misses: the class that it would have."""

    def unit_in(self, scenario: Scenario) -> str:
        """The unit in which the row is read in runs of a scenario."""
        if self.statistic == "percent" or self.compare == "percent":
            return "%"
        if self.compare == "ratio":
            return ""
        return self.read.unit_in(scenario)


@dataclass(frozen=True, slots=True)
class Case:
    """One study."""

    file: str
    """Its name, or the path of a file of one's own: what `load` was asked for."""
    study: str
    """Key of the bibliography."""
    title: str
    seen: str
    not_stated: str
    runs: Mapping[str, Run]
    rows: tuple[Row, ...]


def folder() -> Path:
    """The published cases: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_published"
    return installed if installed.is_dir() else package.parent / "tests" / "published"


def names() -> list[str]:
    """Names of the published cases, sorted."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def load(name: str) -> Case:
    """A published case by its name, or a file of one's own by its path.

    Raises `ScenarioError` with everything that is wrong in it, `CommandError` if there is none.
    """
    if name in names():
        path = folder() / f"{name}.yaml"
        return _Reader(path.read_bytes(), path.name, name).case()
    own = Path(name)
    if not own.is_file():
        hint = near_or_all(own.stem, names()).lstrip("; ")
        raise CommandError(f"{name}: there is no such file, nor a published case; {hint}")
    return _Reader(own.read_bytes(), name, name).case()


def said(name: str, key: str) -> str:
    """What a published case says under one of its keys, without loading its runs."""
    tree, _ = parse((folder() / f"{name}.yaml").read_bytes(), name)
    found = tree.child(key)
    return str(found.value) if found else ""


class _Reader:
    """Reads one file; all that is wrong in it is told together."""

    def __init__(self, content: bytes, label: str, name: str) -> None:
        self.name = name
        self.study, self.report = read_file(written.Study, content, label)

    def case(self) -> Case:
        study, report = self.study, self.report
        if study.study is not None and study.study not in catalog.references():
            hint = near_or_all(study.study, catalog.references())
            report.add(("study",), f"{shown(study.study)} is not in the bibliography{hint}")
        runs = dict(self._runs())
        rows = tuple(self._rows())
        if not rows and not report.problems:
            report.add(("rows",), "expected at least one measured quantity")
        for row in rows:
            if all(name in runs for name in row.runs):
                self._check_units(row, runs[row.runs[0]].scenario)
        report.finish()
        return Case(
            file=self.name,
            study=cast("str", study.study),
            title=cast("str", study.title),
            seen=cast("str", study.seen),
            not_stated=study.not_stated or "",
            runs=runs,
            rows=rows,
        )

    # -- runs -------------------------------------------------------------------------------------

    def _runs(self) -> Iterator[tuple[str, Run]]:
        for name, run in _usable(self.study.runs):
            path: TreePath = ("runs", name)
            tree = self._tree(name, (name,))
            if tree is None or self.report.spoiled(path):
                continue
            try:
                scenario = resolve(tree, f"{Path(self.name).stem}-{name}")
            except ScenarioError as error:
                self.report.problems += error.problems
                continue
            yield name, Run(name, scenario, run.repetitions or 1)

    def _tree(self, name: str, above: tuple[str, ...]) -> Node | None:
        """What a run writes: its scenario, or that of the run it is like, and its changes."""
        run = (self.study.runs or {})[name]
        path: TreePath = ("runs", name)
        if (run.like is None) == (run.scenario is None):
            self.report.add(path, "expected either 'scenario' or 'like', another run of this file")
            return None
        if run.like is not None:
            others = [other for other in self.study.runs or {} if other not in (name, *above)]
            if run.like not in others:
                hint = near_or_all(run.like, others) if others else ""
                circle = f": like goes in a circle, {' > '.join((*above, run.like))}"
                why = circle if run.like in above else f" of this file{hint}"
                if not self.report.touches((*path, "like")):  # as a run that is like this one
                    self.report.add((*path, "like"), f"{shown(run.like)} is no other run{why}")
                return None
            tree = self._tree(run.like, (*above, run.like))
        else:
            tree = self._scenario((*path, "scenario"))
        changes = self.report.tree.find((*path, "set"))
        if tree is None or not changes[1] or not isinstance(changes[0].value, dict):
            return tree
        for address, value in changes[0].value.items():
            try:
                tree = assign(tree, steps(address), value)
            except LookupError as error:
                self.report.add((*path, "set", address), str(error.args[0]))
        return tree

    def _scenario(self, path: TreePath) -> Node | None:
        node, _ = self.report.tree.find(path)
        if isinstance(node.value, dict):
            return node
        if not isinstance(node.value, str):
            self.report.add(path, "expected the name of a scenario, or one written here")
            return None
        patient = folder() / "patients" / f"{node.value}.yaml"
        try:
            if patient.is_file():
                tree, problems = parse(patient.read_bytes(), patient.name)
            else:
                tree, problems = library.merged(library.find(node.value))
        except SimulatorError as error:
            self.report.add(path, str(error))
            return None
        self.report.problems += problems
        return tree

    # -- rows -------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[Row]:
        for name, row in _usable(self.study.rows):
            path: TreePath = ("rows", name)
            read = self._endpoint((*path, "read"), row.read)
            runs = _runs_of(row)
            if not runs:
                self.report.add((*path, "run"), "expected a run of this file, or several")
            for key, wanted in [*(("run", run) for run in runs), ("against", row.against)]:
                if wanted is not None and str(wanted) not in (self.study.runs or {}):
                    hint = near_or_all(str(wanted), self.study.runs or {})
                    self.report.add((*path, key), f"{shown(wanted)} is no run of this file{hint}")
            self._check(path, row)
            if read is None or self.report.spoiled(path):
                continue
            yield Row(
                name=name,
                quantity=cast("str", row.quantity),
                runs=tuple(map(str, runs)),
                read=read,
                kind=cast("Class", row.kind),
                measured=_measured(row),
                tolerance=row.tolerance,
                at_least=row.at_least,
                at_most=row.at_most,
                against=row.against,
                compare=row.compare,
                statistic=row.statistic,
                why=row.why or "",
                miss=row.miss or "",
                would_be=row.would_be or "",
            )

    def _endpoint(self, path: TreePath, phrase: str | None) -> Endpoint | None:
        if phrase is None:
            return None
        try:
            return endpoints.parse(phrase)
        except CommandError as error:
            self.report.add(path, str(error))
            return None

    def _check(self, path: TreePath, row: written.Row) -> None:
        """What a row needs beside its own keys."""
        self._check_spread(path, row)
        add = self.report.add
        if row.against is not None and row.against in _runs_of(row):
            add((*path, "against"), "expected another run than that which is compared")
        if (row.against is None) != (row.compare is None):
            add(path, f"'against' and 'compare' ({', '.join(written.COMPARISONS)}) go together")
        spread = any(getattr(row, kind) is not None for kind in written.SPREADS)
        bounds = row.at_least is not None or row.at_most is not None
        found = row.measured is not None or spread or row.count is not None
        if not found and not bounds:
            add(path, "expected what was measured: 'measured', a spread, or 'at_least', 'at_most'")
        if bounds and row.tolerance is not None:
            add((*path, "tolerance"), "bounds have no tolerance: write them as they are to hold")
        judged = bounds or row.tolerance is not None or spread or row.count is not None
        if row.kind != "report" and found and not judged:
            add(path, "expected 'tolerance': no spread is printed that could take its place")
        if row.would_be is not None and (row.kind != "report" or row.miss is None):
            add((*path, "would_be"), "expected only of a row of class report with a miss")
        if not row.why and (row.tolerance is not None or bounds):
            add(path, "missing 'why': the reason for the tolerance or the bounds")

    def _check_spread(self, path: TreePath, row: written.Row) -> None:
        """Whether what stands either side of a value, or for one, can be what it says."""
        add = self.report.add
        spreads = [kind for kind in written.SPREADS if getattr(row, kind) is not None]
        if len(spreads) > 1:
            add((*path, spreads[1]), f"a row has one spread, and {spreads[0]} is written already")
        for kind in ("range", "iqr", "ci95"):
            ends = getattr(row, kind)
            if ends is not None and len(list(usable(ends))) != 2:
                add((*path, kind), "expected two ends, such as [62 %, 65 %]")
        if spreads and spreads[0] in ("sd", "se") and row.measured is None:
            add((*path, spreads[0]), "expected 'measured' too: it is either side of a value")
        for key in ("tolerance", "sd", "se"):
            amount = getattr(row, key)
            if amount is not None and amount.value < 0:
                add((*path, key), f"expected an amount either side, got {amount.value:g}")
        if row.count is not None:
            some, of = _count(row.count)
            if of == 0 or some > of:
                add((*path, "count"), f"expected so many of at least as many, got {row.count!r}")

    def _check_units(self, row: Row, scenario: Scenario) -> None:
        """Whether all numbers of a row can be had in the unit in which it is read."""
        path: TreePath = ("rows", row.name)
        try:
            unit = row.unit_in(scenario)
        except CommandError as error:
            self.report.add((*path, "read"), str(error))
            return
        written_row = (self.study.rows or {})[row.name]
        for key in ("measured", *written.SPREADS, "tolerance", "at_least", "at_most"):
            found = getattr(written_row, key)
            for quantity in found if isinstance(found, list) else [found]:
                if isinstance(quantity, Quantity):
                    if unit == "%" and quantity.unit.text == "1" and quantity.value:
                        given = f"{quantity.value:g}"
                        self.report.add((*path, key), f"{given} needs a unit: '{given} %'")
                        continue
                    try:
                        quantity.to(unit or "1")
                    except units.UnitError as error:
                        self.report.add((*path, key), f"{error}: it is read in {unit or 'numbers'}")
        spread = row.measured.spread
        ends = None if self.report.spoiled(path) or spread is None else spread
        if ends and row.measured.spread_kind not in ("sd", "se"):
            low, high = (end.to(unit or "1") for end in ends)
            if low > high:
                message = "expected the lower end first"
                self.report.add((*path, row.measured.spread_kind), message)


def _runs_of(row: written.Row) -> list[Any]:
    """What stands behind `run`: a name, or a list of names."""
    return row.run if isinstance(row.run, list) else [row.run]


def _usable(items: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    return ((key, item) for key, item in (items or {}).items() if isinstance(item, written.Written))


def _measured(row: written.Row) -> Measured:
    kind = next((kind for kind in written.SPREADS if getattr(row, kind) is not None), "")
    spread = getattr(row, kind) if kind else None
    if isinstance(spread, Quantity):
        spread = (spread, spread)
    count = None if row.count is None else _count(row.count)
    return Measured(
        row.measured, tuple(spread) if spread else None, kind, count, row.n, row.of or "patients"
    )


def _count(text: str) -> tuple[int, int]:
    some, _, of = text.split()
    return int(some), int(of)
