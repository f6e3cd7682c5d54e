"""What may stand between a console and an engine, and what it does to what passes through.

One list of faults, played in two places: :class:`FaultProxy` is a proxy on a port of this machine, for a console in a
terminal and for a real engine behind it; :class:`FaultTransport` is the same inside one process, around another httpx
transport (an ASGI one, say), for models and for the application under a Pilot. ::

    with FaultProxy(("127.0.0.1", 8080)) as proxy:           # the engine behind it
        proxy.faults.play(page(503, **{"Retry-After": "7"}))  # every request, until …
        proxy.faults.clear()
        proxy.faults.play(page(500, passed_on=True), on="^POST .*/retries-async$", times=1)
        proxy.faults.play(Drop(passed_on=True), on="^DELETE ")
        proxy.faults.play(Hang(), times=1)                    # not answered at all, until …
        proxy.faults.play(LOGIN_PAGE)                         # 200, text/html
        proxy.close_door(); proxy.open_door()                 # refused; the same address answers again
        proxy.change_door(secure(authority))                  # from now on https, or another certificate; None: plain
        proxy.faults.asked                                    # every request: method, path, status, bytes, authorized

The fault that was begun last and fits a request is played. ``passed_on`` lets the engine carry the request out first.
"""

import asyncio
import re
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import httpx
import trustme

STATUSES = (301, 302, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504, 524)
"""What proxies answer of their own."""
_CHUNK = 65536
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@dataclass(frozen=True)
class Answer:
    """An answer of the proxy's own.

    Attributes:
        status: its status.
        content: its body.
        content_type: what the body is said to be.
        headers: more headers.
        passed_on: the engine has carried the request out before; its answer is thrown away.
        repeated: the body is sent so many times over, for one that is huge.
    """

    status: int
    content: bytes = b""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)
    passed_on: bool = False
    repeated: int = 1


@dataclass(frozen=True)
class Drop:
    """The connection is closed without a word, before the request is passed on or (``passed_on``) after it was."""

    passed_on: bool = False


@dataclass(frozen=True)
class Cut:
    """The engine's answer breaks off after so many bytes of its body."""

    after: int = 10


@dataclass(frozen=True)
class Slow:
    """The request is passed on after so many seconds, or as soon as the fault is cleared."""

    seconds: float = 3600.0


@dataclass(frozen=True)
class Hang:
    """Nothing is answered, before the request is passed on or (``passed_on``) after it was; once the fault is cleared
    the connection is closed."""

    passed_on: bool = False


Fault = Answer | Drop | Cut | Slow | Hang


def page(status: int, title: str = "", *, passed_on: bool = False, **headers: str) -> Answer:
    """A page of the proxy's own, as nginx and its like write them; 301 and 302 lead to a login."""
    title = title or f"{status} says the proxy"
    if status in (301, 302):
        headers = {"Location": "https://login.example.com/sso?back=engine", **headers}
    if status == 401:
        headers = {"WWW-Authenticate": 'Basic realm="proxy"', **headers}
    html = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Answer(status, html.encode(), headers=headers, passed_on=passed_on)


def engine_error(status: int, type: str = "RestException", message: str = "no", *, passed_on: bool = False) -> Answer:
    """An error body of the contract, as the engine itself answers."""
    body = f'{{"type": "{type}", "message": "{message}", "code": 0}}'
    return Answer(status, body.encode(), "application/json", passed_on=passed_on)


LOGIN_PAGE = Answer(200, b"<html><head><title>Log in</title></head><body><form></form></body></html>")
"""A login page, sent as if it were the answer."""
WRONG_JSON = Answer(200, b'{"unexpected": [1, 2, {}]}', "application/json")
"""JSON that is no answer to any question."""
BROKEN_JSON = Answer(200, b'[{"id": "abc", "retr', "application/json")
"""JSON that ends in the middle."""


