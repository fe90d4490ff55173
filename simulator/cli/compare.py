"""``apheresis compare``: several runs in one figure and one table."""

from __future__ import annotations

import csv
import io
import itertools
import zlib
from collections.abc import Sequence
from pathlib import Path

import click

from simulator import run_folder, scenario, simulation, tables
from simulator.cli.options import scenarios_argument, set_option
from simulator.errors import ImpossibleRunError
from simulator.result import Result
from simulator.scenario.model import Scenario
from simulator.scenario.overrides import parts

LONGEST_NAME = 80  # characters of the folder's name


@click.command("compare")
@scenarios_argument()
@set_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write the figure and the table. [runs/compare-...]",
)
@click.option("--no-plots", is_flag=True, help="Write no figure.")
def compare_command(
    scenarios: tuple[str, ...], overrides: tuple[str, ...], out: Path | None, no_plots: bool
) -> None:
    """Run each SCENARIO and lay the runs over each other.

    A --set with several values, separated by commas, makes an arm of each value:
    --set machine.device=spectra-optia,mcs-plus,tr-350
    """
    arms = [
        (label, scenario.load(source, chosen))
        for source in scenarios
        for label, chosen in _arms(source, overrides)
    ]
    if len(arms) < 2:
        raise click.UsageError(
            "nothing to compare: name two scenarios, or give --set several values, "
            "such as --set machine.device=spectra-optia,amicus"
        )
    labels = _shortest_labels(arms)
    folder = out or Path("runs") / _folder_name(labels)
    run_folder.check_target(folder)
    results = [_run(label, one) for label, (_, one) in zip(labels, arms, strict=True)]
    with run_folder.replaced(folder) as place:
        (place / "comparison.csv").write_text(_csv(labels, results), encoding="utf-8")
        if not no_plots:
            from simulator import figures

            by = figures.setting_in_words(_setting(overrides))
            picture = figures.rendered(figures.comparison(results, labels, by=by), "png")
            (place / "comparison.png").write_bytes(picture)
    tables.show(tables.comparison(labels, results))
    for line in tables.warnings_of(labels, results):
        tables.show(line)
    tables.show(tables.NOT_CLINICAL)
    click.echo(f"Written to {folder}/", err=True)


def _run(label: str, one: Scenario) -> Result:
    """One arm; if it cannot be run, the message says which it was."""
    try:
        return simulation.simulate(one)
    except ImpossibleRunError as error:
        raise ImpossibleRunError(f"{label}: {error}") from None


def _arms(source: str, overrides: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Every combination of the values that the overrides list, with a label."""
    choices = []
    for override in overrides:
        path, equals, values = override.partition("=")
        listed = parts(values) if equals else [values]
        choices.append([f"{path}{equals}{value}" for value in listed])
    several = [i for i, choice in enumerate(choices) if len(choice) > 1]
    arms = []
    for chosen in itertools.product(*choices):
        differing = [chosen[i].partition("=")[2] for i in several]
        arms.append((" ".join([Path(source).stem, *differing]), chosen))
    return arms


def _setting(overrides: Sequence[str]) -> str:
    """The dotted path of which several values are compared; empty if there is none, or more."""
    listed = [override.partition("=") for override in overrides]
    several = [path for path, _, values in listed if len(parts(values)) > 1]
    return several[0] if len(several) == 1 else ""


def _shortest_labels(arms: Sequence[tuple[str, Scenario]]) -> list[str]:
    """Labels without the scenario's name where all arms share it; numbered where they repeat."""
    labels = [label for label, _ in arms]
    first_words = {label.split(" ")[0] for label in labels}
    if len(first_words) == 1 and all(" " in label for label in labels):
        labels = [label.split(" ", 1)[1] for label in labels]
    repeated = {label for label in labels if labels.count(label) > 1}
    return [f"{x} ({i})" if x in repeated else x for i, x in enumerate(labels, start=1)]


def _folder_name(labels: Sequence[str]) -> str:
    """A name that says what is compared; one that would be long ends in a fingerprint of it."""
    name = f"compare-{'-vs-'.join(_slug(label) for label in labels)}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{zlib.crc32(name.encode()):08x}"


def _slug(label: str) -> str:
    words = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in label)
    return words.strip("-.") or "arm"


def _csv(labels: Sequence[str], results: Sequence[Result]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["quantity", *labels])
    for name, values in tables.comparison_rows(results):
        rows.writerow([name, *("" if v is None else f"{v:.10g}" for v in values)])
    return text.getvalue()
