"""SimPy, imported without what it needs only to know its own version.

While it is imported SimPy asks `importlib.metadata` for its version, which reads parsers of e-mail
and of archives: that takes longer than Python takes to start, for an answer that nobody reads. To
import this module first answers later, when somebody does; see "Speed, measured" in DESIGN.md.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_METADATA = "importlib.metadata"


def _version(name: str) -> str:
    """What SimPy is told, which then goes without a version."""
    raise ImportError(f"the version of {name} is not asked for yet")


def _asked_later(name: str) -> Any:
    """What SimPy does not have itself: its version, once somebody asks."""
    if name != "__version__":
        raise AttributeError(f"module 'simpy' has no attribute {name!r}")
    return importlib.import_module(_METADATA).version("simpy")


def _import_simpy() -> None:
    stand_in = ModuleType(_METADATA)
    vars(stand_in).update(version=_version, PackageNotFoundError=ImportError)
    sys.modules[_METADATA] = vars(importlib)["metadata"] = stand_in
    try:
        simpy = importlib.import_module("simpy")
    finally:
        del sys.modules[_METADATA], vars(importlib)["metadata"]
    vars(simpy)["__getattr__"] = _asked_later


if _METADATA not in sys.modules and "simpy" not in sys.modules:
    _import_simpy()
