"""The files of a run: written beside their place, then moved there as a whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from simulator import scenario as scenarios
from simulator import writing
from simulator.errors import CommandError
from simulator.result import Result, header
from simulator.units import MINUTES_PER_DAY
from simulator.writing import LEFT_BY_DESKTOPS, PICTURE_SUFFIXES

FIGURES = ("volumes", "solutes", "sessions", "comparison", "verification", "sensitivity")
DATA_FILES = frozenset(
    (
        *("summary.json", "curves.csv", "events.csv", "scenario.yaml"),
        *("comparison.csv", "verification.json", "sensitivity.json", "report.html"),
    )
)

CURVE_DIGITS = 10
"""Significant digits in curves: more than any reader needs, and the same on every machine."""
SUMMARY_DIGITS = 12


def write(result: Result, folder: Path, figures: Mapping[str, bytes]) -> None:
    """Write the run folder; raises `CommandError` if `folder` holds anything but a run.

    `figures`: file name and content of each picture.
    """
    with replaced(folder) as place:
        (place / "summary.json").write_text(summary_json(result), encoding="utf-8")
        (place / "curves.csv").write_text(curves_csv(result), encoding="utf-8")
        (place / "events.csv").write_text(events_csv(result), encoding="utf-8")
        (place / "scenario.yaml").write_text(scenarios.dump(result.scenario), encoding="utf-8")
        for name, content in figures.items():
            (place / name).write_bytes(content)


def replaced(folder: Path) -> AbstractContextManager[Path]:
    """A new run folder to write into, which takes the place of `folder` when all went well."""
    _refuse_unless_ours(folder)
    return writing.replaced(folder)


def check_target(folder: Path) -> None:
    """Raise `CommandError` if a run could not be written to `folder`; to ask before the work."""
    _refuse_unless_ours(folder)


def summary_json(result: Result) -> str:
    """``summary.json`` as text: numbers with 12 digits, null for what is not a number."""
    return as_json(result.summary())


def as_json(data: Any) -> str:
    """Data as JSON text: numbers with 12 digits, null for what is not a finite number."""
    return json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def curves_csv(result: Result) -> str:
    """``curves.csv`` as text: one row per output time, both sides of every event."""
    lines = [",".join(header(name, unit) for name, unit in result.columns)]
    row_form = ",".join([f"%.{CURVE_DIGITS}g"] * len(result.columns))  # a row at a time is quicker
    lines += [row_form % tuple(row) for row in result.rows]
    return "\n".join(lines) + "\n"


def events_csv(result: Result) -> str:
    """``events.csv`` as text."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("time_d", "session", "minute", "event", "detail"))
    for event in result.events:
        minute = "" if event.minute is None else f"{event.minute:.{CURVE_DIGITS}g}"
        time = f"{event.time / MINUTES_PER_DAY:.{CURVE_DIGITS}g}"
        rows.writerow((time, event.session, minute, event.event, event.detail))
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SUMMARY_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _refuse_unless_ours(folder: Path) -> None:
    """A folder with anything that we did not write is not replaced."""
    if folder.is_symlink():
        raise CommandError(f"{folder} is a link; name the folder itself")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CommandError(f"{folder} is a file; a run is written to a folder")
    for entry in sorted(folder.iterdir()):
        picture = entry.suffix in PICTURE_SUFFIXES and entry.stem in FIGURES
        ours = picture or entry.name in DATA_FILES | LEFT_BY_DESKTOPS
        if not entry.is_file() or not ours:
            raise CommandError(
                f"{folder} holds {entry.name!r}, which no run has written; "
                f"choose another folder with --out"
            )
