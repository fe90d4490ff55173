"""``apheresis teach`` at the command line: what it says before anything is served."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from click.testing import CliRunner, Result

from simulator.cli import cli
from simulator.errors import CommandError, ScenarioError
from simulator.loopback import is_loopback
from simulator.machine.alarms import OPERATOR_ACTIONS
from simulator.teach import server


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have been served; nothing is."""
    calls: list[tuple[Any, ...]] = []

    def run(classroom: Any, token: str, listener: socket.socket, host: str) -> None:
        calls.append((classroom, token, listener.getsockname(), host))
        listener.close()

    monkeypatch.setattr(server, "run", run)
    return calls


def typed(*words: str) -> Result:
    return CliRunner().invoke(cli, ["teach", "--no-browser", *words])


def test_the_address_is_printed_and_nothing_else_on_stdout(served: list[tuple[Any, ...]]) -> None:
    result = typed()
    ((_, token, (host, port), _),) = served
    assert result.stdout == f"http://127.0.0.1:{port}/?token={token}\n"
    assert host == "127.0.0.1"
    assert len(token) >= 20
    assert "not for treating patients" in result.stderr
    assert "Warning" not in result.stderr


def test_every_start_has_a_token_of_its_own(served: list[tuple[Any, ...]]) -> None:
    typed()
    typed()
    assert served[0][1] != served[1][1]


def test_a_port_that_is_taken_is_told(served: list[tuple[Any, ...]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = typed("--port", str(port))
    assert isinstance(result.exception, CommandError)
    assert f"cannot listen on 127.0.0.1:{port}" in str(result.exception)
    assert "choose another --port" in str(result.exception)
    assert served == []


def test_another_address_needs_a_flag_and_is_warned_of(
    served: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def listening(host: str, port: int) -> socket.socket:
        asked.append(host)
        return socket.create_server(("127.0.0.1", port))

    monkeypatch.setattr(server, "listening", listening)
    result = typed("--host", "192.0.2.1")
    assert asked == ["192.0.2.1"]
    assert "Warning: listening on 192.0.2.1, not on this machine alone" in result.stderr
    assert "nothing is encrypted" in result.stderr
    assert len(served) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_all_addresses_at_once_are_refused(served: list[tuple[Any, ...]], host: str) -> None:
    result = typed("--host", host)
    assert result.exit_code == 2
    assert "expected one address of this machine" in result.stderr
    assert served == []


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True),
     ("192.0.2.1", False), ("127.example.org", False), ("0.0.0.0", False)],
)  # fmt: skip
def test_what_is_loopback(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_browsers_leave_out_the_usual_port() -> None:
    assert "127.0.0.1" in server.names_of("127.0.0.1", 80)
    assert server.names_of("192.0.2.1", 8000) == {"192.0.2.1:8000"}
    assert "[::1]:8000" in server.names_of("::1", 8000)


def test_a_bad_scenario_is_told_before_anything_is_served(served: list[tuple[Any, ...]]) -> None:
    assert isinstance(typed("no-such-scenario").exception, CommandError)
    result = typed("one-volume-or-two", "--set", "patient.weight=7 m")
    assert isinstance(result.exception, ScenarioError)
    assert served == []


def test_actions_and_lessons_are_listed() -> None:
    actions = CliRunner().invoke(cli, ["list", "actions"]).output
    assert all(name in actions for name in OPERATOR_ACTIONS)
    lessons = CliRunner().invoke(cli, ["list", "lessons"]).output
    assert "IgM is not IgG" in lessons
