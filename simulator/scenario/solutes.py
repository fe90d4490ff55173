"""The solutes followed: from the catalog, like one of the catalog, or with their own kinetics."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from simulator import catalog, units
from simulator.catalog import Catabolism, Fact
from simulator.catalog import Solute as Kinetics
from simulator.orders import FollowedSolute
from simulator.patient.proteins import catabolic_rate
from simulator.scenario.format import Document, Solute
from simulator.scenario.limits import SLUG
from simulator.scenario.report import Report, near, near_or_all, number, shown
from simulator.scenario.tree import Path
from simulator.units import Quantity, UnitError

ALWAYS = ("albumin", "igg")
"""Followed in every patient: they drive oncotic pressure and FcRn."""

INTERNAL = "other-globulins"
"""Followed by the simulation itself, as what plasma holds beside the solutes of the file."""

#: Names that mean something else in rules and results.
_TAKEN = frozenset(("hematocrit", "citrate", "calcium", "ionized-calcium", "water", "red-cells"))

_OWN_KINETICS = (
    "intravascular_fraction",
    "transcapillary_escape",
    "half_life",
    "fractional_catabolic_rate",
)
_EXPECTED = {
    "unit": "a unit of concentration, such as 'mg/L'",
    "initial": "a concentration, such as '10 mg/L'",
    "intravascular_fraction": "a percentage, such as '45 %'",
    "transcapillary_escape": "a rate, such as '3 %/h'",
}


def followed(document: Document, report: Report) -> dict[str, FollowedSolute]:
    """All solutes followed: the file's in its order, then albumin and IgG if it has them not."""
    written: dict[str, Solute] = dict(document.solutes or {})
    for name in ALWAYS:
        if not report.touches(("solutes", name)):
            written.setdefault(name, Solute())
    written = _with_patient_albumin(written, document, report)
    igg = _initial_igg(written.get("igg"))
    found = {name: _Reader(name, solute, report, igg).solute() for name, solute in written.items()}
    return {name: solute for name, solute in found.items() if solute is not None}


def _with_patient_albumin(
    written: dict[str, Solute], document: Document, report: Report
) -> dict[str, Solute]:
    """`patient.albumin` is the level that albumin starts at."""
    level = document.patient.albumin if document.patient else None
    albumin = written.get("albumin")
    if level is None or albumin is None:
        return written
    if albumin.initial is not None:
        unit = catalog.tree("solutes", "albumin")["unit"]
        same = albumin.initial.unit.dimension == level.unit.dimension and math.isclose(
            albumin.initial.to(unit), level.to(unit), rel_tol=1e-9
        )
        if not same:
            report.add(
                ("patient", "albumin"),
                f"{number(level.value)} {level.unit.text}, but solutes.albumin.initial is "
                f"{number(albumin.initial.value)} {albumin.initial.unit.text}; write one of them",
            )
        return written
    return {**written, "albumin": albumin.but(initial=level)}


def _initial_igg(solute: Solute | None) -> float:
    """Total IgG (g/L) at the start, as far as it can be read."""
    base = catalog.solute("igg")
    if solute is not None and solute.initial is not None:
        try:
            return solute.initial.to(base.unit)
        except UnitError:
            pass  # reported when igg itself is read
    return base.initial


