"""A Dask scheduler and two workers over TCP give the table of one process, whoever dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from test_sweep_execution import SCENARIO

from simulator.errors import CommandError
from simulator.sweep import cluster, execution, plain, run, store
from simulator.sweep.plan import plan_of

pytest.importorskip("distributed")

LOOPBACK = "127.0.0.1"
SAFE = ["--host", LOOPBACK, "--dashboard-address", f"{LOOPBACK}:0"]


def _free_port() -> int:
    with socket.socket() as place:
        place.bind((LOOPBACK, 0))
        return int(place.getsockname()[1])


@contextmanager
def dask(count: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and so many workers as programs of their own; only on the loopback address."""
    address = f"tcp://{LOOPBACK}:{_free_port()}"
    python = [sys.executable, "-m"]
    port = address.rpartition(":")[2]
    programs = [
        subprocess.Popen(
            [*python, "distributed.cli.dask_scheduler", *SAFE, "--port", port],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    ]
    workers = [
        subprocess.Popen(
            [*python, "distributed.cli.dask_worker", address, *SAFE, "--nthreads", "1",
             "--no-nanny", "--name", str(number)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for number in range(count)
    ]  # fmt: skip
    try:
        _until_there(address, count)
        yield address, [*workers, *programs]
    finally:
        for program in [*workers, *programs]:
            program.kill()
            program.wait()


def _until_there(address: str, count: int) -> None:
    distributed: Any = pytest.importorskip("distributed")
    with distributed.Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(SCENARIO)
    return file


def test_two_workers_over_tcp_give_the_table_of_one_process_though_one_is_killed(
    scenario: Path, tmp_path: Path
) -> None:
    plan = plan_of(scenario)
    run.run(plan, tmp_path / "alone", jobs=1)
    expected = pq.read_table(tmp_path / "alone" / "sweep.parquet")
    with dask(2) as (address, workers):
        report = run.run(
            plan, tmp_path / "both", cluster=lambda engine: cluster.Cluster(plan, engine, address)
        )
        assert report.completed == 24
        assert pq.read_table(tmp_path / "both" / "sweep.parquet") == expected

        place = store.Store(tmp_path / "one", plan)
        place.begin(resume=False)
        both = cluster.Cluster(plan, "plain", address)
        assert both.count == 2
        for number, rows in enumerate(
            execution.all_rows(both, plan, execution.ranges_of([(0, 24)], 2))
        ):
            place.keep(rows)
            if number == 1:
                os.kill(workers[0].pid, signal.SIGKILL)
        place.finish("parquet", {})
        assert pq.read_table(tmp_path / "one" / "sweep.parquet") == expected


@pytest.mark.parametrize("who", ["all workers", "the scheduler"])
def test_a_cluster_that_is_gone_is_told_and_what_was_run_is_kept(
    scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(cluster, "ALONE", 1.0)
    monkeypatch.setattr(cluster, "LOOK", 1.0)
    plan = plan_of(scenario)
    place = store.Store(tmp_path / "out", plan)
    place.begin(resume=False)
    with dask(1) as (address, programs):
        one = cluster.Cluster(plan, "plain", address)
        rows = execution.all_rows(one, plan, execution.ranges_of([(0, 24)], 1))
        place.keep(next(rows))
        (programs[0] if who == "all workers" else programs[-1]).kill()
        with pytest.raises(CommandError, match=rf"{who} (is|are) gone; what was run is kept"):
            _keep_all(place, rows)
    kept = sum(stop - start for start, stop in place.done())
    assert 1 <= kept < 24
    assert run.run(plan, tmp_path / "out", jobs=1, resume=True).completed == 24


def _keep_all(place: store.Store, rows: Iterator[plain.Rows]) -> None:
    for some in rows:
        place.keep(some)


def test_nobody_answering_is_told(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    begin = time.monotonic()
    with pytest.raises(CommandError, match="no scheduler answers"):
        cluster.Cluster(plan_of(scenario), "plain", f"tcp://{LOOPBACK}:{_free_port()}")
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:8786", "expected tcp://HOST:PORT"),
        ("http://127.0.0.1:8786", "expected tcp://HOST:PORT"),
        ("tcp://10.0.0.5:8786", "use tls://"),
    ],
)
def test_an_address_that_is_wrong_or_in_the_clear_is_refused(address: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        cluster.check_address(address, insecure=False)
    assert words in str(caught.value)


def test_whoever_insists_goes_in_the_clear_with_a_warning() -> None:
    assert "in the clear" in cluster.check_address("tcp://10.0.0.5:8786", insecure=True)
    assert cluster.check_address("tls://10.0.0.5:8786", insecure=False) == ""
    assert cluster.check_address("tcp://localhost:8786", insecure=False) == ""
