"""Sweeps as they are run: the same table whoever runs it, and nothing lost on the way."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.errors import CommandError
from simulator.sweep import engines, execution, plain, run, store
from simulator.sweep.execution import Range, all_rows
from simulator.sweep.plain import Rows
from simulator.sweep.plan import Plan, plan_of
from simulator.sweep.run import Sweep

SCENARIO = """
format: 1
patient: {sex: female, weight: 68 kg, height: 165 cm, hematocrit: 39 %}
solutes: {antibody: {like: igg1, initial: 100 U/mL}}
course: {sessions: 0}
simulation: {until: 2 d, output_interval: 12 h}
sweep:
  vary:
    solutes.antibody.initial: [50 U/mL, 100 U/mL, 200 U/mL, 400 U/mL]
    patient.weight: {normal: {mean: 70 kg, sd: 8 kg}}
  samples: 6
"""
WILD = ["patient.weight=normal(70 kg, 90 kg)"]
"""Some of these weights are nobody's."""
COMMAND = [sys.executable, "-m", "simulator", "sweep"]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SCENARIO)
    return file


def content(folder: Path) -> Any:
    return pq.read_table(folder / "sweep.parquet").to_pydict()


def test_the_table_is_the_same_for_any_number_of_workers(scenario: Path, tmp_path: Path) -> None:
    plan = plan_of(scenario)
    tables = []
    for jobs in (1, 3):
        report = run.run(plan, tmp_path / f"jobs-{jobs}", jobs=jobs)
        assert (report.completed, report.failed) == (24, 0)
        tables.append(content(tmp_path / f"jobs-{jobs}"))
    assert tables[0] == tables[1]
    assert tables[0]["run"] == list(range(24))


def test_a_run_alone_is_its_row(scenario: Path, tmp_path: Path) -> None:
    plan = plan_of(scenario)
    run.run(plan, tmp_path / "out", jobs=1)
    table, alone = content(tmp_path / "out"), plain.rows(plan, 13, 14)
    for name, column in alone.outcomes.items():
        assert table[name][13] == (None if np.isnan(column[0]) else column[0])
    assert table["seed"][13] == alone.seed[0]


def test_a_run_that_fails_is_a_row_with_its_error(scenario: Path, tmp_path: Path) -> None:
    plan = plan_of(scenario, vary=WILD)
    report = run.run(plan, tmp_path / "out", jobs=2)
    assert 4 <= report.failed <= 20
    assert report.completed == 24 - report.failed
    table = content(tmp_path / "out")
    failed = [e for s, e in zip(table["status"], table["error"], strict=True) if s == "failed"]
    assert len(failed) == report.failed
    assert all("patient.weight" in error for error in failed)


def test_a_failed_run_can_end_the_sweep_and_what_was_run_is_kept(
    scenario: Path, tmp_path: Path
) -> None:
    plan = plan_of(scenario, vary=WILD)
    report = run.run(plan, tmp_path / "out", jobs=1, stop_on_error=True)
    assert report.stopped
    assert not (tmp_path / "out" / "sweep.parquet").exists()
    assert store.Store(tmp_path / "out", plan).done()


class Mortal:
    """Workers who die with some runs in hand, and make the rows of the others."""

    count = 2

    def __init__(self, plan: Plan, deadly: int, times: int) -> None:
        self.plan, self.deadly, self.times = plan, deadly, times
        self.given: list[Range] = []
        self.made: list[Range] = []

    def give(self, runs: Range) -> None:
        self.given.append(runs)

    def take(self) -> tuple[Range, Rows | None]:
        start, stop = runs = self.given.pop(0)
        if start <= self.deadly < stop and self.times > 0:
            self.times -= 1
            return runs, None
        self.made.append(runs)
        return runs, plain.rows(self.plan, start, stop)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("times", "failed"), [(1, 0), (2, 0), (1000, 1)])
def test_who_dies_costs_only_what_he_had_in_hand(scenario: Path, times: int, failed: int) -> None:
    plan = plan_of(scenario)
    workers = Mortal(plan, deadly=9, times=times)
    found = list(all_rows(workers, plan, execution.ranges_of([(0, 24)], 8)))
    runs = sorted(int(k) for rows in found for k in rows.run)
    assert runs == list(range(24)), "a run is missing, or stands twice"
    assert sum(rows.failed for rows in found) == failed
    if failed:
        (row,) = [rows for rows in found if rows.failed]
        assert (int(row.run[0]), row.error) == (9, [execution.DEADLY])


