"""The command ``apheresis``: parse, call, print.

Each command lives in a module of its own that is imported when it is called, so that ``--help``
needs neither the simulation nor what it imports.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from simulator import __version__
from simulator.errors import SimulatorError

#: command -> (module, what it does)
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run scenarios; print the tables and write the run folder."),
    "check": ("check", "Validate scenario files; report every problem."),
    "list": ("catalog", "List scenarios, devices, solutes, references, published cases, outcomes…"),
    "show": ("catalog", "Show one entry, each number with its source and how it was seen."),
    "compare": ("compare", "Run several scenarios and lay them over each other."),
    "cite": ("cite", "Print the sources behind the numbers of a run."),
    "audit": ("audit", "Rank a run's numbers by what they move and how weak their evidence is."),
    "sweep": ("sweep", "Run one scenario with many changes; one row for each run."),
    "sensitivity": ("sensitivity", "Tell which input of a scenario matters for an outcome."),
    "teach": ("teach", "Play a scenario as a live machine in the browser."),
    "verify": (
        "verify",
        "Hold the program against closed forms and published cases, here, now.",
    ),
    "export": ("export", "Write the patient and a run's schedule as SBML with events."),
    "schema": ("schema", "Print the JSON Schema of the scenario format."),
}

INTERRUPTED = 130
EPILOG = "For teaching and research, not for treating patients."


class Commands(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        name = f"{cmd_name}_command"
        command = getattr(importlib.import_module(f"simulator.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no such command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="apheresis")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Simulate plasma exchange: the apheresis machine, event by event, and the patient."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main() -> NoReturn:
    """Run the command line; every error a user can act on is a message and an exit code."""
    try:
        code = cli(standalone_mode=False, prog_name="apheresis")
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SimulatorError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # the reader (head, less) has gone; nothing more can be said to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {place}{error.strerror}", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
