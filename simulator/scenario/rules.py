"""Rules: what is done when the sample drawn before a session says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

from simulator import units
from simulator.orders import FollowedSolute
from simulator.scenario import format as written
from simulator.scenario.entries import Entries
from simulator.scenario.measures import read_quantity
from simulator.scenario.model import Rule
from simulator.scenario.report import near_or_all, shown
from simulator.scenario.tree import Path
from simulator.scenario.written import usable
from simulator.units import UnitError

#: What a rule can look at beside the solutes, and the unit it is compared in.
OBSERVABLE: Mapping[str, str] = {
    "hematocrit": "1",
    "ionized_calcium": "mmol/L",
    "plasma_volume": "mL",
    "blood_volume": "mL",
}
_GRAMMAR = re.compile(r"\s*([A-Za-z0-9_.-]+?)\s*(<=|>=|<|>)\s*([^<>=].*?)\s*", re.DOTALL)
_EXAMPLE = "expected '<name> < <quantity>', such as 'fibrinogen < 1.0 g/L'"

Comparison = Literal["<", ">", "<=", ">="]
Action = Literal["replace-with", "stop", "skip", "delay"]


def rules(
    document: written.Document, solutes: Mapping[str, FollowedSolute], entries: Entries
) -> tuple[Rule, ...]:
    """The rules of a document, in its order."""
    found = [
        _rule(model, ("rules", place), solutes, entries) for place, model in usable(document.rules)
    ]
    return tuple(rule for rule in found if rule is not None)


def _rule(
    model: written.Rule, path: Path, solutes: Mapping[str, FollowedSolute], entries: Entries
) -> Rule | None:
    report = entries.report
    condition = _condition(model.when, (*path, "when"), solutes, entries)
    fluid = entries.fluid(model.fluid, (*path, "fluid")) if model.fluid else None
    if model.do is None:
        return None
    if model.do == "replace-with" and model.fluid is None:
        report.missing((*path, "fluid"), "the fluid to replace with, such as fresh-frozen-plasma")
    if model.do == "delay" and model.by is None:
        report.missing((*path, "by"), "a time to wait, such as '1 d'")
    if model.do != "replace-with" and model.fluid is not None:
        report.add((*path, "fluid"), "belongs to 'do: replace-with' only", on_key=True)
    if model.do != "delay" and model.by is not None:
        report.add((*path, "by"), "belongs to 'do: delay' only", on_key=True)
    if condition is None or model.when is None:
        return None
    name, comparison, threshold = condition
    delay = model.by.canonical if model.by else 0.0
    action = cast("Action", model.do)
    return Rule(model.when, name, comparison, threshold, action, fluid, delay)


def _condition(
    text: str | None, path: Path, solutes: Mapping[str, FollowedSolute], entries: Entries
) -> tuple[str, Comparison, float] | None:
    """The name, the comparison, and the threshold in the unit it is compared in."""
    report = entries.report
    if text is None:
        return None
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        report.add(path, f"{_EXAMPLE}, got {shown(text)}")
        return None
    name, comparison, threshold = match.groups()
    if name in OBSERVABLE:
        unit = OBSERVABLE[name]
    elif name in solutes:
        unit = solutes[name].kinetics.unit
    else:
        if not report.spoiled(("solutes", name)):
            hint = near_or_all(name, [*solutes, *OBSERVABLE])
            report.add(path, f"a rule cannot look at {shown(name)}{hint}")
        return None
    return _compared(name, comparison, threshold, unit, path, entries)


def _compared(
    name: str, comparison: str, text: str, unit: str, path: Path, entries: Entries
) -> tuple[str, Comparison, float] | None:
    wanted = units.describe(unit)
    example = "35 %" if unit == "1" else f"1 {unit}"
    expectation = f"{wanted} for {name}, such as '{example}'"
    try:
        quantity = read_quantity(text, expectation)
        return name, cast("Comparison", comparison), quantity.to(unit)
    except UnitError:
        entries.report.add(path, f"expected {expectation}, got {shown(text)}")
    except ValueError as error:
        entries.report.add(path, str(error))
    return None
