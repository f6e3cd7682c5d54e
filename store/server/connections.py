"""Connections: how many there may be, how long one may keep the server waiting, and what is no request at all.

What uvicorn leaves open: it waits for the head of a request as long as it takes, counts requests where connections use
up the descriptors, takes the rest of a body that was refused whatever its length, reads a message that has both a
``Content-Length`` and a ``Transfer-Encoding``, which proxies and servers understand differently (RFC 9112, 6.3), and
parses all that one connection has sent before the event loop comes to another.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from retriage.store.contract.errors import ErrorBody
from retriage.store.settings import StoreSettings

log = logging.getLogger(__name__)

LONGEST_HEAD = 65_536
"""Bytes of a request's line and headers together."""

MOST_HEADERS = 100
"""Headers of a request, as in Tomcat."""

LONGEST_TRAILER = 4096
"""Bytes of what may follow a body in chunks."""

READ_AT_ONCE = 16_384
"""Bytes that are taken from a connection before the event loop comes to another."""

EVENTS_AT_ONCE = 16
"""Pieces of a body that are parsed in one turn, some 30 µs each."""

SMALL_CHUNKS = 1000
"""Chunks that a body may have, however small they are; beyond, 256 bytes each on average."""

SMALL_CHUNKS_OF_REST = 32
"""The same for the rest of a body that nobody wants. What comes then is not parsed, and the connection ends."""

TURN_SECONDS = 0.002
"""How long the requests of strangers are parsed before the event loop comes to something else."""

STOPPED_SECONDS = 1.0
"""How long nothing has come of a body that has stopped coming."""

REST_SECONDS = 10.0
"""How long the rest of a body that nobody wants is taken, so that its sender comes to read the refusal: a slow one
sends 100 MB meanwhile."""


class State(Enum):
    """What a connection is at."""

    HELLO = "the first message of its TLS handshake"
    HANDSHAKE = "the end of its TLS handshake"
    HEAD = "the head of its request"
    REST = "the rest of a body that was refused"
    IDLE = "its next request"
    BODY = "the body of its request"
    BUSY = "its answer"
    """The server is at it, not the client: such a connection is not given up."""


@dataclass(frozen=True)
class Deadlines:
    """How long a connection may keep the server waiting, in seconds.

    Attributes:
        head: for a whole head, from the first moment.
        body: for the next piece of a body.
        answer: for the client to take a piece of its answer.
    """

    head: float
    body: float
    answer: float

    @classmethod
    def of(cls, settings: StoreSettings) -> "Deadlines":
        """As the settings say."""
        return cls(settings.head_seconds, settings.body_seconds, settings.answer_seconds)


class OpenConnection(Protocol):
    """A connection of the server, whatever it is at."""

    state: State

    def silent_for(self) -> float:
        """Seconds since the client was heard, or an answer was written to it."""

    def give_up(self) -> None:
        """Close the connection."""

    def take_turn(self) -> None:
        """Parse some of what has come."""


