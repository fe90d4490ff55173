"""``--vary PATH=SPEC`` of the command line as the data of a sweep block.

patient.weight=50 kg..110 kg/7                  a range of seven values
prescription.exchange=0.8 PV,1.0 PV             a list
solutes.igg.initial=normal(10 g/L, 2 g/L)       a distribution; also lognormal, uniform,
                                                triangular, each with min=… and max=…
machine.device=spectra-optia,amicus             names
"""

from __future__ import annotations

import re
from typing import Any

from simulator import units
from simulator.catalog import nearest
from simulator.errors import CommandError, ScenarioError
from simulator.scenario import overrides, reader
from simulator.scenario.sweep import DISTRIBUTIONS

EXPECTED = (
    "PATH=SPEC, such as 'patient.weight=50 kg..110 kg/7', 'prescription.exchange=0.8 PV,1.0 PV' or "
    "'solutes.igg.initial=normal(10 g/L, 2 g/L)'"
)
USUAL_STEPS = 5
_ADDRESS = re.compile(r"[^\s=]+")


def parse(text: str) -> tuple[str, Any]:
    """The address and what a sweep block would say of it; raises `CommandError`."""
    address, equals, spec = (part.strip() for part in text.partition("="))
    if not equals or not spec or not _ADDRESS.fullmatch(address):
        raise CommandError(f"--vary {text[:80]}: expected {EXPECTED}")
    if found := re.fullmatch(r"([A-Za-z]+)\s*\((.*)\)", spec):
        return address, _distribution(address, found[1], split(found[2]))
    if found := re.fullmatch(r"([^,\[{]+?)\.\.([^,\[{]+?)(?:/\s*(\d+))?", spec):
        steps = int(found[3] or USUAL_STEPS)
        return address, {"from": found[1].strip(), "to": found[2].strip(), "steps": steps}
    return address, [_value(address, part) for part in split(spec)]


def split(text: str) -> list[str]:
    """Parts between commas that stand outside brackets and braces, but for empty ones."""
    return [part for part in overrides.parts(text) if part]


def _distribution(address: str, name: str, given: list[str]) -> dict[str, Any]:
    if name not in DISTRIBUTIONS:
        raise CommandError(
            f"--vary {address}: {name!r} is not a distribution; {nearest(name, DISTRIBUTIONS)}"
        )
    named = dict(part.split("=", 1) for part in given if "=" in part)
    named = {key.strip(): value.strip() for key, value in named.items()}
    placed = [part for part in given if "=" not in part]
    forms = [form for form in DISTRIBUTIONS[name] if len(form) == len(placed)]
    if not placed and named:
        return {name: named}
    if not forms:
        wanted = " or ".join(f"{name}({', '.join(form)})" for form in DISTRIBUTIONS[name])
        raise CommandError(f"--vary {address}: expected {wanted}, got {len(placed)} values")
    form = forms[0]
    if name == "lognormal":  # a pure number is a geometric standard deviation
        form = ("median", "gsd") if _pure(placed[1]) else ("mean", "sd")
    return {name: dict(zip(form, placed, strict=True)) | named}


def _pure(text: str) -> bool:
    try:
        return not units.parse(text).unit.dimension
    except ValueError:
        return False


def _value(address: str, text: str) -> Any:
    """One value of a list, as it would be read from a file."""
    try:
        node, problems = reader.parse(text, "--vary")
    except ScenarioError as error:
        problems = list(error.problems)
    if problems:
        raise CommandError(f"--vary {address}: {text!r}: {problems[0].message}")
    return node.plain()
