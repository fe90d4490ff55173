"""Curves of all runs of a sweep on one axis of time, and their netCDF file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import CommandError
from simulator.result import Result, header
from simulator.scenario.model import Scenario
from simulator.units import MINUTES_PER_DAY

Numbers = NDArray[np.float32]


def days_of(scenario: Scenario) -> NDArray[np.float64]:
    """The axis of time, d: every `output_interval` of the scenario, and the end."""
    times = np.arange(0.0, scenario.until, scenario.output_interval)
    return np.append(times, scenario.until) / MINUTES_PER_DAY


def sampled(result: Result, days: NDArray[np.float64]) -> Numbers:
    """All curves of a run at some days, a row for each column but time; NaN after its end."""
    curves = interpolated(result, [name for name, _ in result.columns[1:]], days)
    curves[:, days > result.rows[-1][0] + 1e-9] = np.nan
    return curves.astype(np.float32)


def interpolated(
    result: Result, columns: Sequence[str], days: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Some columns of a run at some days, a row for each; straight between rows.

    At a step (a drug given at once) it is the level after it.
    """
    time = np.array(result.column("time"))
    last = np.append(np.diff(time) > 0, True)  # of rows at one instant, the last
    return np.stack(
        [np.interp(days, time[last], np.array(result.column(name))[last]) for name in columns]
    )


def write(
    file: Path,
    columns: Sequence[tuple[str, str]],
    days: NDArray[np.float64],
    runs: int,
    parts: Iterable[tuple[int, Numbers]],
    about: dict[str, str],
) -> None:
    """Write the file, part by part: (first run, curves [run, column, time]).

    Raises `CommandError` if the libraries of netCDF are not installed.
    """
    try:
        import h5netcdf
    except ImportError:
        raise CommandError(
            "curves are written as netCDF, which needs pip install '.[netcdf]'"
        ) from None
    with h5netcdf.File(file, "w") as place:
        place.dimensions = {"run": runs, "time": len(days)}
        place.attrs.update({"Conventions": "CF-1.11", **about})
        _variable(place, "time", ("time",), "d", "time since the start of the run")[:] = days
        _variable(place, "run", ("run",), "1", "number of the run")[:] = np.arange(runs)
        made = []
        for name, unit in columns[1:]:
            words = name.replace("_", " ")
            made.append(
                _variable(place, header(name, unit), ("run", "time"), unit or "1", words, "f4")
            )
        for first, curves in parts:
            for i, variable in enumerate(made):
                variable[first : first + len(curves), :] = curves[:, i]


def _variable(
    place: Any, name: str, dimensions: tuple[str, ...], unit: str, words: str, kind: str = "f8"
) -> Any:
    options: dict[str, Any] = {}
    if kind == "f4":
        options = {"fillvalue": np.float32(np.nan), "compression": "gzip", "compression_opts": 1}
    variable = place.create_variable(name, dimensions, kind, **options)
    variable.attrs.update({"units": unit, "long_name": words})
    return variable
