"""Where the time of one short run goes: starting Python, importing, or simulating.

Each command is started several times in turn and the median is kept, so that a busy moment of the
computer strikes all rows alike. The ratios to a bare Python travel between computers; the
milliseconds do not. Modules are compiled before the first start that counts, as in an installation.

    python benchmarks/startup.py [--scenario NAME] [--repeats N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGETS = {"apheresis --help": 5.0, "apheresis run {scenario} --no-plots": 15.0}
"""Wall time over that of a bare Python that must not be passed, by the name of a row."""

START = "from simulator.cli import main; main()"

DONOR = "plasma-donor"
"""A course of many short sessions: 26 donations."""

#: Runs inside one Python that has imported and loaded everything: what is left is the simulation.
IN_PROCESS = """
import sys, time
from simulator.scenario import load
from simulator.simulation import simulate
scenario = load(sys.argv[1])
simulate(scenario)
begin = time.perf_counter()
simulate(scenario)
print(time.perf_counter() - begin)
"""


def commands(scenario: str, folder: Path) -> dict[str, list[str]]:
    """The command lines compared, by the name of their row."""
    apheresis = [sys.executable, "-c", START]
    out = ["--out", str(folder / "run")]
    return {
        "python, doing nothing": [sys.executable, "-c", "pass"],
        "apheresis --help": [*apheresis, "--help"],
        f"apheresis check {scenario}": [*apheresis, "check", scenario],
        f"apheresis run {scenario} --no-plots": [*apheresis, "run", scenario, "--no-plots", *out],
        f"apheresis run {scenario}": [*apheresis, "run", scenario, *out],
    }


def surroundings() -> dict[str, str]:
    """The environment of a command: compiled modules may be kept."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str], folder: Path) -> float:
    """Wall time (s) of one command."""
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=surroundings())
    return time.perf_counter() - begin


def simulation_seconds(scenario: str, folder: Path) -> float:
    """Wall time (s) of simulating once more in a Python that is already warm."""
    command = [sys.executable, "-c", IN_PROCESS, scenario]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, env=surroundings()
    )
    return float(done.stdout)


def main() -> None:
    """Measure every row in turn, `--repeats` times, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenario", default="stiff-person-acute", help="a bundled scenario")
    parser.add_argument("--repeats", type=int, default=7, help="starts of each command")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = commands(options.scenario, folder)
        alone = {f"simulation of {one} alone": one for one in (options.scenario, DONOR)}
        times: dict[str, list[float]] = {row: [] for row in [*rows, *alone]}
        for command in rows.values():
            seconds(command, folder)  # the first start fills the disk cache; it is not counted
        for _ in range(options.repeats):
            for row, command in rows.items():
                times[row].append(seconds(command, folder))
            for row, one in alone.items():
                times[row].append(simulation_seconds(one, folder))

    medians = {row: statistics.median(values) for row, values in times.items()}
    bare = medians["python, doing nothing"]
    width = max(map(len, medians))
    print(f"{'median of ' + str(options.repeats):{width}}  {'ms':>7}  {'ratio':>6}")
    for row, value in medians.items():
        print(f"{row:{width}}  {1000 * value:7.0f}  {value / bare:6.1f}")
    for row, most in TARGETS.items():
        ratio = medians[row.format(scenario=options.scenario)] / bare
        verdict = "met" if ratio <= most else "not met"
        print(f"{row.format(scenario=options.scenario)}: at most {most:g}, {ratio:.1f}: {verdict}")


if __name__ == "__main__":
    main()
