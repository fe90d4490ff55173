"""Whole sweeps, machine included: runs a second by one process and by two, and their memory.

Each is the command a user types, with its start and its writing: `apheresis sweep SCENARIO --engine
fast --json`. The first call compiles (untimed). What comes beyond the start is told from the
difference of the two sizes. Memory is the most that any one process held (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median


def swept(scenario: str, samples: int, jobs: int, engine: str) -> tuple[float, float]:
    """Seconds of a whole command, and the most memory (MB) of any process of it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "simulator", "sweep", scenario, "--samples", str(samples),
            "--engine", engine, "--jobs", str(jobs), "--no-plots", "--json",
            "--out", str(Path(folder) / "out"),
        ]  # fmt: skip
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        most = 0.0
        while process.poll() is None:
            most = max(most, *(held(pid) for pid in family(process.pid)))
            time.sleep(0.05)
        took = time.perf_counter() - begin
        assert process.stdout is not None
        said = json.loads(process.stdout.read())
        process.stdout.close()
        assert said["completed"] + said["failed"] == samples
        return took, most


def family(pid: int) -> list[int]:
    """A process and all that come from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:
        return [pid]
    return [pid, *(each for child in children for each in family(int(child)))]


def held(pid: int) -> float:
    """Memory that a process holds now, MB."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="population-of-500")
    parser.add_argument("--sizes", type=int, nargs=2, default=(8_192, 32_768))
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    swept(asked.scenario, 64, 1, "fast")  # compiles
    print(f"{'processes':>9} {'runs':>9} {'s':>7} {'runs/s':>8} {'MB':>6}")
    beyond: dict[int, float] = {}
    for jobs in (1, 2):
        took = []
        for size in asked.sizes:
            rows = [swept(asked.scenario, size, jobs, "fast") for _ in range(asked.repeats)]
            seconds, memory = median(s for s, _ in rows), max(m for _, m in rows)
            took.append(seconds)
            print(f"{jobs:>9} {size:>9,} {seconds:>7.1f} {size / seconds:>8,.0f} {memory:>6.0f}",
                  flush=True)  # fmt: skip
        beyond[jobs] = (asked.sizes[1] - asked.sizes[0]) / (took[1] - took[0])
    print(
        f"Beyond the start: {beyond[1]:,.0f} runs/s by one process, {beyond[2]:,.0f} by two "
        f"({beyond[2] / beyond[1]:.2f} times)."
    )


if __name__ == "__main__":
    main()
