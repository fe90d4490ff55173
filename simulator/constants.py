"""The graded numbers that stand in the equations themselves: where, with what unit, on whose word.

Values and words stand in the modules of the equations, each constant with a docstring; this table
adds what a reader of all of them needs: unit, source, grade. A test holds both together.
"""

from __future__ import annotations

import ast
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from functools import cache, wraps
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from simulator.catalog import Fact
from simulator.records import record

Follower = Callable[[float], float]
"""What a number of the same module becomes with another value of a constant."""


@record
class Constant:
    """A number of an equation, or an equation of which all coefficients are of one source."""

    module: str
    """Within the package: ``patient.water``."""
    name: str
    unit: str
    source: str
    seen: str
    """One of `catalog.GRADES`."""
    followers: Mapping[str, Follower] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )
    """Numbers of the module that were made from it when the program was started."""

    @property
    def path(self) -> str:
        """Its address, like that of a number of the catalog."""
        return f"{self.module}.{self.name}"

    @property
    def value(self) -> float | None:
        """Its value in `unit`; None for an equation."""
        found = getattr(import_module(f"simulator.{self.module}"), self.name)
        return found if isinstance(found, (int, float)) else None

    @property
    def counts(self) -> bool:
        """Whether it is a number of things, of which there is no tenth."""
        return isinstance(getattr(import_module(f"simulator.{self.module}"), self.name), int)

    @property
    def words(self) -> str:
        """What it is and why it is so, as its module says."""
        return _docstrings(self.module)[self.name]

    @property
    def title(self) -> str:
        """The beginning of `words`, up to where they speak of evidence."""
        return re.split(r"\. | ?\[|\.$", self.words, maxsplit=1)[0]

    def fact(self) -> Fact:
        """The constant as numbers of the catalog are told."""
        value = self.value
        text = "equation" if value is None else f"{value:.10g} {self.unit}".rstrip()
        return Fact(self.path, text, self.source, self.seen, at="", note=self.words)


def _constants(module: str, *rows: tuple[str, str, str, str]) -> Iterator[Constant]:
    """Rows of (name, unit, source, grade)."""
    for name, unit, source, seen in rows:
        yield Constant(module, name, unit, source, seen, _FOLLOWERS.get(name, {}))


_FOLLOWERS: Mapping[str, Mapping[str, Follower]] = {
    "SECRETION_MOST": {"LOG_SECRETION": lambda most: math.log(most - 1)},
    "REFERENCE_WEIGHT": {"CITRATE_LITER_PER_KG": lambda weight: 30.0 / weight},
}

_GENERAL = "general-knowledge"

