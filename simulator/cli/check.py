"""``apheresis check``: every problem of a scenario file, and nothing run."""

from __future__ import annotations

import click

from simulator import scenario
from simulator.cli.options import scenarios_argument
from simulator.errors import ScenarioError


@click.command("check")
@scenarios_argument("files")
def check_command(files: tuple[str, ...]) -> None:
    """Validate each FILE (or bundled name); exit code 3 if any has a problem."""
    problems = []
    for source in files:
        found = scenario.check(source)
        problems += found
        if not found:
            click.echo(f"{source}: ok")
    if problems:
        raise ScenarioError(problems)
