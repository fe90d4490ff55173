"""The server of the live page: who is let in, what is refused, and that the run is unharmed."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulator import run_folder, scenario, simulation
from simulator.teach import messages, server
from simulator.teach.classroom import Classroom

SCENARIO = "one-volume-or-two"
CHANGE = {"set": "machine.inlet_flow", "to": "40 mL/min"}


class Served:
    """A server in a thread of this process."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.classroom = Classroom(SCENARIO)
        self.listener = server.listening(server.LOOPBACK, 0)
        self.port = self.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        config = server.configured(self.classroom, self.token, self.listener, server.LOOPBACK)
        self.uvicorn = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=self.uvicorn.run, kwargs={"sockets": [self.listener]}, daemon=True
        )

    def live(self, token: str | None = None, **headers: str) -> Any:
        given = {"Origin": f"http://{self.host}"} | headers
        origin = given.pop("Origin")
        return connect(
            f"ws://{self.host}/live?token={self.token if token is None else token}",
            origin=origin or None,  # type: ignore[arg-type]
            additional_headers=given,
            max_size=None,
        )

    def get(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        request = urllib.request.Request(f"http://{self.host}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), dict(error.headers)


@pytest.fixture(scope="module")
def served() -> Generator[Served]:
    one = Served()
    one.thread.start()
    deadline = time.monotonic() + 30
    while not one.uvicorn.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield one
    one.uvicorn.should_exit = True
    one.thread.join(20)
    one.listener.close()


async def heard(page: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    async with asyncio.timeout(60):
        while True:
            message: dict[str, Any] = json.loads(await page.recv())
            if message["type"] == kind:
                return message


async def asked(page: ClientConnection, answer: str, **request: Any) -> dict[str, Any]:
    await page.send(json.dumps(request))
    return await heard(page, answer)


async def opened(page: ClientConnection) -> dict[str, Any]:
    """The run that a page is given first."""
    return dict((await heard(page, "run"))["run"])


# -- who is let in -------------------------------------------------------------------------------


def test_the_page_needs_its_token(served: Served) -> None:
    status, text, headers = served.get(f"/?token={served.token}")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert text.startswith("<!doctype html>")
    for path in ("/", "/?token=", f"/?token={served.token}x"):
        status, text, _ = served.get(path)
        assert status == 403
        assert "printed address" in text


@pytest.mark.parametrize("path", ["/page.js", "/page.css"])
def test_parts_of_the_page_are_served(served: Served, path: str) -> None:
    status, text, headers = served.get(path)
    assert status == 200
    assert len(text) > 100
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1"])
def test_another_host_is_refused_in_words(served: Served, host: str) -> None:
    status, text, _ = served.get(f"/?token={served.token}", Host=host)
    assert status == 403
    assert text.startswith("Refused: this server is not")


def test_localhost_is_this_server(served: Served) -> None:
    status, _, _ = served.get(f"/?token={served.token}", Host=f"localhost:{served.port}")
    assert status == 200


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"Origin": "http://evil.example"}, "pages of http://evil.example may not talk"),
        ({"Origin": "null"}, "pages of null may not talk"),
        ({"Origin": ""}, "this request does not"),
        ({"token": "wrong"}, "the token is wrong"),
        ({"token": ""}, "the token is wrong"),
    ],
)
def test_a_socket_from_elsewhere_is_refused_in_words(
    served: Served, how: dict[str, str], words: str
) -> None:
    async def try_it() -> InvalidStatus:
        with pytest.raises(InvalidStatus) as refused:
            async with served.live(**how):
                pass
        return refused.value

    answer = asyncio.run(try_it()).response
    assert answer.status_code == 403
    assert words in bytes(answer.body or b"").decode()


def test_it_listens_on_the_loopback_address_only(served: Served) -> None:
    assert served.listener.getsockname()[0] == "127.0.0.1"
    others = {
        str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    } - {"127.0.0.1"}
    for address in others:
        if address.startswith("127."):
            continue
        with (
            pytest.raises(OSError, match=r"."),
            socket.create_connection((address, served.port), 1),
        ):
            pass


# -- what is asked -------------------------------------------------------------------------------