def secure(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    """What a server shows that has a certificate of this authority for this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def huge(megabytes: int) -> Answer:
    """So many megabytes of white space, sent without telling how long it is."""
    return Answer(200, b" " * _CHUNK, "application/json", repeated=megabytes * 1024 * 1024 // _CHUNK)


@dataclass(frozen=True)
class Asked:
    """A request that came, and what became of it.

    Attributes:
        at: when it came, by the monotonic clock.
        method: GET, POST, …
        path: path and query, as they came.
        body: what was sent.
        authorization: the header of that name, empty where there was none.
        agent: the header ``User-Agent``.
        status: what was answered; 0 where nothing was.
        sent: bytes of the body that was answered.
        fault: what was played, if anything.
    """

    at: float
    method: str
    path: str
    body: bytes
    authorization: str
    agent: str
    status: int
    sent: int
    fault: Fault | None


class _Playing:
    """A fault that is being played, for the requests that it fits."""

    def __init__(self, fault: Fault, on: str, times: int | None) -> None:
        self.fault = fault
        self._on = re.compile(on)
        self._left = times
        self.over = threading.Event()
        self.over_here = asyncio.Event()

    def fits(self, line: str) -> bool:
        """Whether it is played for this request; counts it."""
        if self.over.is_set() or self._left == 0 or not self._on.search(line):
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def end(self) -> None:
        """Whoever is held by it goes on."""
        self.over.set()
        self.over_here.set()


class Faults:
    """The faults that are played, and what came meanwhile. Used from several threads."""

    def __init__(self) -> None:
        self._playing: list[_Playing] = []
        self._lock = threading.Lock()
        self.asked: list[Asked] = []
        """Every request, in the order of their ends."""
        self.lost = threading.Event()
        """A request was carried out by the engine, and its answer thrown away."""
        self.hanging = threading.Event()
        """A request hangs."""

    def play(self, fault: Fault, on: str = "", times: int | None = None) -> None:
        """Play a fault from now on.

        Args:
            fault: what happens.
            on: a regular expression, searched for in ``METHOD path?query``; empty fits every request.
            times: so often only.
        """
        with self._lock:
            self._playing.append(_Playing(fault, on, times))

    def clear(self) -> None:
        """From now on everything is passed on; what was held is let go."""
        with self._lock:
            ended, self._playing = self._playing, []
        for playing in ended:
            playing.end()

    @contextmanager
    def while_playing(self, fault: Fault, on: str = "") -> Iterator[None]:
        """Play a fault, and clear everything afterwards."""
        self.play(fault, on)
        try:
            yield
        finally:
            self.clear()

    def count(self, on: str = "") -> int:
        """How many requests came whose ``METHOD path?query`` this regular expression is found in."""
        return sum(bool(re.search(on, f"{one.method} {one.path}")) for one in list(self.asked))

    def _for(self, line: str) -> _Playing | None:
        with self._lock:
            return next((playing for playing in reversed(self._playing) if playing.fits(line)), None)

    def _note(self, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)


class FaultProxy:
    """Listens on a free port of this machine and passes on what comes, unless a fault is played.

    Args:
        engine: host and port that is passed on to; without one only faults are answered, and everything else is 502.
        context: the certificate that is shown; without one it speaks plain HTTP.
    """

    def __init__(self, engine: tuple[str, int] | None = None, context: ssl.SSLContext | None = None) -> None:
        self.faults = Faults()
        self.engine = engine
        self.context = context
        self._server: _Server | None = None
        self.port = 0

    @property
    def root(self) -> str:
        """The REST root as a console is told it."""
        return f"http://127.0.0.1:{self.port}/engine-rest"

    @property
    def secure_root(self) -> str:
        """The same by https, and by a name."""
        return f"https://localhost:{self.port}/engine-rest"

    def __enter__(self) -> "FaultProxy":
        self.open_door()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.faults.clear()
        self.close_door()

    def open_door(self) -> None:
        """Take connections, on the same port every time."""
        assert self._server is None
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close_door(self) -> None:
        """Connections are refused and those that are open broken off, as while an engine starts anew."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.break_off()
            self._server = None

    def change_door(self, context: ssl.SSLContext | None) -> None:
        """Connections from now on are made with this certificate (``None``: without TLS); those that are open end."""
        self.context = context
        if self._server is not None:
            self._server.break_off()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], proxy: FaultProxy) -> None:
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection, remembered until it is closed. Its thread shakes hands, with the first byte that it reads."""
        near, address = super().get_request()
        if self.proxy.context is not None:
            near = self.proxy.context.wrap_socket(near, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(near)
        return near, address

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def break_off(self) -> None:
        """End all connections; their threads close them."""
        with self._lock:
            for near in self._open:
                with suppress(OSError):
                    near.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the console's."""

    def _any(self) -> None:
        self._status = self._sent = 0
        at = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        faults = self.server.proxy.faults
        playing = faults._for(f"{self.command} {self.path}")
        fault = playing.fault if playing else None
        try:
            if isinstance(fault, Slow) and playing is not None:
                playing.over.wait(fault.seconds)
            if isinstance(fault, Answer | Drop | Hang) and playing is not None:
                if fault.passed_on:
                    self._pass_on(body)
                    faults.lost.set()
                if isinstance(fault, Hang):
                    faults.hanging.set()
                    playing.over.wait()
                self._play(Drop() if isinstance(fault, Hang) else fault)
            else:
                self._relay(body, fault.after if isinstance(fault, Cut) else None)
        except OSError:
            self.close_connection = True
        finally:
            agent, authorization = self.headers.get("User-Agent", ""), self.headers.get("Authorization", "")
            faults._note(
                Asked(at, self.command, self.path, body, authorization, agent, self._status, self._sent, fault)
            )

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = _any

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """The engine's answer."""
        engine = self.server.proxy.engine
        if engine is None:
            raise ConnectionError("there is no engine behind this proxy")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        far = HTTPConnection(*engine, timeout=120)
        try:
            far.request(self.command, self.path, body or None, headers)
            answer = far.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except HTTPException as problem:
            raise ConnectionError(str(problem)) from problem
        finally:
            far.close()

    def _relay(self, body: bytes, cut: int | None) -> None:
        try:
            status, headers, content = self._pass_on(body)
        except OSError:
            self._play(page(502, "Bad Gateway"))
            return
        self._begin(status, {name: value for name, value in headers if name.lower() not in _OF_THE_CONNECTION})
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self._write(content[:cut])
        if cut is not None:
            self._hang_up()

    def _play(self, fault: Answer | Drop) -> None:
        if isinstance(fault, Drop):
            self._hang_up()
            return
        self._begin(fault.status, {"Content-Type": fault.content_type, **fault.headers})
        if fault.repeated == 1:
            self.send_header("Content-Length", str(len(fault.content)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        for _ in range(fault.repeated):
            self._write(fault.content)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)

    def _write(self, content: bytes) -> None:
        self.wfile.write(content)
        self._sent += len(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class FaultTransport(httpx.AsyncBaseTransport):
    """The same between an httpx client and another transport, in one process.

    Args:
        engine: who answers what is passed on.
    """

    def __init__(self, engine: httpx.AsyncBaseTransport) -> None:
        self.faults = Faults()
        self.refusing = False
        """No connection can be made."""
        self.under_way = 0
        """Requests that have not been answered yet."""
        self._engine = engine

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or fail as the network does."""
        if self.refusing:
            raise httpx.ConnectError("connection refused", request=request)
        self.under_way += 1
        at, body = time.monotonic(), await request.aread()
        path = request.url.raw_path.decode()
        playing = self.faults._for(f"{request.method} {path}")
        fault = playing.fault if playing else None
        status = sent = 0
        try:
            if isinstance(fault, Slow) and playing is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(fault.seconds):
                        await playing.over_here.wait()
            if isinstance(fault, Answer | Drop | Hang) and playing is not None:
                if fault.passed_on:
                    await (await self._engine.handle_async_request(request)).aread()
                    self.faults.lost.set()
                if isinstance(fault, Hang):
                    self.faults.hanging.set()
                    await playing.over_here.wait()
                if not isinstance(fault, Answer):
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
                status, sent = fault.status, len(fault.content) * fault.repeated
                headers = {"Content-Type": fault.content_type, **fault.headers}
                return httpx.Response(status, headers=headers, stream=_Repeated(fault.content, fault.repeated))
            answer = await self._engine.handle_async_request(request)
            content = await answer.aread()
            if isinstance(fault, Cut):
                raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
            status, sent = answer.status_code, len(content)
            return httpx.Response(status, headers=answer.headers, stream=_Repeated(content, 1))
        finally:
            self.under_way -= 1
            agent, authorization = request.headers.get("user-agent", ""), request.headers.get("authorization", "")
            self.faults._note(Asked(at, request.method, path, body, authorization, agent, status, sent, fault))

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._engine.aclose()


class _Repeated(httpx.AsyncByteStream):
    def __init__(self, content: bytes, times: int) -> None:
        self._content, self._times = content, times

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self._times):
            yield self._content
