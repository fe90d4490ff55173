"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])


def _complete_scenario(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
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
