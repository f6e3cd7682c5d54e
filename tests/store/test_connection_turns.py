"""What one connection has parsed before others have their turns, and what is not parsed at all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import h11
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from retriage.store.server import connections
from retriage.store.server.connections import (
    EVENTS_AT_ONCE,
    MOST_HEADERS,
    READ_AT_ONCE,
    SMALL_CHUNKS,
    SMALL_CHUNKS_OF_REST,
    Deadlines,
    HttpConnection,
    OpenConnections,
)

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CHUNK = b"1\r\nx\r\n"
CHUNKS = CHUNK * (READ_AT_ONCE // len(CHUNK))


class Wire(asyncio.Transport):
    """A transport that keeps what is written and knows whether it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Server:
    """Connections to an application that counts its requests and refuses all but those of a user."""

    def __init__(self) -> None:
        self.open = OpenConnections(1000, Deadlines(head=60, body=60, answer=60))
        self.answered: list[str] = []
        self.connections: list[HttpConnection] = []
        self._config = uvicorn.Config(self._app, interface="asgi3", ws="none", log_config=None, proxy_headers=False)
        self._state = ServerState()

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Requests that are being answered."""
        return self._state.tasks

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if b"user" in headers:
            scope["state"]["user"] = headers[b"user"]
        if b"read" in headers:
            while (await receive()).get("more_body"):
                pass
        self.answered.append(headers.get(b"name", b"").decode())
        status = 200 if b"user" in headers else 401
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    def connect(self) -> tuple[HttpConnection, Wire]:
        connection = HttpConnection(self.open, config=self._config, server_state=self._state, app_state={})
        wire = Wire()
        self.connections.append(connection)
        connection.connection_made(wire)
        return connection, wire


@pytest.fixture
async def served() -> AsyncIterator[Server]:
    server = Server()
    yield server
    for connection in server.connections:
        connection.connection_lost(None)
    while server.tasks:
        await asyncio.gather(*server.tasks)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[type]:
    """The events that h11 has parsed, by kind."""
    found: Counter[type] = Counter()
    parse = h11.Connection.next_event

    def counted(self: h11.Connection) -> Any:
        event = parse(self)
        found[type(event)] += 1
        return event

    monkeypatch.setattr(h11.Connection, "next_event", counted)
    return found


async def rest(passes: int = 300) -> None:
    """Let everything happen that waits for nothing."""
    for _ in range(passes):
        await asyncio.sleep(0)


async def test_one_turn_parses_a_few_chunks(served: Server, parsed: Counter[type]) -> None:
    connection, wire = served.connect()
    connection.data_received(POST + b"Read: yes\r\n\r\n" + CHUNKS)
    assert not wire.reading, "nothing more is read before it had its turn"
    connection.take_turn()
    assert parsed[h11.Data] == EVENTS_AT_ONCE
    connection.take_turn()
    assert parsed[h11.Data] == 2 * EVENTS_AT_ONCE


async def test_a_refused_body_in_small_chunks_is_not_parsed_to_its_end(served: Server, parsed: Counter[type]) -> None:
    connection, wire = served.connect()
    connection.data_received(POST + b"\r\n" + CHUNKS)
    await rest()
    assert wire.written.startswith(b"HTTP/1.1 401")
    for _ in range(100):
        connection.data_received(CHUNKS)
        await rest(30)
    assert parsed[h11.Data] < SMALL_CHUNKS_OF_REST + 20 * EVENTS_AT_ONCE, "of 270,000"
    assert wire.reading, "what comes is taken, so that the refusal is read"
    connection.give_up()
    assert wire.closed


async def test_a_refused_body_in_large_chunks_leaves_its_connection_open(served: Server) -> None:
    connection, wire = served.connect()
    connection.data_received(POST + b"\r\n")
    await rest()
    for _ in range(4 * SMALL_CHUNKS_OF_REST):
        connection.data_received(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await rest(30)
    connection.data_received(b"0\r\n\r\n" + GET + b"User: ann\r\n\r\n")
    await rest()
    assert wire.written.count(b"HTTP/1.1 401") == 1
    assert wire.written.count(b"HTTP/1.1 200") == 1
    assert not wire.closed


async def test_a_body_that_is_read_may_have_small_chunks_but_not_very_many(served: Server) -> None:
    for many, status in ((SMALL_CHUNKS, b"200"), (SMALL_CHUNKS + 10, b"400")):
        connection, wire = served.connect()
        connection.data_received(POST + b"User: ann\r\nRead: yes\r\n\r\n" + CHUNK * many + b"0\r\n\r\n")
        await rest()
        assert wire.written.startswith(b"HTTP/1.1 " + status), many
        assert wire.closed == (status == b"400")


@pytest.mark.parametrize("end", [b"\r\n", b""], ids=["a whole head", "a part of a head"])
async def test_a_head_of_many_headers_is_not_parsed(served: Server, parsed: Counter[type], end: bytes) -> None:
    connection, wire = served.connect()
    connection.data_received(GET + b"a: b\r\n" * (MOST_HEADERS - 1) + b"\r\n")
    await rest()
    assert wire.written.startswith(b"HTTP/1.1 401")
    connection, wire = served.connect()
    connection.data_received(GET + b"a:\r\n" * 16_000 + end)
    await rest()
    assert wire.written.startswith(b"HTTP/1.1 431")
    assert wire.closed
    assert parsed[h11.Request] == 1
    assert served.answered == [""]


async def test_a_long_trailer_is_not_parsed(served: Server, parsed: Counter[type]) -> None:
    connection, wire = served.connect()
    connection.data_received(POST + b"\r\n0\r\n" + b"a:\r\n" * (READ_AT_ONCE // 4))
    await rest()
    assert wire.closed
    assert parsed[h11.EndOfMessage] == 0


async def test_strangers_take_turns(served: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has sent very many requests is not answered before another that has sent one."""
    monkeypatch.setattr(connections, "TURN_SECONDS", 0)
    for _ in range(20):
        connection, _ = served.connect()
        connection.data_received((GET + b"Name: many\r\n\r\n") * 100)
    connection, _ = served.connect()
    connection.data_received(GET + b"Name: one\r\n\r\n")
    async with asyncio.timeout(60):
        while len(served.answered) < 20 * 100 + 1:
            await rest(10)
    assert served.answered.index("one") <= 2 * 20


async def test_a_connection_on_which_a_user_has_logged_in_does_not_wait_for_strangers(served: Server) -> None:
    known, _ = served.connect()
    known.data_received(GET + b"User: ann\r\nName: login\r\n\r\n")
    await rest()
    for _ in range(50):
        stranger, _ = served.connect()
        stranger.data_received((GET + b"Name: stranger\r\n\r\n") * 100)
    known.data_received(GET + b"User: ann\r\nName: known\r\n\r\n")
    await rest()
    assert served.answered[:2] == ["login", "known"]
