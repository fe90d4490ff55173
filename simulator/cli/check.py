"""``apheresis check``: every problem of a scenario file, and nothing run."""

from __future__ import annotations

import click

from simulator import scenario
from simulator.cli.options import scenarios_argument
from simulator.errors import CommandError, Problem, ScenarioError


@click.command("check")
@scenarios_argument("files")
def check_command(files: tuple[str, ...]) -> None:
    """Validate each FILE (or bundled name); exit code 3 if any has a problem."""
    problems: list[Problem] = []
    missing: list[CommandError] = []
    for source in files:
        try:
            found = scenario.check(source)
        except CommandError as error:
            missing.append(error)
            continue
        problems += found
        if not found:
            click.echo(f"{source}: ok")
    for one in missing:
        click.echo(f"Error: {one}", err=True)
    if problems:
        raise ScenarioError(problems)
    if missing:
        click.get_current_context().exit(CommandError.exit_code)