class _Reader:
    """Reads one solute; what is wrong is reported, and the solute then left out."""

    def __init__(self, name: str, written: Solute, report: Report, igg: float) -> None:
        self.name = name
        self.written = written
        self.report = report
        self.igg = igg
        self.path: Path = ("solutes", name)

    def solute(self) -> FollowedSolute | None:
        if not self._name_is_free():
            return None
        base = self._base()
        if base is None:
            return None
        unit = self._unit(base)
        initial = None if unit is None else self._initial(base, unit)
        kinetics = self._kinetics(base, unit or base.unit)
        if initial is None or kinetics is None:
            return None
        synthesis = self.written.synthesis
        return FollowedSolute(
            replace(kinetics, initial=initial),
            initial,
            1.0 if synthesis is None else synthesis.canonical,
        )

    def _problem(self, key: str, message: str) -> None:
        self.report.add((*self.path, key) if key else self.path, message)

    def _name_is_free(self) -> bool:
        if self.name == INTERNAL:
            message = "is followed by the simulation itself; leave it out"
        elif self.name in _TAKEN:
            message = "is the name of something that is always computed; choose another"
        elif len(self.name) > 40 or not re.fullmatch(SLUG, self.name):
            message = "is not a solute's name; expected lowercase letters, digits and hyphens"
        else:
            return True
        self.report.add(self.path, f"{shown(self.name)} {message}", on_key=True)
        return False

    def _base(self) -> Kinetics | None:
        """What the solute is before its own changes; the name says where that comes from."""
        like = self.written.like
        known = [name for name in catalog.names("solutes") if name != INTERNAL]
        if self.name in known:
            if like is None:
                return catalog.solute(self.name)
            self._problem("like", f"{self.name} is in the catalog itself; leave `like` out")
            return None
        if like is not None:
            if like in known:
                return catalog.solute(like)
            hint = near_or_all(like, known)
            self._problem("like", f"{shown(like)} is not in the catalog of solutes{hint}")
            return None
        if any(getattr(self.written, key) is not None for key in _OWN_KINETICS):
            return self._own()
        if not self._spoiled():
            hint = near(self.name, known)
            self.report.add(
                self.path,
                f"{shown(self.name)} is not in the catalog of solutes{hint or ';'} "
                f"{'A' if hint else 'a'} new name needs 'like: <a solute of the catalog>', or its "
                "kinetics: unit, initial, intravascular_fraction, transcapillary_escape, and "
                "half_life or fractional_catabolic_rate",
                on_key=True,
            )
        return None

    def _spoiled(self) -> bool:
        """Whether something below this solute could not be read."""
        keys = (*_OWN_KINETICS, "like")
        return any(self.report.touches((*self.path, key)) for key in keys)

    def _own(self) -> Kinetics | None:
        """A solute of which everything is said here."""
        for key, expected in _EXPECTED.items():
            if getattr(self.written, key) is None:
                self.report.missing((*self.path, key), expected)
        rates = ("half_life", "fractional_catabolic_rate")
        if all(getattr(self.written, key) is None for key in rates) and not any(
            self.report.touches((*self.path, key)) for key in rates
        ):
            self._problem("", "missing; expected half_life or fractional_catabolic_rate")
        if any(getattr(self.written, key) is None for key in _EXPECTED):
            return None
        own = (self.name,)
        return Kinetics(self.name, self.name, str(self.written.unit), Catabolism(0.0), kin=own)

    def _unit(self, base: Kinetics) -> str | None:
        """The unit that concentrations are counted in."""
        said, initial = self.written.unit, self.written.initial
        if self.name == base.name and self.written.like is None and said not in (None, base.unit):
            self._problem(
                "unit", f"{self.name} is counted in {base.unit}; `initial` may be in another unit"
            )
            return None
        unit = base.unit if said is None else said
        if said is None and self.written.like is not None and initial is not None:
            bare = initial.unit.text == "1"
            unit = base.unit if bare else initial.unit.text
        try:
            units.concentration_unit(unit)
        except UnitError as error:
            self._problem("unit" if said is not None else "initial", str(error))
            return None
        return unit

    def _initial(self, base: Kinetics, unit: str) -> float | None:
        written = self.written.initial
        if written is None:
            if unit == base.unit:
                return base.initial
            self.report.missing(
                (*self.path, "initial"), f"a concentration in {unit}, the unit of {self.name}"
            )
            return None
        if written.unit.text == "1" and unit != "%":
            self._problem(
                "initial",
                f"a concentration needs a unit, such as '{number(written.value)} {unit}'; "
                f"got {number(written.value)}",
            )
            return None
        try:
            level = written.to(unit)
        except UnitError:
            got = f"{number(written.value)} {written.unit.text}"
            self._problem(
                "initial",
                f"expected {units.describe(unit)}, such as '10 {unit}', got {shown(got)}, "
                f"{units.describe(written.unit)}",
            )
            return None
        if level < 0:
            self._problem("initial", f"expected at least 0, got {number(written.value)}")
            return None
        return level

    def _kinetics(self, base: Kinetics, unit: str) -> Kinetics | None:
        """`base` with the changes written; facts that no longer hold are dropped."""
        written = self.written
        fraction = _or(written.intravascular_fraction, base.intravascular_fraction)
        escape = _or(written.transcapillary_escape, base.transcapillary_escape)
        impossible = fraction == 1 and escape > 0
        if impossible:
            self._problem(
                "transcapillary_escape" if written.transcapillary_escape else "",
                "an intravascular_fraction of 100 % leaves nothing to escape to; "
                "expected transcapillary_escape: 0 %/h",
            )
        catabolism = self._catabolism(base, fraction)
        if impossible or catabolism is None:
            return None
        changed = {key for key in written.keys if getattr(written, key) is not None}
        if catabolism is not base.catabolism:
            changed.add("intrinsic" if catabolism.protected_fraction else "catabolism")
        return replace(
            base,
            name=self.name,
            kin=base.kin if self.name == base.name else (self.name, *base.kin),
            title=base.title if self.name == base.name else self._title(base),
            unit=unit,
            catabolism=catabolism,
            intravascular_fraction=fraction,
            transcapillary_escape=escape,
            sieving=_or(written.sieving, base.sieving),
            facts=_still_true(base.facts, changed),
        )

    def _title(self, base: Kinetics) -> str:
        return f"{self.name}, like {base.name}"

    def _catabolism(self, base: Kinetics, fraction: float) -> Catabolism | None:
        """The breakdown as written.

        A half-life t of the whole body is a fractional catabolic rate ln 2 / (t f) of the plasma
        pool. What is spared by FcRn stays so: the rate written holds at the patient's initial IgG.
        """
        half_life, rate = self.written.half_life, self.written.fractional_catabolic_rate
        if half_life is not None and rate is not None:
            self._problem("half_life", "fractional_catabolic_rate says the same; write one of them")
            return None
        if half_life is not None:
            stated = math.log(2) / (half_life.canonical * fraction)
        elif rate is not None:
            stated = rate.canonical
        else:
            return base.catabolism
        if base.catabolism.protected_fraction == 0:
            return Catabolism(stated)
        law = base.catabolism
        spared = catabolic_rate(1.0, law.protected_fraction, law.half_saturation, self.igg)
        return replace(law, intrinsic=stated / spared)


def _or(written: Quantity | None, otherwise: float) -> float:
    return otherwise if written is None else written.canonical


def _still_true(facts: Mapping[str, Fact], changed: set[str]) -> dict[str, Fact]:
    """Facts of the catalog that the file has not replaced by its own numbers."""
    return {
        path: fact for path, fact in facts.items() if not changed.intersection(path.split(".")[2:])
    }