BAD = [
    ("not JSON", "this message is not JSON"),
    ("[" * 3000, "not JSON"),
    ("[]", "a message is a JSON object"),
    ('{"type": "dance", "id": 1}', "the type of a message is one of act, fork"),
    ('{"type": ["act"], "id": 1}', "the type of a message is one of act, fork"),
    ('{"type": "save", "id": 1}', "has the keys type, id, run"),
    ('{"type": "save", "id": 1, "run": 1, "more": 1}', "has the keys type, id, run"),
    ('{"type": "save", "id": 1, "run": "1"}', "'run' of a message 'save' cannot be that"),
    ('{"type": "save", "id": true, "run": 1}', "'id' of a message 'save' cannot be that"),
    ('{"type": "fork", "id": 1, "run": 1, "at": NaN}', "'at' of a message 'fork' cannot be that"),
    ('{"type": "fork", "id": 1, "run": 1, "at": -1}', "'at' of a message 'fork' cannot be that"),
    ('{"type": "act", "id": 1, "run": 1, "at": 1, "change": {"eval": "1"}}', "'change'"),
    ('{"type": "act", "id": 1, "run": 1, "at": 1, "change": {"set": "a", "to": 1}}', "'change'"),
    (
        '{"type": "act", "id": 1, "run": 1, "at": 1, "change": {"do": "' + "x" * 201 + '"}}',
        "'change'",
    ),
    (
        json.dumps({"type": "save", "id": 1, "run": 1, "pad": "x" * messages.LARGEST}),
        "at most 4096",
    ),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_a_bad_message_is_refused_in_words(served: Served, text: str, words: str) -> None:
    async def try_it() -> None:
        async with served.live() as page:
            before = await opened(page)
            await page.send(text)
            refused = await heard(page, "refused")
            assert words in refused["message"]
            again = await asked(page, "run", type="show", id=7, run=before["id"])
            assert again["id"] == 7
            assert again["run"] == before

    asyncio.run(try_it())


def test_bytes_are_refused_in_words(served: Served) -> None:
    async def try_it() -> str:
        async with served.live() as page:
            await opened(page)
            await page.send(b"\x00\x01")
            return str((await heard(page, "refused"))["message"])

    assert "text" in asyncio.run(try_it())


def test_a_message_that_is_far_too_large_ends_its_connection_only(served: Served) -> None:
    async def try_it() -> None:
        async with served.live() as page, served.live() as neighbor:
            before = await opened(page)
            await opened(neighbor)
            await page.send("x" * (server.LARGEST_FRAME + 1))
            with pytest.raises(ConnectionClosed) as closed:
                await heard(page, "never")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
            again = await asked(neighbor, "run", type="show", id=1, run=before["id"])
            assert again["run"] == before

    asyncio.run(try_it())


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"type": "show", "run": 99}, "there is no run 99 any more"),
        ({"type": "save", "run": 99}, "there is no run 99 any more"),
        ({"type": "load", "scenario": "../../etc/passwd", "sees_to": "all"}, "no bundled scenario"),
        ({"type": "lesson", "name": "../x"}, "there is no lesson"),
        ({"type": "judge", "prediction": 1}, "no lesson is on"),
        ({"type": "act", "run": 0, "at": 1e11, "change": CHANGE}, "not in the run"),
        ({"type": "act", "run": 0, "at": 30, "change": {"set": "machine.speed", "to": "1"}},
         "'machine.speed' cannot be set by an event"),
        ({"type": "act", "run": 0, "at": 30, "change": {"fault": "earthquake"}}, "earthquake"),
        ({"type": "act", "run": 0, "at": 30, "change": {"give": "gold", "dose": "1 g"}}, "gold"),
        ({"type": "act", "run": 0, "at": 30, "change": {**CHANGE, "to": "4000 mL/min"}},
         "expected between"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_words(
    served: Served, request_: dict[str, Any], words: str
) -> None:
    async def try_it() -> None:
        async with served.live() as page:
            before = await opened(page)
            asking = {"id": 3, **request_}
            if asking.get("run") == 0:
                asking["run"] = before["id"]
            refused = await asked(page, "refused", **asking)
            assert refused["id"] == 3
            assert words in refused["message"]
            again = await asked(page, "run", type="show", id=1, run=before["id"])
            assert again["run"] == before

    asyncio.run(try_it())


def test_two_hundred_connections_are_refused_in_words_and_leave_the_run_unharmed(
    served: Served,
) -> None:
    async def try_it() -> None:
        async with served.live() as page:
            before = await opened(page)

            async def one() -> str:
                try:
                    async with served.live():
                        await asyncio.sleep(2)
                        return "in"
                except InvalidStatus as refused:
                    body = bytes(refused.response.body or b"").decode()
                    return f"{refused.response.status_code} {body}"

            told = await asyncio.gather(*(one() for _ in range(200)))
            inside = told.count("in")
            assert 1 <= inside < server.MOST_CONNECTIONS
            assert {text for text in told if text != "in"} == {
                f"503 Refused: {server.MOST_CONNECTIONS} pages are connected already; close one\n"
            }
            again = await asked(page, "run", type="show", id=1, run=before["id"])
            assert again["run"] == before
        async with served.live() as page:  # and there is room again
            assert await opened(page) == before

    asyncio.run(try_it())


# -- a class at work -----------------------------------------------------------------------------


def test_a_class_acts_goes_back_and_saves_what_the_command_line_repeats(served: Served) -> None:
    async def try_it() -> None:
        async with served.live() as page, served.live() as neighbor:
            await opened(page)
            await opened(neighbor)
            fresh = (await asked(page, "run", type="load", id=1, scenario=SCENARIO,
                                 sees_to="bottles"))["run"]  # fmt: skip
            number = fresh["id"]
            kink = {"fault": "access-occlusion"}
            kinked = await asked(page, "run", type="act", id=2, run=number, at=30.0, change=kink)
            assert kinked["run"]["id"] == number  # at the front of what was seen: in place
            assert kinked["run"]["actions"][0]["text"] == "access occlusion"
            assert any(e["event"] == "alarm:access-pressure-low" for e in kinked["run"]["events"])
            assert _until(kinked["run"], 30.0) == _until(fresh, 30.0)
            await page.send(json.dumps(
                {"type": "at", "id": 3, "run": number, "time": 38.0, "speed": 60}))  # fmt: skip
            mend = {"do": "straighten-the-access-line"}
            forked = await asked(page, "run", type="act", id=4, run=number, at=33.0, change=mend)
            assert forked["run"]["parent"] == number
            assert forked["run"]["forked_at"] == 33.0
            told = await heard(neighbor, "other")
            while told["run"]["id"] != forked["run"]["id"]:
                told = await heard(neighbor, "other")
            saved = await asked(page, "saved", type="save", id=5, run=forked["run"]["id"])
            loaded = scenario.loads(saved["text"])
            result = simulation.simulate(loaded)
            events = [(round(e.time, 6), e.event, e.detail) for e in result.events]
            assert events == [(e["time"], e["event"], e["detail"]) for e in forked["run"]["events"]]
            again = scenario.loads(scenario.dump(loaded))
            repeated = run_folder.events_csv(simulation.simulate(again))
            assert repeated == run_folder.events_csv(result)

    asyncio.run(try_it())


def test_a_fork_that_changes_nothing_gives_identical_curves(served: Served) -> None:
    async def try_it() -> None:
        async with served.live() as page:
            run = await opened(page)
            forked = (await asked(page, "run", type="fork", id=1, run=run["id"], at=20.0))["run"]
            assert forked["id"] != run["id"]
            assert forked["curves"] == run["curves"]
            assert forked["states"] == run["states"]
            saved = [
                (await asked(page, "saved", type="save", id=k, run=k))["text"]
                for k in (run["id"], forked["id"])
            ]
            assert saved[0] == saved[1]

    asyncio.run(try_it())


def test_who_comes_back_finds_the_run_and_the_place(served: Served) -> None:
    async def try_it() -> None:
        async with served.live() as page:
            run = await opened(page)
            place = {"run": run["id"], "time": 12.5, "speed": 60}
            await page.send(json.dumps({"type": "at", "id": 1, **place}))
            await asked(page, "run", type="show", id=2, run=run["id"])
        async with served.live() as page:
            assert (await heard(page, "hello"))["at"] == place
            assert await opened(page) == run

    asyncio.run(try_it())


def _until(run: dict[str, Any], minutes: float) -> list[Any]:
    """What a run shows up to a time: rows of its curves, its log."""
    curves = run["curves"]
    rows = [
        [column["values"][k] for column in curves["columns"]]
        for k, time_ in enumerate(curves["time"])
        if time_ < minutes
    ]
    return [rows, [e for e in run["events"] if e["time"] < minutes]]
