"""Sweeps: one scenario with many changes.

A `Plan` says what is run (`designs`, `plan`), an engine makes rows (`plain`, `fast`), `execution`
gives them out, `store` keeps them. ``from simulator.sweep import Sweep`` is the Python API.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """`Sweep`, imported when it is asked for."""
    if name == "Sweep":
        from simulator.sweep.run import Sweep

        return Sweep
    raise AttributeError(name)
