"""A sweep from its plan to its folder, and the Python API: `Sweep`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator import processes
from simulator.sweep import engines, execution, store
from simulator.sweep.plan import Plan, plan_of
from simulator.sweep.store import Store

SMALL = 16
"""Runs up to which no process is started."""
Progress = Callable[[int, int, float], None]
"""Told of runs done, of how many, and runs per second."""


@dataclass(frozen=True)
class Report:
    """What a call has done."""

    runs: int
    completed: int
    failed: int
    skipped: int
    """Runs that an earlier call had done, or that this one has not come to."""
    wall_s: float
    interrupted: bool = False
    stopped: str = ""
    """Why it stopped before the end, if a failed run was to end it."""
    engine: str = "plain"

    @property
    def complete(self) -> bool:
        """Whether the table is there."""
        return not (self.interrupted or self.stopped)

    def to_data(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        made = self.completed + self.failed - (self.skipped if self.complete else 0)
        rate = made / self.wall_s if self.wall_s > 0 and made > 0 else 0.0
        return {
            "runs": self.runs, "completed": self.completed, "failed": self.failed,
            "skipped": self.skipped, "wall_s": round(self.wall_s, 3),
            "runs_per_s": round(rate, 3),
        }  # fmt: skip


def run(
    plan: Plan,
    folder: Path,
    *,
    kind: str = "parquet",
    jobs: int | None = None,
    cluster: Callable[[str], execution.Workers] | None = None,
    resume: bool = False,
    fresh: bool = False,
    stop_on_error: bool = False,
    announce: Callable[[str], None] = lambda text: None,
    progress: Progress = lambda done, of, rate: None,
    about: Mapping[str, Any] | None = None,
) -> Report:
    """Run a sweep into a folder. A sweep that is finished there is not run again, unless `fresh`.

    `cluster` makes workers for an engine, in the place of processes of this computer. Raises
    `CommandError` if the folder is not a sweep's.
    """
    size = plan.design.size
    place = Store(folder, plan)
    place.check()
    if not fresh and (said := place.finished(kind)) is not None:
        announce(f"{folder}/ holds this sweep, finished; --fresh runs it anew")
        return Report(size, said["completed"], said["failed"], size, 0.0)
    if not resume and (left := place.unfinished()):
        announce(f"{left:,} runs of an unfinished sweep are thrown away; --resume would keep them")
    engine = engines.choose(plan, announce)  # a refusal must cost nothing that was kept
    remote = cluster(engine) if cluster is not None else None
    done = place.begin(resume=resume)
    skipped = sum(stop - start for start, stop in done)
    workers = remote or _workers(plan, engine, jobs, size - skipped)
    begin = time.perf_counter()
    made = failed = 0
    stopped, interrupted = "", False
    gaps = store.left_to_do(size, done)
    chunks = execution.ranges_of(gaps, engines.chunk(plan, engine, workers.count))
    try:
        for rows in execution.all_rows(workers, plan, chunks):
            place.keep(rows)
            made += len(rows)
            failed += rows.failed
            progress(skipped + made, size, made / max(time.perf_counter() - begin, 1e-9))
            if rows.failed and stop_on_error:
                first = rows.status.index("failed")
                stopped = f"run {rows.run[first]}: {rows.error[first]}"
                break
    except KeyboardInterrupt:
        interrupted = True
    wall = time.perf_counter() - begin
    if stopped or interrupted:
        return Report(size, made - failed, failed, skipped, wall, interrupted, stopped, engine)
    said = {"engine": engine, "wall_s": round(wall, 3), "workers": workers.count, **(about or {})}
    try:
        counts = place.finish(kind, said)
    except BaseException:
        place.give_up()
        raise
    return Report(
        size, counts["completed"], counts["failed"], skipped, time.perf_counter() - begin,
        engine=engine,
    )  # fmt: skip


def _workers(
    plan: Plan,
    engine: str,
    jobs: int | None,
    left: int,
) -> execution.Workers:
    usual = 1 if left <= SMALL else processes.available()
    return execution.workers_for(plan, engine, min(jobs or usual, max(1, left)))()


@dataclass
class Sweep:
    """A sweep in Python::

    sweep = Sweep.load("weight-and-dose", vary={"patient.hematocrit": ["35 %", "42 %"]})
    sweep.run(jobs=2)
    table = sweep.to_pandas()
    """

    plan: Plan
    folder: Path

    @classmethod
    def load(cls, source: str | Path, out: str | Path | None = None, **said: Any) -> Sweep:
        """The sweep of a scenario; `said` as the arguments of `plan.plan_of`."""
        plan = plan_of(source, **said)
        return cls(plan, Path(out) if out is not None else Path("sweeps") / plan.name)

    @classmethod
    def open(cls, folder: str | Path) -> Sweep:
        """A sweep that has been run; raises `CommandError` if there is none."""
        manifest = store.manifest_of(Path(folder))
        return cls(Plan.from_data(manifest["plan"]), Path(folder))

    def run(self, **options: Any) -> Report:
        """Run it into its folder; `options` as the arguments of `run.run`."""
        return run(self.plan, self.folder, **options)

    def to_pandas(self) -> Any:
        """Its table, a row for each run; ``.attrs`` holds units and labels by column.

        Raises `CommandError` if it has not been run.
        """
        frame = store.read(self.folder).to_pandas()
        schema = store.schema_of(Plan.from_data(store.manifest_of(self.folder)["plan"]))
        for what in ("unit", "label"):
            frame.attrs[f"{what}s"] = {f.name: f.metadata[what.encode()].decode() for f in schema}
        return frame


def summary_of(folder: Path, names: Sequence[str] = ()) -> list[tuple[str, str, list[float]]]:
    """Of each outcome: label, unit, and quantiles (0, 5, 50, 95, 100 %) of those that have it."""
    import numpy as np

    rows = []
    for column in store.manifest_of(folder)["outcomes"]:
        if names and column["name"] not in names:
            continue
        values = np.asarray(store.read(folder, column["name"])[0].to_numpy(), dtype=float)
        values = values[np.isfinite(values)]
        if len(values) and np.ptp(values) > 0:
            cuts = [float(x) for x in np.quantile(values, [0, 0.05, 0.5, 0.95, 1])]
            rows.append((column["label"], column["unit"], cuts))
    return rows
