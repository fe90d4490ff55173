"""A plan: everything that is needed to run a sweep, or one of its runs, anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from simulator import __version__, endpoints, units
from simulator import scenario as scenarios
from simulator.catalog import nearest
from simulator.errors import CommandError, ScenarioError
from simulator.scenario import library, overrides
from simulator.scenario.tree import Node
from simulator.sweep import grammar
from simulator.sweep.designs import KINDS, Design, design_of

SWEEP_TOLERANCE = 1e-6
"""Relative error of a step in sweeps, ten times that of single runs: levels are good to 1e-6."""
MOST_TRIED = 20
"""Named values of a factor that are tried before anything is run."""
ENGINES = ("auto", "plain", "fast")


@dataclass(frozen=True)
class Plan:
    """One sweep. Frozen plain data: it can be sent anywhere, and says the same there."""

    name: str
    """Of the scenario."""
    text: str
    """The scenario as YAML, with what it extends and what was set laid over."""
    design: Design
    below: Mapping[str, str] = field(default_factory=dict)
    """Levels below which days are counted, by solute; otherwise half of the first level."""
    outcomes: tuple[str, ...] = ()
    """Phrases of endpoints beside the standard columns."""
    curves: bool = False
    engine: str = "auto"
    tolerance: float = SWEEP_TOLERANCE

    @cached_property
    def fingerprint(self) -> str:
        """The same for plans that give the same table."""
        content = {**self.to_data(), "engine": "", "version": __version__}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_data(self) -> dict[str, Any]:
        """As plain data, from which `from_data` makes the same plan."""
        return {
            "name": self.name,
            "text": self.text,
            "design": self.design.to_data(),
            "below": dict(self.below),
            "outcomes": list(self.outcomes),
            "curves": self.curves,
            "engine": self.engine,
            "tolerance": self.tolerance,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_data` has written."""
        return cls(
            data["name"], data["text"], Design.from_data(data["design"]), data["below"],
            tuple(data["outcomes"]), data["curves"], data["engine"], data["tolerance"],
        )  # fmt: skip


def plan_of(
    source: str | Path,
    *,
    set_to: Sequence[str] = (),
    vary: Sequence[str] | Mapping[str, Any] = (),
    design: str | None = None,
    samples: int | None = None,
    seed: int | None = None,
    below: Sequence[str] = (),
    outcomes: Sequence[str] = (),
    curves: bool = False,
    engine: str = "auto",
    tolerance: float = SWEEP_TOLERANCE,
) -> Plan:
    """The plan of a scenario's sweep block with what is said beside it.

    `vary`: ``PATH=SPEC`` texts as on the command line, or addresses with what a sweep block would
    say of them; each adds to the block, or takes the place of what it says. Raises `ScenarioError`
    if the scenario or a value of the block is wrong, and `CommandError` for what stands beside it.
    """
    said = dict(vary) if isinstance(vary, Mapping) else dict(map(grammar.parse, vary))
    found = library.find(source)
    tree, _ = library.merged(found)
    tree, _ = overrides.apply(tree, set_to, seed)
    plain = tree.plain()
    written = plain.get("sweep")
    block: dict[str, Any] = dict(written) if isinstance(written, dict) else {}
    block["vary"] = {**(block.get("vary") or {}), **said}
    for key, value in (("design", design), ("samples", samples), ("seed", seed)):
        if value is not None:
            block[key] = value
    if block.get("design", "grid") not in KINDS:
        raise CommandError(f"--design: expected {', '.join(KINDS)}, got {block['design']}")
    usual = scenarios.load(source, set_to, seed)  # every problem of it and of its own sweep block
    if block.get("population"):
        written_of = usual.document.get("solutes") or {}
        block["said"] = {
            "patient": tuple(plain.get("patient") or ()),
            **{solute: tuple(written_of.get(solute) or ()) for solute in usual.solutes},
        }
    made = design_of(block, usual.seed)
    content = {key: value for key, value in usual.document.items() if key != "sweep"}
    text = _text(content)
    _check_addresses(text, usual.name, made)
    for name in outcomes:
        endpoints.parse(name).unit_in(usual)
    levels = _levels(below, usual)
    return Plan(usual.name, text, made, levels, tuple(outcomes), curves, engine, tolerance)


def _text(content: Mapping[str, Any]) -> str:
    from simulator.scenario import writer

    return writer.to_yaml(content)


def _check_addresses(text: str, name: str, design: Design) -> None:
    """Raise for an address that a scenario does not have, before anything is run.

    Of each factor alone the middle of its distribution is tried, the least and the greatest of its
    numbers, or its first named values; if only others are wrong, their runs will tell.
    """
    import numpy as np

    for factor in design.factors:
        tried: Sequence[Any] = factor.values[:MOST_TRIED]
        if factor.distribution:
            tried = factor.at(np.array([0.5])).tolist()
        elif factor.numeric:
            tried = sorted({min(factor.values), max(factor.values)})
        for value in tried:
            try:
                scenarios.loads(text, name, [f"{factor.address}={factor.text(value)}"])
            except ScenarioError as error:
                told = [
                    p._replace(file="--vary") if p.file == "--set" else p for p in error.problems
                ]
                raise ScenarioError(told) from None


def _levels(below: Sequence[str], usual: scenarios.Scenario) -> dict[str, str]:
    levels = {}
    for text in below:
        name, equals, level = (part.strip() for part in text.partition("="))
        if not equals:
            raise CommandError(f"--below {text}: expected SOLUTE=LEVEL, such as igg='5 g/L'")
        if name not in usual.solutes:
            raise CommandError(
                f"--below {name}: this scenario does not follow it; {nearest(name, usual.solutes)}"
            )
        try:
            units.parse(level).to(usual.solutes[name].kinetics.unit)
        except ValueError as error:
            raise CommandError(f"--below {name}: {error}") from None
        levels[name] = level
    return levels


def tree_of(plan: Plan) -> Node:
    """The scenario of a plan, ready to have values laid over it."""
    return library.merged(library.text_source(plan.text, plan.name))[0]
