"""``apheresis teach``: a live machine in the browser."""

from __future__ import annotations

import secrets
import webbrowser

import click

from simulator import lean as lean  # before what imports SimPy
from simulator import scenario
from simulator.cli.options import set_option
from simulator.errors import CommandError
from simulator.loopback import is_loopback

DEFAULT = "stiff-person-acute"
LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::", "")


@click.command("teach")
@click.argument("source", metavar="[SCENARIO]", default=DEFAULT)
@set_option
@click.option("--seed", type=click.IntRange(min=0), help="Overrides simulation.seed.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on. [a free one]"
)
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option(
    "--host", default=LOOPBACK, show_default=True, metavar="ADDRESS",
    help="Another address to listen on: whoever reaches it and has the address can take part.",
)  # fmt: skip
def teach_command(
    source: str,
    overrides: tuple[str, ...],
    seed: int | None,
    port: int,
    no_browser: bool,
    host: str,
) -> None:
    """Play SCENARIO (a file or a bundled name) as a live machine in the browser.

    Change flows, kink lines, forget the calcium; go back and try it otherwise; save what happened
    as a scenario. It listens on this machine only and ends with Ctrl-C.
    """
    scenario.load(source, overrides, seed)  # what is wrong with it is told here, not in the page
    from simulator.teach import server
    from simulator.teach.classroom import Classroom

    if host in EVERYWHERE:
        raise click.UsageError(
            f"--host {host}: expected one address of this machine, by which pages name this server"
        )
    if not is_loopback(host):
        click.echo(
            f"Warning: listening on {host}, not on this machine alone. Anyone who can reach it and "
            "knows the address below can see and change the runs; nothing is encrypted.",
            err=True,
        )
    try:
        listener = server.listening(host, port)
    except OSError as error:
        where = f"{host}:{port}" if port else host
        raise CommandError(
            f"cannot listen on {where}: {error.strerror or error}; choose another --port"
        ) from None
    token = secrets.token_urlsafe(16)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/?token={token}"
    click.echo(address)
    click.echo("Ctrl-C ends it. For teaching and research, not for treating patients.", err=True)
    if not no_browser:
        webbrowser.open(address)
    try:
        server.run(Classroom(source, overrides, seed), token, listener, host)
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