def _begin_with_a_deadly_run(plan: Plan, engine: str) -> None:
    execution._begin_work(plan, engine)
    rows = engines.rows

    def deadly_rows(plan: Plan, engine: str, start: int, stop: int) -> plain.Rows:
        if start <= 9 < stop:
            os._exit(9)
        return rows(plan, engine, start, stop)

    engines.rows = deadly_rows


class Haunted(execution.Processes):
    """Processes, each of which run 9 ends."""

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.count, context, initializer=_begin_with_a_deadly_run,
            initargs=(self.plan, self.engine),
        )  # fmt: skip


@pytest.mark.parametrize("size", [1, 3])
def test_a_run_that_ends_its_process_is_the_only_one_that_fails(scenario: Path, size: int) -> None:
    """The pool breaks as a whole; those who were in it beside the deadly one are innocent."""
    plan = plan_of(scenario, curves=True)
    workers = Haunted(plan, "plain", 2)
    found = list(all_rows(workers, plan, execution.ranges_of([(0, 24)], size)))
    assert sorted(int(k) for rows in found for k in rows.run) == list(range(24))
    assert [int(rows.run[0]) for rows in found if rows.failed] == [9]
    assert all(rows.curves is not None and len(rows.curves) == len(rows) for rows in found)


def test_a_process_that_is_killed_changes_nothing_in_the_table(
    scenario: Path, tmp_path: Path
) -> None:
    plan = plan_of(scenario)
    run.run(plan, tmp_path / "quiet", jobs=1)
    workers = execution.Processes(plan, "plain", 2)
    place = store.Store(tmp_path / "killed", plan)
    place.begin(resume=False)
    killed = 0
    for rows in all_rows(workers, plan, execution.ranges_of([(0, 24)], 2)):
        place.keep(rows)
        if killed < 2:
            killed += _kill_one(list(workers._pool._processes))
    place.finish("parquet", {})
    assert killed == 2
    assert content(tmp_path / "killed") == content(tmp_path / "quiet")


def _kill_one(processes: list[int]) -> int:
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
            return 1
    return 0


