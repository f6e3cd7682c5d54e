"""TLS handshakes: a connection costs little before its client has said how it wants to encrypt."""

import asyncio
import logging
import ssl
from asyncio import sslproto
from collections.abc import Callable
from typing import Any

from retriage.store.server.connections import READ_AT_ONCE, HttpConnection, OpenConnections, State

log = logging.getLogger(__name__)

MOST_HANDSHAKES = 256
"""Handshakes that may go on at the same time, some 100 kB each."""

_HEADER = 5
_HANDSHAKE = 0x16
"""Type of the record that a client begins with (RFC 8446, 5.1)."""


def shrink_buffers() -> None:
    """Let each encrypted connection of this process have a buffer of one record; asyncio takes 256 KiB for each."""
    sslproto.SSLProtocol.max_size = READ_AT_ONCE


class Handshake(asyncio.Protocol):
    """A connection before it is encrypted; TLS begins when the client's first record has come.

    Args:
        context: how it is encrypted.
        connections: all connections of the server.
        shut_down: those that uvicorn shuts down with the server.
        http: makes the protocol of the encrypted connection.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        connections: OpenConnections,
        shut_down: set[Any],
        http: Callable[[], HttpConnection],
    ) -> None:
        self.state = State.HELLO
        self._context = context
        self._open = connections
        self._shut_down = shut_down
        self._http = http
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._received = bytearray()
        self._transport: Any = None
        self._deadline: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a new connection."""
        self._transport = transport
        self._transport.max_size = READ_AT_ONCE
        if not self._open.make_room():
            self._transport.abort()
            return
        self._shut_down.add(self)
        self._open.enter(self, State.HELLO)
        self._deadline = self._loop.call_later(self._open.deadlines.head, self._too_late)

    def data_received(self, data: bytes) -> None:
        """A piece of the first record; or what comes encrypted before the handshake is seen to be over."""
        self._received += data
        if self.state is not State.HELLO:
            return
        if self._received[0] != _HANDSHAKE:
            self.give_up()
        elif len(self._received) >= _HEADER + int.from_bytes(self._received[3:_HEADER], "big"):
            self._transport.pause_reading()
            self._open.wait_for_turn(self)

    def take_turn(self) -> None:
        """Begin with TLS."""
        if self._transport.is_closing():
            return
        self._open.keep_few(State.HANDSHAKE, MOST_HANDSHAKES)
        self.state = State.HANDSHAKE
        self._open.enter(self, State.HANDSHAKE)
        self._task = self._loop.create_task(self._encrypt(), name="TLS handshake")

    async def _encrypt(self) -> None:
        hello, self._received = bytes(self._received), bytearray()
        limit = self._open.deadlines.head
        starting = self._loop.create_task(
            self._loop.start_tls(self._transport, self, self._context, server_side=True, ssl_handshake_timeout=limit)
        )
        # The task puts TLS on the transport, and has it told so, before anything more is read from there.
        await asyncio.sleep(0)
        self._loop.call_soon(_hand_over, self._transport.get_protocol(), hello)
        try:
            encrypted = await starting
        except (OSError, EOFError) as problem:
            log.debug("a TLS handshake failed: %s", problem)
            return
        finally:
            self._end()
        if encrypted is None or encrypted.is_closing():
            return
        http = self._http()
        encrypted.set_protocol(http)
        http.connection_made(encrypted)
        if self._received:
            http.data_received(bytes(self._received))

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is no more."""
        self._end()

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._shut_down.discard(self)
        self._open.leave(self)

    def _too_late(self) -> None:
        log.warning("closed a connection that owed %s for too long", self.state.value)
        self.give_up()

    def silent_for(self) -> float:
        """Seconds since it was made."""
        return self._loop.time() - self._since

    def give_up(self) -> None:
        """Close the connection."""
        self._transport.abort()

    def shutdown(self) -> None:
        """Close the connection when the server ends."""
        self.give_up()


def _hand_over(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    """Give to TLS what was read before it began."""
    if isinstance(protocol, asyncio.BufferedProtocol):
        while data:
            buffer = memoryview(protocol.get_buffer(len(data)))
            taken = min(len(buffer), len(data))
            buffer[:taken] = data[:taken]
            protocol.buffer_updated(taken)
            data = data[taken:]
