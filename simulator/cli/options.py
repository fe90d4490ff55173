"""Arguments and options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


def _complete_scenario(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from simulator import scenario

    names = [n for n in scenario.bundled_names() if n.startswith(incomplete)]
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]


def scenarios_argument(name: str = "scenarios", nargs: int = -1) -> Callable[[Command], Command]:
    """SCENARIO...: files or bundled names."""
    return click.argument(
        name,
        nargs=nargs,
        required=True,
        metavar="SCENARIO..." if nargs == -1 else "SCENARIO",
        shell_complete=_complete_scenario,
    )


set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one item by its dotted path, such as patient.weight='80 kg'. Repeatable.",
)

jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes. [one per processor]"
)


def progress_of(what: str) -> Callable[[int, int], None]:
    """What tells how far it is, on a line that is written over; nothing where nobody watches."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            line = f"\r{done} of {of} {what}" if done < of else "\r\033[K"
            click.echo(line, nl=False, err=True)

    return tell
