"""A sweep on disk: parts while it runs, one table when it is done, and what is needed to repeat it.

The folder holds ``sweep.parquet`` (or ``sweep.csv``), ``manifest.json``, pictures and, if asked
for, ``curves.nc``. While a sweep runs its parts stand in ``.parts`` beside the plan they belong to;
each appears whole or not at all, so that whatever stands there can be built upon.
"""

from __future__ import annotations

import csv
import json
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator import __version__, writing
from simulator.errors import CommandError
from simulator.result import header
from simulator.sweep import curves, plain
from simulator.sweep.plain import FAILED, Rows
from simulator.sweep.plan import Plan
from simulator.writing import LEFT_BY_DESKTOPS, PICTURE_SUFFIXES

TABLES = {"parquet": "sweep.parquet", "csv": "sweep.csv"}
MANIFEST, PLAN, PARTS, CURVES = "manifest.json", "plan.json", ".parts", "curves.nc"
PICTURES = ("map", "response", "tornado", "bands")
GROUP = 16_384
"""Rows of the final table that are held at once."""
DIGITS = 12
"""Significant digits in CSV."""


@dataclass
class Store:
    """The folder of one sweep."""

    folder: Path
    plan: Plan

    # -- before ---------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise `CommandError` if the folder holds anything that no sweep has written."""
        if self.folder.is_symlink():
            raise CommandError(f"{self.folder} is a link; name the folder itself")
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise CommandError(f"{self.folder} is a file; a sweep is written to a folder")
        written = {*TABLES.values(), CURVES}
        joining = {f"{name}.tmp" for name in written}  # left by whoever was killed in that
        known = {*written, *joining, MANIFEST, *LEFT_BY_DESKTOPS}
        for entry in sorted(self.folder.iterdir()):
            picture = entry.suffix in PICTURE_SUFFIXES and entry.stem in PICTURES
            half = writing.left_half(entry, MANIFEST)
            ours = entry.name == PARTS and entry.is_dir() and _only_parts(entry)
            if not ours and not (entry.is_file() and (picture or half or entry.name in known)):
                raise CommandError(
                    f"{self.folder} holds {entry.name!r}, which no sweep has written; choose "
                    f"another folder with --out"
                )

    def finished(self, kind: str) -> Mapping[str, Any] | None:
        """What the manifest says, if this very sweep is done and its table is there."""
        file = self.folder / MANIFEST
        if not file.is_file() or not (self.folder / TABLES[kind]).is_file():
            return None
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            return None
        whole = isinstance(said, dict) and said.get("fingerprint") == self.plan.fingerprint
        return said if whole and said.get("complete") else None

    def begin(self, *, resume: bool) -> list[tuple[int, int]]:
        """Make ready for parts; returns the runs that are done already, as (first, after last).

        Raises `CommandError` if what stands there belongs to another sweep.
        """
        parts = self.folder / PARTS
        if resume and parts.is_dir():
            self._check_plan(parts)
            return self.done()
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        said = {"fingerprint": self.plan.fingerprint, **self.plan.to_data()}
        writing.write_whole(parts / PLAN, json.dumps(said, ensure_ascii=False, indent=1))
        return []

    def unfinished(self) -> int:
        """How many runs an earlier start of this very sweep has left done."""
        try:
            self._check_plan(self.folder / PARTS)
        except CommandError:
            return 0
        return sum(stop - start for start, stop in self.done())

    def _check_plan(self, parts: Path) -> None:
        try:
            said = json.loads((parts / PLAN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise CommandError(f"{parts} does not say what sweep it is of; start anew") from None
        if said.get("fingerprint") != self.plan.fingerprint:
            ours = self.plan.to_data()
            differing = [key for key in ours if said.get(key) != ours[key]] or ["version"]
            raise CommandError(
                f"{self.folder} holds parts of another sweep (it differs in "
                f"{', '.join(differing)}); start anew without --resume, or name another --out"
            )

    def done(self) -> list[tuple[int, int]]:
        """The runs whose rows stand there, as (first, after last), in order."""
        return sorted(filter(None, map(_runs_in, (self.folder / PARTS).glob("*.parquet"))))

    # -- while it runs --------------------------------------------------------------------------

    def keep(self, rows: Rows) -> None:
        """Write some rows as a part."""
        import pyarrow.parquet as pq

        start, stop = int(rows.run[0]), int(rows.run[-1]) + 1
        place = self.folder / PARTS
        if rows.curves is not None:
            beside = place / f"{start}-{stop}.npy.tmp"
            with beside.open("wb") as file:
                np.save(file, rows.curves, allow_pickle=False)
            beside.replace(place / f"{start}-{stop}.npy")
        beside = place / f"{start}-{stop}.tmp"
        pq.write_table(table_of(self.plan, rows), beside, compression="zstd")
        beside.replace(place / f"{start}-{stop}.parquet")

    # -- after ----------------------------------------------------------------------------------

    def finish(self, kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Join the parts into the table; the manifest comes last and says that all is there."""
        counts = self._join(kind)
        if self.plan.curves:
            self._write_curves()
        manifest = {**self.manifest(), **counts, **said, "complete": True, "table": TABLES[kind]}
        (self.folder / MANIFEST).unlink(missing_ok=True)
        for stale in self.folder.iterdir():
            picture = stale.suffix in PICTURE_SUFFIXES and stale.stem in PICTURES
            unasked = stale.name == CURVES and not self.plan.curves
            if picture or unasked or writing.left_half(stale, MANIFEST):
                stale.unlink()
        (self.folder / f"{TABLES[kind]}.tmp").replace(self.folder / TABLES[kind])
        for other in set(TABLES.values()) - {TABLES[kind]}:
            (self.folder / other).unlink(missing_ok=True)
        if self.plan.curves:
            (self.folder / f"{CURVES}.tmp").replace(self.folder / CURVES)
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        writing.write_whole(self.folder / MANIFEST, text + "\n")
        shutil.rmtree(self.folder / PARTS)
        return manifest

    def manifest(self) -> dict[str, Any]:
        """All that is needed to repeat the sweep, and what its columns are."""
        columns = plain.columns_of(self.plan)
        return {
            "format": 1,
            "scenario": self.plan.name,
            "version": __version__,
            "fingerprint": self.plan.fingerprint,
            "runs": self.plan.design.size,
            "design": self.plan.design.in_words(),
            "plan": self.plan.to_data(),
            "inputs": [{"name": f.address, "unit": f.unit} for f in self.plan.design.factors],
            "outcomes": [{"name": c.name, "unit": c.unit, "label": c.label} for c in columns],
            "python": platform.python_version(),
            "libraries": _versions(),
            "note": "For teaching and research, not for treating patients.",
        }

    def parts(self) -> Iterator[Any]:
        """The parts in the order of the runs, as tables; of runs that stand twice, once."""
        import pyarrow.parquet as pq

        at = 0
        for start, stop in self.done():
            if stop <= at:
                continue
            # read by one thread and without reading ahead: a part is small, and memory is kept
            part = pq.ParquetFile(self.folder / PARTS / f"{start}-{stop}.parquet", pre_buffer=False)
            table = part.read(use_threads=False)
            yield table.slice(max(0, at - start))
            at = stop

    def _join(self, kind: str) -> dict[str, int]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self.folder / f"{TABLES[kind]}.tmp"
        runs = failed = 0
        schema = schema_of(self.plan)
        if kind == "csv":
            with file.open("w", newline="", encoding="utf-8") as text:
                rows = csv.writer(text, lineterminator="\n")
                units = {factor.address: factor.unit for factor in self.plan.design.factors}
                rows.writerow([header(n, units[n]) if n in units else n for n in schema.names])
                for table in self.parts():
                    runs += len(table)
                    failed += table["status"].to_pylist().count(FAILED)
                    columns = [map(_cell, table[name].to_pylist()) for name in schema.names]
                    rows.writerows(zip(*columns, strict=True))
            return {"runs": runs, "completed": runs - failed, "failed": failed}
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            waiting: list[Any] = []
            for table in self.parts():
                runs += len(table)
                failed += table["status"].to_pylist().count(FAILED)
                waiting.append(table)
                if sum(map(len, waiting)) >= GROUP:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            if waiting:
                writer.write_table(pa.concat_tables(waiting))
        return {"runs": runs, "completed": runs - failed, "failed": failed}

    def _write_curves(self) -> None:
        days, columns = plain.curve_columns(self.plan)

        def parts() -> Iterator[tuple[int, Any]]:
            for start, stop in self.done():
                yield (
                    start,
                    np.load(self.folder / PARTS / f"{start}-{stop}.npy", allow_pickle=False),
                )

        about = {
            "title": self.plan.name,
            "source": f"apheresis-simulator {__version__}",
            "comment": "For teaching and research, not for treating patients.",
        }
        curves.write(
            self.folder / f"{CURVES}.tmp", columns, days, self.plan.design.size, parts(), about
        )

    def give_up(self) -> None:
        """Leave nothing half-made but the parts."""
        for file in self.folder.glob("*.tmp"):
            file.unlink(missing_ok=True)


def schema_of(plan: Plan) -> Any:
    """The schema of the table: every column with its unit and what it is."""
    import pyarrow as pa

    def column(name: str, kind: Any, unit: str, label: str) -> Any:
        return pa.field(name, kind, metadata={"unit": unit, "label": label})

    fields = [
        column("run", pa.int64(), "", "number of the run"),
        column("seed", pa.int64(), "", "seed of the run's luck"),
    ]
    for factor in plan.design.factors:
        kind = pa.float64() if factor.numeric else pa.string()
        fields.append(column(factor.address, kind, factor.unit, f"varied: {factor.address}"))
    fields += [column(c.name, pa.float64(), c.unit, c.label) for c in plain.columns_of(plan)]
    fields += [
        column("status", pa.string(), "", "done or failed"),
        column("error", pa.string(), "", "why it failed"),
    ]
    about = {
        "scenario": plan.name,
        "fingerprint": plan.fingerprint,
        "version": __version__,
        "note": "For teaching and research, not for treating patients.",
    }
    return pa.schema(fields, metadata=about)


def table_of(plan: Plan, rows: Rows) -> Any:
    """Rows as a table; null where a run has no such number."""
    import pyarrow as pa

    schema = schema_of(plan)
    held: dict[str, Any] = {"run": rows.run, "seed": rows.seed, **rows.outcomes}
    for factor in plan.design.factors:
        values = rows.inputs[factor.address]
        texts = values if factor.numeric else [factor.text(value) for value in values]
        held[factor.address] = texts
    held["status"], held["error"] = rows.status, rows.error
    columns = [
        pa.array(held[name], schema.field(name).type, from_pandas=True) for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a finished sweep; raises `CommandError` if there is none."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["table"] in TABLES.values():
            return manifest
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise CommandError(f"{folder} holds no finished sweep")


def read(folder: Path, *columns: str) -> Any:
    """The table of a finished sweep, or some of its columns; raises as `manifest_of`."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    manifest = manifest_of(folder)
    file = folder / manifest["table"]
    if file.suffix == ".parquet":
        return pq.ParquetFile(file, pre_buffer=False).read(list(columns) or None, use_threads=False)
    # a CSV has no schema, so its header says the units of what is varied
    written = {one["name"]: header(one["name"], one["unit"]) for one in manifest.get("inputs", ())}
    wanted = [written.get(name, name) for name in columns]
    table = pc.read_csv(file, convert_options=pc.ConvertOptions(include_columns=wanted or None))
    names = {word: name for name, word in written.items()}
    return table.rename_columns([names.get(word, word) for word in table.column_names])


def read_column(folder: Path, name: str, numbers: Sequence[int]) -> Any:
    """One column of that table at some rows, in rising order, as an array; null is NaN."""
    column = read(folder, name)[name]
    if len(numbers) < len(column):
        column = column.take(np.asarray(numbers))
    return column.to_numpy()


def _only_parts(folder: Path) -> bool:
    """Whether a folder holds nothing but what sweeps keep there; what else it holds is not ours."""
    return not folder.is_symlink() and all(
        entry.name in (PLAN, *LEFT_BY_DESKTOPS) or writing.left_half(entry, PLAN) or _runs_in(entry)
        for entry in folder.iterdir()
    )


def _runs_in(part: Path) -> tuple[int, int] | None:
    """The runs of a part, as (first, after last), from its name; None if it is no part's."""
    start, _, stop = part.name.partition(".")[0].partition("-")
    if start.isdecimal() and stop.isdecimal():
        return int(start), int(stop)
    return None


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    return value


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("numpy", "scipy", "simpy", "pyarrow", "numba"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def left_to_do(size: int, done: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The runs that are not done, as (first, after last)."""
    gaps, at = [], 0
    for start, stop in sorted(done):
        if start > at:
            gaps.append((at, start))
        at = max(at, stop)
    if at < size:
        gaps.append((at, size))
    return gaps
