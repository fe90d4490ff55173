"""`apheresis sweep` as it is typed: exit codes, what it prints, what it refuses."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from test_sweep_execution import COMMAND, SCENARIO, WILD

Done = subprocess.CompletedProcess[str]
Typed = Callable[..., Done]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """`apheresis sweep small.yaml …` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SCENARIO)
    return lambda *words: subprocess.run(
        [*COMMAND, "small.yaml", *words], capture_output=True, text=True, check=False
    )


def test_a_sweep_prints_a_table_and_says_where_it_is_and_that_it_is_not_for_treating(
    typed: Typed,
) -> None:
    done = typed("--out", "out", "--no-plots")
    assert done.returncode == 0
    assert "24 of 24 runs completed" in done.stdout
    assert "not for treating patients" in done.stdout
    assert "Written to out/" in done.stderr
    assert {file.name for file in Path("out").iterdir()} == {"sweep.parquet", "manifest.json"}


def test_json_is_json_and_nothing_else(typed: Typed) -> None:
    said = json.loads(typed("--out", "out", "--no-plots", "--json").stdout)
    assert (said["runs"], said["completed"], said["failed"]) == (24, 24, 0)


def test_a_sweep_some_of_whose_runs_fail_ends_with_5(typed: Typed) -> None:
    words = [word for text in WILD for word in ("--vary", text)]
    done = typed(*words, "--samples", "12", "--out", "out", "--no-plots", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 5
    assert said["failed"] > 0
    assert said["completed"] + said["failed"] == said["runs"]


def test_one_run_alone_gives_the_numbers_of_the_table(typed: Typed) -> None:
    import pyarrow.parquet as pq

    typed("--out", "out", "--no-plots")
    row = pq.read_table("out/sweep.parquet").slice(7, 1).to_pylist()[0]
    alone = json.loads(typed("--only", "7", "--json").stdout)
    assert alone["run"] == row["run"] == 7
    same = [name for name in alone if isinstance(row.get(name), float) and row[name] == row[name]]
    assert len(same) > 10
    for name in same:
        if isinstance(alone[name], float):
            assert alone[name] == row[name], name


def test_what_the_manifest_says_repeats_the_sweep(typed: Typed) -> None:
    given = ["--vary", "patient.weight=60 kg,70 kg", "--tolerance", "1e-05", "--engine", "plain",
             "--set", "title=The nurse's", "--design", "grid", "--no-plots"]  # fmt: skip
    typed(*given, "--out", "one")
    one = json.loads(Path("one/manifest.json").read_text())
    words = shlex.split(one["command"])
    assert words[:3] == ["apheresis", "sweep", "small.yaml"]
    typed(*words[3:], "--out", "two", "--no-plots")
    two = json.loads(Path("two/manifest.json").read_text())
    assert (two["fingerprint"], two["command"]) == (one["fingerprint"], one["command"])


def test_a_run_alone_says_how_it_is_run_whole(typed: Typed) -> None:
    alone = typed("--set", "patient.hematocrit=42 %", "--only", "5")
    line = alone.stderr.splitlines()[-1].partition(": ")[2]
    words = shlex.split(line)
    assert words[:3] == ["apheresis", "run", "small.yaml"]
    whole = subprocess.run(
        [*COMMAND[:-1], *words[1:], "--json", "--no-plots"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    final = json.loads(whole.stdout)["solutes"]["antibody"]["final"]
    row = json.loads(typed("--set", "patient.hematocrit=42 %", "--only", "5", "--json").stdout)
    assert final == pytest.approx(row["antibody_final_U_per_mL"], rel=1e-5)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(typed: Typed) -> None:
    said = typed("--dry-run", "--out", "out")
    assert said.returncode == 0
    assert "24 runs" in said.stdout + said.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--only", "24"], 2, "runs 0 to 23"),
        (["--design", "spiral"], 2, "spiral"),
        (["--vary", "patient.wieght=60 kg, 70 kg"], 3, "weight"),
        (["--vary", "patient.weight=sixty"], 3, "patient.weight"),
        (["--dask", "tcp://10.0.0.5:8786"], 2, "tls://"),
        (["--below", "igm=1 g/L"], 2, "igm"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    typed: Typed, words: list[str], code: int, told: str
) -> None:
    refused = typed(*words, "--out", "out")
    assert refused.returncode == code
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    assert not Path("out").exists()
