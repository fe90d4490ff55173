"""Joins the text of the kernels with functions made from equations, and has it compiled.

The joined text is a module of its own, named by its fingerprint, in the user's cache folder, where
numba keeps what it has compiled beside it: a change of any equation makes another name, so that
nothing stale is ever run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

from simulator import writing
from simulator.patient import integrator, patient, quiet

CACHE = "APHERESIS_CACHE"
"""Environment variable: another folder for what is compiled."""

_SHARED = ("SAFETY", "SHRINK_MOST", "GROW_MOST", "ORDER", "STABILIZE", "NEGLIGIBLE", "HOPELESS",
           "SMALLEST_STEP", *(f"A{i}{j}" for i in range(2, 7) for j in range(1, i)),
           *(f"{x}{i}" for x in "ED" for i in (1, 3, 4, 5, 6, 7)),
           *(f"B{i}" for i in (1, 3, 4, 5, 6)))  # fmt: skip
_QUIET = ("NUDGE", "PARTS", "WEIGHTS", "ERROR", "OLDEST", "FIRST_MOST")


@dataclass(frozen=True, slots=True)
class Made:
    """Functions made from equations, and what the kernels must know of their arrays."""

    text: str
    """`prepare(y, p, q, fresh)`, `rates(y, p, q, out)`, `watched(y, p, out)`, `watched_one`."""
    size: int
    """Numbers of a state."""
    inside: int
    """Of these, the first so many are amounts that must not be negative."""
    parameters: int
    prepared: int
    solutes: int
    first_solute: int
    """Place of the first amount whose level over the volume (place 0) is followed."""
    measures: tuple[int, ...]
    """By place, the place that its error is measured by where it is small itself; -1: none."""
    watched: int
    watched_places: tuple[int, ...]
    """The places that the watched readings are read from."""
    pairs: tuple[quiet.Pair, ...] = ()
    """What relaxes fast, for the quiet method; none: there is no quiet method."""


def text_of(made: Made) -> str:
    """The whole module."""
    from simulator.sweep.fast.written import LANES, pairs_text

    package = resources.files("simulator.sweep.fast")

    def body(name: str) -> str:
        lines = package.joinpath(f"{name}.py").read_text(encoding="utf-8").splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("@compiled"))
        return "\n".join(lines[start:]) + "\n"

    columns = tuple(sorted({place for pair in made.pairs for place in pair.felt}))
    fast = [place for pair in made.pairs for place in pair.felt[:2]]
    constants: dict[str, Any] = {
        "LANES": LANES,
        "SIZE": made.size,
        "INSIDE": made.inside,
        "PARAMETERS": made.parameters,
        "PREPARED": made.prepared,
        "SOLUTES": made.solutes,
        "FIRST_SOLUTE": made.first_solute,
        "WATCHED": made.watched,
        "WATCHED_PLACES": made.watched_places,
        "MEASURES": made.measures,
        "GROWTH": -(1 / integrator.ORDER - 0.75 * integrator.STABILIZE),
        **{name: getattr(integrator, name) for name in _SHARED},
    }
    constants["FLEETING"] = patient.FLEETING
    lines = [f"{name} = {value!r}" for name, value in constants.items()]
    from simulator import recorder

    lines += [
        f"{name} = {getattr(recorder, name)!r}"
        for name in ("GOLDEN", "CLOSE_ENOUGH", "CROSSED", "DEPTH")
    ]
    parts = ['"""Made from equations; see simulator.sweep.fast."""', "import math", "import numba",
             "import numpy as np", "", *lines]  # fmt: skip
    if made.pairs:
        parts += [f"{name} = {getattr(quiet, name)!r}" for name in _QUIET]
        parts += [
            f"QUIET_ORDER = {quiet.ORDER}",
            f"PAIRS = {len(made.pairs)}",
            f"COLUMNS = {columns!r}",
            f"WIDTH = {len(columns)}",
            f"FAST = {tuple(fast)!r}",
        ]
    elementary = package.joinpath("elementary.py").read_text(encoding="utf-8")
    start = elementary.index("LOG2_E")
    parts += [
        "",
        "compiled = numba.njit(error_model='numpy', cache=True, nogil=True,",
        "                      fastmath={'contract', 'arcp', 'nsz'})",
        "",
        elementary[start:].replace("\ndef ", "\n@compiled\ndef "),
        (made.text + (pairs_text(made.pairs, columns) if made.pairs else "")).replace(
            "\ndef ", "\n@compiled\ndef "
        ),
        body("levels_kernel"),
        body("kernel"),
    ]
    if made.pairs:
        parts.append(body("quiet_kernel"))
    return "\n".join(parts)


def folder() -> Path:
    """Where compiled kernels are kept."""
    chosen = os.environ.get(CACHE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "apheresis-simulator"


_MODULES: dict[str, ModuleType] = {}


def module_of(made: Made) -> ModuleType:
    """The compiled kernels for some equations."""
    return _loaded(text_of(made))


def is_compiled(made: Made) -> bool:
    """Whether some equations have been compiled on this machine before."""
    name = _name_of(text_of(made))
    return any((folder() / "__pycache__").glob(f"{name}.explicit-*.nbc"))


def _name_of(text: str) -> str:
    return f"kernel_{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def tape_module() -> ModuleType:
    """The compiled runner of programs."""
    package = resources.files("simulator.sweep.fast")
    lines = package.joinpath("tape_kernel.py").read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("@compiled"))
    head = [
        "import math", "import numba", "import numpy as np",
        "compiled = numba.njit(error_model='numpy', cache=True, nogil=True)",
    ]  # fmt: skip
    return _loaded("\n".join([*head, "", *lines[start:]]) + "\n")


@cache
def _compiler_set_up() -> None:
    """Let the compiler compare as many arrays as a step has, before it works on several lanes."""
    from llvmlite import binding

    for option in ("-runtime-memory-check-threshold=200", "-memory-check-merge-threshold=2000"):
        binding.set_option("apheresis", option)


def _loaded(text: str) -> ModuleType:
    _compiler_set_up()
    name = _name_of(text)
    if name not in _MODULES:
        place = folder()
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"{name}.py"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            writing.write_whole(file, text)
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        _MODULES[name] = module
    return _MODULES[name]