def _until_parts(folder: Path, count: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if len(list((folder / ".parts").glob("*.parquet"))) >= count:
            return
        time.sleep(0.02)
    raise AssertionError("no parts were written")


LONG = SCENARIO.replace("samples: 6", "samples: 60").replace("until: 2 d", "until: 20 d")


def test_what_is_killed_outright_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(LONG)
    out = tmp_path / "out"
    command = [*COMMAND, str(file), "--out", str(out), "--jobs", "1", "--no-plots", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _until_parts(out, 3)
    process.kill()
    process.wait()
    before = {f.name: f.stat().st_mtime_ns for f in (out / ".parts").glob("*.parquet")}
    kept = len(before)
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=True)
    said = json.loads(again.stdout)
    assert said["skipped"] >= 3
    assert said["skipped"] == sum(
        int(name.split(".")[0].split("-")[1]) - int(name.split("-")[0]) for name in before
    ), "more than what was in hand was run again"
    assert said["completed"] == said["runs"] == 240
    whole = plan_of(file)
    run.run(whole, tmp_path / "whole", jobs=2)
    assert content(out) == content(tmp_path / "whole")
    assert kept


def test_an_interrupt_keeps_what_was_run_and_says_how_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(LONG)
    out = tmp_path / "out"
    command = [*COMMAND, str(file), "--out", str(out), "--jobs", "2", "--no-plots"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _until_parts(out, 2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in said
    assert "Traceback" not in said
    assert store.Store(out, plan_of(file)).done()


def test_a_finished_sweep_is_not_run_again(scenario: Path, tmp_path: Path) -> None:
    plan = plan_of(scenario)
    run.run(plan, tmp_path / "out", jobs=1)
    stamp = (tmp_path / "out" / "sweep.parquet").stat().st_mtime_ns
    said: list[str] = []
    report = run.run(plan, tmp_path / "out", jobs=1, announce=said.append)
    assert report.skipped == 24
    assert "finished" in said[0]
    assert (tmp_path / "out" / "sweep.parquet").stat().st_mtime_ns == stamp
    other = plan_of(scenario, samples=7)
    assert run.run(other, tmp_path / "out", jobs=1).completed == 28


def test_parts_of_another_sweep_are_not_built_upon(scenario: Path, tmp_path: Path) -> None:
    store.Store(tmp_path / "out", plan_of(scenario)).begin(resume=False)
    with pytest.raises(CommandError, match="parts of another sweep"):
        run.run(plan_of(scenario, samples=7), tmp_path / "out", resume=True)


def test_a_folder_with_anything_foreign_is_not_touched(scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(CommandError, match=r"thesis\.txt"):
        run.run(plan_of(scenario), tmp_path / "out")
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_columns_say_their_unit_and_what_they_are(scenario: Path, tmp_path: Path) -> None:
    sweep = Sweep.load(scenario, out=tmp_path / "out")
    sweep.run(jobs=1)
    schema = pq.read_schema(tmp_path / "out" / "sweep.parquet")
    field = schema.field("antibody_nadir_U_per_mL")
    assert field.metadata == {b"unit": b"U/mL", b"label": b"lowest antibody"}
    assert schema.metadata[b"note"].startswith(b"For teaching")
    frame = Sweep.open(tmp_path / "out").to_pandas()
    assert frame.attrs["units"]["patient.weight"] == "kg"
    assert len(frame) == 24


def test_csv_holds_what_parquet_holds_to_twelve_digits(scenario: Path, tmp_path: Path) -> None:
    plan = plan_of(scenario)
    run.run(plan, tmp_path / "p", jobs=1)
    run.run(plan, tmp_path / "c", jobs=1, kind="csv")
    header = (tmp_path / "c" / "sweep.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert "patient.weight_kg" in header
    table = store.read(tmp_path / "c").to_pydict()
    assert store.read(tmp_path / "c", "patient.weight").column_names == ["patient.weight"]
    for name, column in content(tmp_path / "p").items():
        if isinstance(column[0], float):
            assert table[name] == pytest.approx(column, rel=1e-11), name
        elif column[0] is None:
            assert not any(isinstance(value, float) for value in table[name]), name


def test_curves_are_netcdf_with_named_dimensions(scenario: Path, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    plan = plan_of(scenario, curves=True)
    run.run(plan, tmp_path / "out", jobs=1)
    with xarray.open_dataset(tmp_path / "out" / "curves.nc", engine="h5netcdf") as data:
        level = data["antibody_plasma_U_per_mL"]
        assert level.dims == ("run", "time")
        assert level.attrs["units"] == "U/mL"
        assert level.shape == (24, 5)
        first = level.isel(time=0).values
    assert first == pytest.approx([50.0] * 6 + [100.0] * 6 + [200.0] * 6 + [400.0] * 6, rel=1e-6)


def test_what_is_left_to_do_is_what_is_not_done() -> None:
    assert store.left_to_do(10, []) == [(0, 10)]
    assert store.left_to_do(10, [(2, 4), (7, 10)]) == [(0, 2), (4, 7)]
    assert store.left_to_do(10, [(0, 10)]) == []


def test_a_half_joined_table_is_no_stranger_but_a_thesis_among_the_parts_is(
    scenario: Path, tmp_path: Path
) -> None:
    place = store.Store(tmp_path / "out", plan_of(scenario))
    place.begin(resume=False)
    for half in ("sweep.parquet.tmp", ".manifest.json-k1", ".parts/0-2.tmp", ".parts/0-2.npy.tmp"):
        (place.folder / half).touch()
    place.check()
    (place.folder / ".parts" / "thesis.txt").touch()
    with pytest.raises(CommandError, match="which no sweep has written"):
        place.check()


def test_a_start_that_is_refused_costs_no_run_that_was_kept(scenario: Path, tmp_path: Path) -> None:
    plan = plan_of(scenario)
    place = store.Store(tmp_path / "out", plan)
    place.begin(resume=False)
    place.keep(plain.rows(plan, 0, 4))

    def nobody(engine: str) -> Any:
        raise CommandError("nobody answers")

    with pytest.raises(CommandError, match="nobody answers"):
        run.run(plan, tmp_path / "out", cluster=nobody)
    assert place.unfinished() == 4
