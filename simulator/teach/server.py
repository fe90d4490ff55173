"""The server of the live page: on the loopback address, for whoever has the printed address.

A request must name this server as its host, come from a page of this server if it comes from a
page, and bring the token of the printed address. Messages are checked before they are used, and are
answered one after the other; runs are computed beside the loop, so the page is never kept waiting
by another's request. What is refused is refused in words.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from simulator import __version__, lessons
from simulator import scenario as scenarios
from simulator.errors import SimulatorError
from simulator.loopback import is_loopback
from simulator.playback import page
from simulator.playback.page import as_json
from simulator.teach import messages
from simulator.teach.classroom import Classroom, Line

MOST_CONNECTIONS = 16
"""Pages that are connected at once."""
LARGEST_FRAME = 64 * 1024
"""Bytes of a message beyond which it is not even read; those above `messages.LARGEST` are."""
HTTP_PORT = 80
LOOPBACK = "127.0.0.1"
TYPES = {"page.js": "text/javascript", "page.css": "text/css"}
HEADERS = {
    "Content-Security-Policy": page.LIVE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

HELLO = {"type": "hello", "version": __version__, "scenarios": [], "lessons": []}

Answer = Callable[["Desk", WebSocket, dict[str, Any]], Awaitable[None]]


class Desk:
    """What all pages share: the runs, where the class is in them, and who is connected."""

    def __init__(self, classroom: Classroom, token: str) -> None:
        self.classroom = classroom
        self.token = token
        self.pages: set[WebSocket] = set()
        self.connected = 0
        """Pages that are here or about to be."""
        self.shown = 0
        """The run that the class watches."""
        self.at: dict[str, Any] | None = None
        """Where it is in it, as a page last told."""
        self.failed = ""
        """Why there is no run to begin with."""
        self._one_at_a_time = asyncio.Lock()
        self._hello: dict[str, Any] = {}

    async def begin(self) -> None:
        """Compute the first run."""
        async with self._one_at_a_time:
            try:
                line = await asyncio.to_thread(self.classroom.open)
            except SimulatorError as error:
                self.failed = str(error)
                return
            self.shown = line.number

    # -- a page -----------------------------------------------------------------------------------

    async def serve(self, socket: WebSocket) -> None:
        """Talk with one page until it goes."""
        self.connected += 1
        try:
            await socket.accept()
            self.pages.add(socket)
            await self._welcome(socket)
            while True:
                await self._answer_next(socket)
        except WebSocketDisconnect:
            pass
        finally:
            self.connected -= 1
            self.pages.discard(socket)

    async def _welcome(self, socket: WebSocket) -> None:
        async with self._one_at_a_time:  # the first run may still be on its way
            lines = dict(self.classroom.lines)
        await self._send(socket, {**HELLO, "at": self.at})
        if self.failed:
            await self._refuse(socket, None, self.failed)
        if self.shown in lines:
            shown = await self._said_of(lines.pop(self.shown), shown=True)
            await self._send(socket, shown | {"id": None})
        for line in lines.values():
            await self._send(socket, await self._said_of(line, shown=False) | {"id": None})
        if self.classroom.lesson is not None:
            lesson = self.classroom.lesson.as_data()
            await self._send(socket, {"type": "lesson", "id": None, "lesson": lesson})
        # what else there is takes longer to find than the run, and nobody waits for it
        await self._send(socket, await asyncio.to_thread(self._known) | {"at": self.at})

    def _known(self) -> dict[str, Any]:
        if not self._hello:
            self._hello = {
                **HELLO,
                "scenarios": self._scenarios(),
                "lessons": [
                    {"name": one.name, "title": one.title, "misconception": one.misconception}
                    for one in map(lessons.load, lessons.names())
                ],
            }
        return self._hello

    def _scenarios(self) -> list[dict[str, str]]:
        """What can be loaded: the class's own scenario, then the bundled ones."""
        known, own = scenarios.bundled(), self.classroom.source
        first = {} if own in known else {own: f"{own} (your own)"}
        return [{"name": name, "title": title} for name, title in {**first, **known}.items()]

    async def _answer_next(self, socket: WebSocket) -> None:
        received = await socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        number = None
        try:
            message = messages.read(received["bytes"] if text is None else text)
            number = message["id"]
            await ANSWERS[message["type"]](self, socket, message)
        except SimulatorError as error:
            await self._refuse(socket, number, str(error))

    # -- what a page asks -------------------------------------------------------------------------

    async def act(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """Something is changed: the run anew, or a fork of it."""
        line = await self._worked(
            self.classroom.act, message["run"], message["at"], message["change"]
        )
        await self._show(socket, line, message["id"])

    async def fork(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """The same run again."""
        line = await self._worked(self.classroom.fork, message["run"], message["at"])
        await self._show(socket, line, message["id"])

    async def show(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """Another of the runs."""
        line = await self._worked(self.classroom.show, message["run"])
        self.shown = line.number
        await self._send(socket, await self._said_of(line, shown=True) | {"id": message["id"]})

    async def load(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """Another scenario, from its start."""
        line = await self._worked(self.classroom.open, message["scenario"], message["sees_to"])
        self.failed, self.at = "", None
        await self._tell_all(socket, {"type": "lesson", "lesson": None}, message["id"])
        await self._show(socket, line, message["id"], anew=True)

    async def save(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """The scenario that replays a run."""
        name, text = await self._worked(self.classroom.saved, message["run"])
        answer = {"type": "saved", "id": message["id"], "name": name, "text": text}
        await self._send(socket, answer)

    async def lesson(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """Begin a lesson."""
        lesson = await self._worked(lessons.load, message["name"])
        first, *others = await self._worked(self.classroom.teach, lesson)
        self.at = None
        told = {"type": "lesson", "lesson": lesson.as_data()}
        await self._tell_all(socket, told, message["id"])
        await self._show(socket, first, message["id"], anew=True)
        for line in others:
            await self._tell_all(socket, await self._said_of(line, shown=False), message["id"])

    async def judge(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """What the lesson says."""
        verdict = await self._worked(self.classroom.judge, message["prediction"])
        answer = {"type": "verdict", "id": message["id"], "verdict": verdict.as_data()}
        await self._send(socket, answer)

    async def keep_place(self, socket: WebSocket, message: dict[str, Any]) -> None:
        """Where the page is, for when it comes back."""
        self.classroom.saw(message["run"], message["time"])
        self.at = {key: message[key] for key in ("run", "time", "speed")}

    # -- sending ----------------------------------------------------------------------------------

    async def _worked(self, work: Callable[..., Any], *asked: Any) -> Any:
        """Do something with the runs, beside the loop, one after the other."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(work, *asked)

    async def _show(
        self, socket: WebSocket, line: Line, number: int, *, anew: bool = False
    ) -> None:
        """A run for the page that asked for it; the other pages get to know it.

        `anew`: all runs before it are gone, so that the others show it too.
        """
        self.shown = line.number
        shown = await self._said_of(line, shown=True)
        await self._send(socket, shown | {"id": number})
        known = {"type": "other", "run": shown["run"]}
        await self._tell_others(socket, shown if anew else known)

    async def _tell_all(self, socket: WebSocket, message: dict[str, Any], number: int) -> None:
        """The same to all pages; who asked for it gets his number with it."""
        await self._send(socket, message | {"id": number})
        await self._tell_others(socket, message)

    async def _tell_others(self, socket: WebSocket, message: dict[str, Any]) -> None:
        text = await asyncio.to_thread(as_json, message | {"id": None})
        for other in tuple(self.pages - {socket}):
            try:
                await other.send_text(text)
            except (WebSocketDisconnect, RuntimeError):  # it is just going
                self.pages.discard(other)

    async def _said_of(self, line: Line, *, shown: bool) -> dict[str, Any]:
        """A run as a message without a number: to be shown, or to be kept beside that."""
        run = await asyncio.to_thread(line.as_data)
        if not shown:
            return {"type": "other", "run": run}
        return {"type": "run", "run": run, "offer": self.classroom.offer(line.number)}

    async def _refuse(self, socket: WebSocket, number: int | None, why: str) -> None:
        await self._send(socket, {"type": "refused", "id": number, "message": why})

    async def _send(self, socket: WebSocket, message: dict[str, Any]) -> None:
        await socket.send_text(await asyncio.to_thread(as_json, message))


ANSWERS: dict[str, Answer] = {
    "act": Desk.act,
    "fork": Desk.fork,
    "show": Desk.show,
    "load": Desk.load,
    "save": Desk.save,
    "lesson": Desk.lesson,
    "judge": Desk.judge,
    "at": Desk.keep_place,
}


class Gate:
    """Lets nobody in who does not name this server, or comes from another's page."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts
        """Host and port, as a browser names this server."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask who it is, then let through."""
        if scope["type"] in ("http", "websocket"):
            why = self.refusal(HTTPConnection(scope))
            if why and scope["type"] == "http":
                await _refused(why)(scope, receive, send)
                return
            if why:
                await WebSocket(scope, receive, send).send_denial_response(_refused(why))
                return
        await self.app(scope, receive, send)

    def refusal(self, connection: HTTPConnection) -> str:
        """Why this request is not answered; empty if it is."""
        host = connection.headers.get("host", "")
        if host not in self.hosts:
            return f"this server is not {host or 'without a name'}; use the printed address"
        origin = connection.headers.get("origin")
        if origin is None and connection.scope["type"] == "websocket":
            return "a page says where it is from (Origin); this request does not"
        if origin is not None and origin not in {f"http://{host}" for host in self.hosts}:
            return f"pages of {origin} may not talk to this server"
        return ""


def application(classroom: Classroom, token: str, hosts: frozenset[str]) -> ASGIApp:
    """The page and its socket, behind the gate; `hosts`: host and port as browsers name them."""
    desk = Desk(classroom, token)

    def admits(connection: HTTPConnection) -> bool:
        return secrets.compare_digest(
            connection.query_params.get("token", "").encode(), token.encode()
        )

    async def document(request: Request) -> Response:
        if not admits(request):
            return _refused("the address lacks its token; use the whole printed address")
        title = "apheresis teach: a live machine"
        return Response(page.live_document(title), media_type="text/html", headers=HEADERS)

    async def static(request: Request) -> Response:
        name = request.url.path.rsplit("/", 1)[-1]
        return Response(page.part(name), media_type=TYPES[name], headers=HEADERS)

    async def live(websocket: WebSocket) -> None:
        if not admits(websocket):
            why = _refused("the token is wrong; use the whole printed address")
            await websocket.send_denial_response(why)
        elif desk.connected >= MOST_CONNECTIONS:
            why = _refused(f"{MOST_CONNECTIONS} pages are connected already; close one", 503)
            await websocket.send_denial_response(why)
        else:
            await desk.serve(websocket)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        first = asyncio.create_task(desk.begin())
        yield
        first.cancel()

    routes = [
        Route("/", document),
        *(Route(f"/{name}", static) for name in TYPES),
        WebSocketRoute("/live", live),
    ]
    return Gate(Starlette(routes=routes, lifespan=lifespan), hosts)


def _refused(why: str, status: int = 403) -> Response:
    return PlainTextResponse(f"Refused: {why}\n", status, headers=HEADERS)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; raises `OSError` where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def names_of(host: str, port: int) -> frozenset[str]:
    """How browsers on this machine, or on its network, name this server."""
    shown = f"[{host}]" if ":" in host else host
    names = {shown, "localhost", LOOPBACK} if is_loopback(host) else {shown}
    if port == HTTP_PORT:  # which browsers leave out
        return frozenset(names)
    return frozenset(f"{name}:{port}" for name in names)


def run(classroom: Classroom, token: str, listener: socket.socket, host: str) -> None:
    """Serve until interrupted."""
    config = configured(classroom, token, listener, host)
    uvicorn.Server(config).run(sockets=[listener])


def configured(
    classroom: Classroom, token: str, listener: socket.socket, host: str
) -> uvicorn.Config:
    """How the page is served to those who name `host` and the port that is listened on."""
    port = listener.getsockname()[1]
    return uvicorn.Config(
        application(classroom, token, names_of(host, port)),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        ws_max_queue=8,
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