CONSTANTS: tuple[Constant, ...] = (
    *_constants(
        "patient.volumes",
        ("INTERSTITIAL_ML_PER_KG", "mL/kg", "assumed", "assumed"),
        ("nadler_blood_volume", "", "nadler-1962", "second-hand"),
        ("lemmens_blood_volume", "", "lemmens-2006", "unverified"),
        ("per_kg_blood_volume", "", _GENERAL, "unverified"),
        ("kaplan_plasma_volume", "", "kaplan-1992", "second-hand"),
        ("icsh_plasma_volume", "", "icsh-1995", "unverified"),
    ),
    *_constants(
        "patient.water",
        ("ALBUMIN_SCALE", "", "aas-1993", "derived"),
        ("FILTRATION", "mL/min/mmHg", "pietribiasi-2016", "abstract"),
        ("REFLECTION", "", "crit-line", "derived"),
        ("COMPLIANCE", "1/mmHg", "crit-line", "derived"),
        ("INTERSTITIAL_COMPLIANCE", "1/mmHg", "reed-1981", "abstract"),
        ("AVAILABLE", "", "reed-1989", "abstract"),
        ("AVAILABLE_OF_RISE", "", "reed-1989", "abstract"),
        ("RENAL_TIME", "min", "assumed", "assumed"),
        ("oncotic_pressure", "", "landis-pappenheimer", "unverified"),
    ),
    *_constants(
        "patient.minerals",
        ("REFERENCE_WEIGHT", "kg", "assumed", "assumed"),
        ("CITRATE_LITER_PER_KG", "L/kg", "kramer-2003", "derived"),
        ("CITRATE_CLEARANCE", "L/min", "kramer-2003", "abstract"),
        ("CITRATE_AT_REST", "mmol/L", _GENERAL, "unverified"),
        ("CALCIUM_CITRATE", "L/mmol", _GENERAL, "unverified"),
        ("MAGNESIUM_CITRATE", "L/mmol", _GENERAL, "unverified"),
        ("CALCIUM_ALBUMIN", "L/g", _GENERAL, "unverified"),
        ("MAGNESIUM_ALBUMIN", "L/g", _GENERAL, "unverified"),
        ("OTHER_CALCIUM", "", _GENERAL, "unverified"),
        ("OTHER_MAGNESIUM", "", _GENERAL, "unverified"),
        ("MAGNESIUM_AT_REST", "mmol/L", _GENERAL, "unverified"),
        ("MAGNESIUM_TIME", "min", "assumed", "assumed"),
        ("SECRETION_MOST", "", _GENERAL, "unverified"),
        ("SECRETION_WIDTH", "mmol/L", _GENERAL, "unverified"),
        ("STORE_REFILL", "", "assumed", "assumed"),
        ("STORE_TIME", "min", "assumed", "assumed"),
        ("BONE_RELEASE", "mmol/min", "zhao-weinstein-2019", "derived"),
    ),
    *_constants(
        "machine.control",
        ("THICKEST_BLOOD", "", "assumed", "assumed"),
        ("LITTLE_BLOOD", "", "assumed", "assumed"),
        ("LEAST_BLOOD", "", "assumed", "assumed"),
        ("MARGIN", "", _GENERAL, "unverified"),
    ),
    *_constants("machine.session", ("BOLUS_TIME", "min", "assumed", "assumed")),
    *_constants("machine.separators", ("GENTLER", "", _GENERAL, "unverified")),
    *_constants(
        "machine.continuous",
        ("THICK", "", "assumed", "assumed"),
        ("TOO_THICK", "", "assumed", "assumed"),
        ("UNBALANCED", "", "assumed", "assumed"),
        ("SPENT", "", "assumed", "assumed"),
    ),
    *_constants("machine.intermittent", ("NOTICEABLE", "mL", "assumed", "assumed")),
    *_constants(
        "machine.access",
        ("MOVES_EVERY", "min", "assumed", "assumed"),
        ("SLOWER", "", _GENERAL, "unverified"),
        ("RETRY_AFTER", "min", _GENERAL, "unverified"),
        ("RETRY_SPREAD", "", "assumed", "assumed"),
        ("REPOSITIONINGS", "", "assumed", "assumed"),
    ),
    *_constants(
        "machine.alarms",
        ("TRIES", "", "assumed", "assumed"),
        ("TRIES_WITHIN", "min", "assumed", "assumed"),
        ("LOWEST_SHARE", "", "assumed", "assumed"),
    ),
    *_constants(
        "machine.upkeep",
        ("RETURN_PRESSURE", "mmHg", "assumed", "assumed"),
        ("LARGE_SHARE_OUTSIDE", "", _GENERAL, "unverified"),
        ("RICHER", "", "assumed", "assumed"),
    ),
)


@contextmanager
def altered(constant: Constant, factor: float) -> Iterator[None]:
    """Within it, a constant, or the result of an equation, is so many times what it is."""
    home = import_module(f"simulator.{constant.module}")
    found = getattr(home, constant.name)
    changes = {constant.name: _scaled(found, factor)}
    changes |= {name: follow(factor * found) for name, follow in constant.followers.items()}
    places = [
        (module, name, vars(module)[name], value)
        for name, value in changes.items()
        for module in _where(home, name)
    ]
    try:
        for module, name, _, value in places:
            setattr(module, name, value)
        yield
    finally:
        for module, name, usual, _ in places:
            setattr(module, name, usual)


def _scaled(found: Any, factor: float) -> Any:
    if not callable(found):
        return factor * found

    @wraps(found)
    def scaled(*arguments: Any, **named: Any) -> Any:
        return factor * found(*arguments, **named)

    return scaled


def _where(home: ModuleType, name: str) -> list[ModuleType]:
    """The modules that hold a name of another one, which may have imported it by name."""
    usual = vars(home)[name]
    ours = [module for key, module in sys.modules.items() if key.startswith("simulator.")]
    return [module for module in ours if vars(module).get(name) is usual]


@cache
def _docstrings(module: str) -> Mapping[str, str]:
    """What a module says of each of its names, on one line; for an equation, of all of it."""
    file = Path(__file__).parent / f"{module.replace('.', '/', 1)}.py"
    body = ast.parse(file.read_text(encoding="utf-8")).body
    said = {}
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef):
            said[node.name] = " ".join((ast.get_docstring(node) or "").split())
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(following, ast.Expr):
            words = following.value
            if isinstance(words, ast.Constant) and isinstance(words.value, str):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for name in (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)):
                    said[name] = " ".join(words.value.split())
    return said
