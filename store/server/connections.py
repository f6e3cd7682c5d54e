"""Connections: how many there may be, how long one may keep the server waiting, and what is no request at all.

What uvicorn leaves open: it waits for the head of a request as long as it takes, counts requests where connections use
up the descriptors, takes the rest of a body that was refused whatever its length, and reads a message that has both a
``Content-Length`` and a ``Transfer-Encoding``, which proxies and servers understand differently (RFC 9112, 6.3).
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from store.contract.errors import ErrorBody
from store.settings import StoreSettings

log = logging.getLogger(__name__)

LONGEST_HEAD = 65_536
"""Bytes of a request's line and headers together."""

STOPPED_SECONDS = 1.0
"""How long nothing has come of a body that has stopped coming."""

REST_SECONDS = 10.0
"""How long the rest of a body that nobody wants is taken, so that its sender comes to read the refusal: a slow one
sends 100 MB meanwhile."""


class State(Enum):
    """What a connection is at."""

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


class OpenConnections:
    """The connections of a server, by what they are at, those that were heard longest ago first."""

    def __init__(self, limit: int, deadlines: Deadlines) -> None:
        self.limit = limit
        self.deadlines = deadlines
        self._by_state: dict[State, dict[HttpConnection, None]] = {state: {} for state in State}

    def __len__(self) -> int:
        return sum(map(len, self._by_state.values()))

    def enter(self, connection: "HttpConnection", state: State) -> None:
        """A connection is at this now; it was heard just now."""
        self.leave(connection)
        self._by_state[state][connection] = None

    def leave(self, connection: "HttpConnection") -> None:
        """A connection is no more."""
        for connections in self._by_state.values():
            connections.pop(connection, None)

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

    def _least_wanted(self) -> "HttpConnection | None":
        """Who is given up first: a body that has stopped coming before a client between two requests, and that before
        a body that comes."""
        oldest = {state: next(iter(connections)) for state, connections in self._by_state.items() if connections}
        body = oldest.get(State.BODY)
        stopped = body if body is not None and body.silent_for() > STOPPED_SECONDS else None
        order = (oldest.get(State.HEAD), oldest.get(State.REST), stopped, oldest.get(State.IDLE), body)
        return next((connection for connection in order if connection is not None), None)


class _Requests(h11.Connection):
    """Reads messages, and none with two lengths."""

    def next_event(self) -> Any:
        """The next event, see h11.

        Raises:
            h11.RemoteProtocolError: the message is none.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("a body with Content-Length and Transfer-Encoding has two lengths")
        return event


class HttpConnection(H11Protocol):
    """One connection: uvicorn's, with an eye on the clock.

    Args:
        connections: all connections of the server.
        more: what uvicorn gives its protocols.
    """

    def __init__(self, connections: OpenConnections, **more: Any) -> None:
        super().__init__(**more)
        self.conn = _Requests(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self._open = connections
        self.state = State.HEAD
        self._heard = self.loop.time()
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """There is a new connection."""
        super().connection_made(transport)
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
        super().data_received(data)
        if not self.transport.is_closing():
            self._look()

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
        self.refuse(400, "This HTTP request cannot be understood.")

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


def connections_of(settings: StoreSettings, limit: int) -> Callable[..., HttpConnection]:
    """How a server makes its connections.

    Args:
        settings: how long they may keep it waiting.
        limit: how many there may be.
    """
    connections = OpenConnections(limit, Deadlines.of(settings))
    return lambda **more: HttpConnection(connections, **more)
