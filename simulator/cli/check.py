"""``apheresis check``: every problem of a scenario file, and nothing run."""

from __future__ import annotations

import click

from simulator import scenario
from simulator.cli.options import scenarios_argument
from simulator.errors import CatalogError, CommandError, Problem, ScenarioError, SimulatorError


@click.command("check")
@scenarios_argument("files")
def check_command(files: tuple[str, ...]) -> None:
    """Validate each FILE (or bundled name); exit code 3 if any has a problem."""
    problems: list[Problem] = []
    others: dict[str, SimulatorError] = {}
    for source in files:
        try:
            found = scenario.check(source)
        except (CommandError, CatalogError) as error:
            others[str(error)] = error  # several scenarios may use one bad catalog file
            continue
        problems += found
        if not found:
            click.echo(f"{source}: ok")
    for message in others:
        click.echo(f"Error: {message}", err=True)
    if problems:
        raise ScenarioError(problems)
    if others:
        click.get_current_context().exit(max(error.exit_code for error in others.values()))