class OpenConnections:
    """The connections of a server, by what they are at, those that were heard longest ago first."""

    def __init__(self, limit: int, deadlines: Deadlines) -> None:
        self.limit = limit
        self.deadlines = deadlines
        self._by_state: dict[State, dict[OpenConnection, None]] = {state: {} for state in State}
        self._turns: dict[OpenConnection, None] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_state.values()))

    def enter(self, connection: OpenConnection, state: State) -> None:
        """A connection is at this now; it was heard just now."""
        self._leave_state(connection)
        self._by_state[state][connection] = None

    def leave(self, connection: OpenConnection) -> None:
        """A connection is no more."""
        self._leave_state(connection)
        self._turns.pop(connection, None)

    def _leave_state(self, connection: OpenConnection) -> None:
        for connections in self._by_state.values():
            connections.pop(connection, None)

    def wait_for_turn(self, connection: OpenConnection) -> None:
        """Let a connection parse what has come as soon as those before it have had their turns.

        What strangers send takes ``TURN_SECONDS`` of each pass of the event loop, however many they are.
        """
        if not self._turns:
            asyncio.get_running_loop().call_soon(self._take_turns)
        self._turns.setdefault(connection)

    def _take_turns(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + TURN_SECONDS
        while self._turns:
            connection = next(iter(self._turns))
            del self._turns[connection]
            connection.take_turn()
            if loop.time() >= end:
                break
        if self._turns:
            loop.call_soon(self._take_turns)

    def make_room(self) -> bool:
        """Give up a connection if there is no room for one more; answers whether there is room then."""
        if len(self) < self.limit:
            return True
        connection = self._least_wanted()
        if connection is None:
            log.warning("%d connections are open and all at work: one more was refused", self.limit)
            return False
        log.warning("%d connections are open: one that owed %s made room", self.limit, connection.state.value)
        connection.give_up()
        self.leave(connection)
        return True

    def keep_few(self, state: State, most: int) -> None:
        """Give up those that have been at this longest, so that there is room for one more."""
        while len(self._by_state[state]) >= most:
            connection = next(iter(self._by_state[state]))
            log.warning("%d connections owe %s: the oldest made room", most, state.value)
            connection.give_up()
            self.leave(connection)

    def _least_wanted(self) -> OpenConnection | None:
        """Who is given up first: a body that has stopped coming before a client between two requests, and that before
        a body that comes."""
        oldest = {state: next(iter(connections)) for state, connections in self._by_state.items() if connections}
        body = oldest.get(State.BODY)
        stopped = body if body is not None and body.silent_for() > STOPPED_SECONDS else None
        order = (
            oldest.get(State.HELLO),
            oldest.get(State.HANDSHAKE),
            oldest.get(State.HEAD),
            oldest.get(State.REST),
            stopped,
            oldest.get(State.IDLE),
            body,
        )
        return next((connection for connection in order if connection is not None), None)


_END_OF_HEAD = re.compile(rb"\n\r?\n")

_NOT_UNDERSTOOD = (400, "This HTTP request cannot be understood.")
_LARGE_HEAD = (431, f"A request may have {MOST_HEADERS} headers, and {LONGEST_HEAD} bytes of them.")
_SMALL_CHUNKS = (400, "The body comes in too many chunks that are too small.")


class _Requests(h11.Connection):
    """Reads messages within bounds, some events in each turn, and none with two lengths.

    Attributes:
        has_more: the turn is over, and there may be more to read.
        is_unread: what comes of this body is not read any more.
        refusal: status and sentence for what cannot be read.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self.has_more = False
        self.is_unread = False
        self.refusal = _NOT_UNDERSTOOD
        self._events = 0
        self._chunks = 0
        self._bytes = 0

    def begin_turn(self) -> None:
        """Allow so many more events."""
        self._events = 0
        self.has_more = False

    def next_event(self) -> Any:
        """The next event of this turn, see h11.

        Raises:
            h11.RemoteProtocolError: the message is none, or beyond the bounds.
        """
        if self.is_unread:
            return h11.NEED_DATA
        if self._events >= EVENTS_AT_ONCE:
            self.has_more = True
            return h11.NEED_DATA
        if self.their_state is h11.IDLE:
            self._check_head(self.trailing_data[0])
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("a body with Content-Length and Transfer-Encoding has two lengths")
        elif isinstance(event, h11.Data):
            self._events += 1
            self._count(event)
        elif self.their_state is h11.SEND_BODY and len(self.trailing_data[0]) > LONGEST_TRAILER:
            raise h11.RemoteProtocolError("the trailer of a body is too long")
        return event

    def _check_head(self, received: bytes) -> None:
        end = _END_OF_HEAD.search(received)
        length = len(received) if end is None else end.start()
        if length > LONGEST_HEAD or received.count(b"\n", 0, length) > MOST_HEADERS:
            self.refusal = _LARGE_HEAD
            raise h11.RemoteProtocolError("too many headers")

    def _count(self, piece: h11.Data) -> None:
        """Count the chunks of a body, before and after it is answered."""
        self._chunks += piece.chunk_start
        self._bytes += len(piece.data)
        answered = self.our_state is h11.DONE
        if self._chunks <= (SMALL_CHUNKS_OF_REST if answered else SMALL_CHUNKS) + self._bytes // 256:
            return
        if answered:
            self.is_unread = True
        else:
            self.refusal = _SMALL_CHUNKS
            raise h11.RemoteProtocolError("too many small chunks")


class HttpConnection(H11Protocol):
    """One connection: uvicorn's, with an eye on the clock.

    Args:
        connections: all connections of the server.
        more: what uvicorn gives its protocols.
    """

    def __init__(self, connections: OpenConnections, **more: Any) -> None:
        super().__init__(**more)
        self.conn: _Requests = _Requests()
        self._open = connections
        self._is_known = False
        self.state = State.HEAD
        self._heard = self.loop.time()
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """There is a new connection."""
        super().connection_made(transport)
        transport.max_size = READ_AT_ONCE  # type: ignore[attr-defined]
        if not self._open.make_room():
            self.refuse(503, "The server has too many connections; try again later.")
            return
        self._enter(State.HEAD, self._open.deadlines.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is no more."""
        self._set_deadline(None)
        self.resume_writing()
        self._open.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The client has said something."""
        if not self.conn.is_unread:
            super().data_received(data)

    def handle_events(self) -> None:
        """Parse what has come: at once for a user who has logged in on this connection, others in their turn."""
        if not self.conn.trailing_data[0]:
            return
        if self._is_known:
            self.take_turn()
        else:
            self.transport.pause_reading()
            self._open.wait_for_turn(self)

    def take_turn(self) -> None:
        """Parse some of what has come."""
        if self.transport.is_closing():
            return
        self.conn.begin_turn()
        super().handle_events()
        if self.transport.is_closing():
            return
        self._look()
        if self.conn.has_more:
            self._open.wait_for_turn(self)
        elif not self.flow.read_paused:
            self.transport.resume_reading()

    def _look(self) -> None:
        """See what the connection is at now."""
        deadlines = self._open.deadlines
        if self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.more_body:
                self._enter(State.BODY, deadlines.body)
            else:
                self._enter(State.BUSY, None)
        elif self.conn.their_state is h11.SEND_BODY:
            if self.state is not State.REST:
                self._enter(State.REST, REST_SECONDS)
        elif self.state is not State.HEAD:
            self._enter(State.HEAD, deadlines.head)

    def on_response_complete(self) -> None:
        """An answer is written."""
        self._is_known = "user" in self.cycle.scope["state"]
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.SEND_BODY or not self.cycle.response_complete:
            self._look()
        else:
            self._enter(State.IDLE, None)

    def _enter(self, state: State, seconds: float | None) -> None:
        self.state = state
        self._heard = self.loop.time()
        self._open.enter(self, state)
        self._set_deadline(seconds)

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        if self.state is State.BODY and self.flow.read_paused:  # it is us who do not listen
            self._set_deadline(self._open.deadlines.body)
            return
        log.warning("closed a connection that owed %s for too long", self.state.value)
        self.give_up()

    def silent_for(self) -> float:
        """Seconds since the client was heard, or an answer was written to it."""
        return self.loop.time() - self._heard

    def give_up(self) -> None:
        """Close the connection; where a request has begun, with a word about it."""
        if self.state is State.REST:
            self.transport.abort()
        elif self.state is State.IDLE:
            self.transport.close()
        else:
            self.refuse(408, f"The server has waited too long for {self.state.value}.")

    def refuse(self, status: int, sentence: str) -> None:
        """Answer with the contract's body, if nothing has been answered yet, and close the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = ErrorBody(type="RestException", message=sentence).model_dump_json(by_alias=True).encode()
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for event in (
                h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status]),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:  # whoever still makes an answer need not
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What was read is no request."""
        self.refuse(*self.conn.refusal)

    def pause_writing(self) -> None:
        """The client does not take its answer as fast as it comes."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self._open.deadlines.answer, self._left_lying)

    def resume_writing(self) -> None:
        """The client has taken what was written."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _left_lying(self) -> None:
        log.warning("closed a connection that did not take %s for too long", State.BUSY.value)
        self.transport.abort()
