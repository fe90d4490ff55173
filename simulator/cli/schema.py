"""``apheresis schema``: the scenario format for editors."""

from __future__ import annotations

import json

import click

from simulator import scenario


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of the scenario format, for completion in an editor.

    Save it as scenario.schema.json and begin a scenario with the line

    # yaml-language-server: $schema=./scenario.schema.json
    """
    click.echo(json.dumps(scenario.json_schema(), indent=2, ensure_ascii=False))
