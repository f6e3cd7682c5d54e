"""Bodies of requests, read with bounds: of one body, and of all that are being read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from weakref import WeakKeyDictionary

from fastapi import Request

from retriage.store.api.state import Store
from retriage.store.contract.errors import ContractError

SMALL = 65_536
"""Bytes of a body that count for nothing: small ones are read however many large ones there are."""


class _Budget:
    """Bytes that may be in memory of the large bodies of one store."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.turn = asyncio.Lock()

    def take(self, size: int) -> None:
        """Take so many bytes of it.

        Raises:
            ContractError: 503, there are not so many left.
        """
        if size > self.left:
            raise ContractError(503, "RestException", "Too many large requests are being read; try again later.")
        self.left -= size


_budgets: WeakKeyDictionary[Store, _Budget] = WeakKeyDictionary()


@asynccontextmanager
async def read_body(request: Request) -> AsyncIterator[bytearray]:
    """Read the body of a request; it counts among those that are in memory as long as the block lasts.

    Large ones come into the block one after the other: there they are parsed.

    Raises:
        ContractError: 413, it is larger than one may be; 503, too many large ones are being read.
    """
    store: Store = request.app.state.store
    budget = _budgets.setdefault(store, _Budget(store.settings.max_bodies_bytes))
    taken = 0
    body = bytearray()
    try:
        async with aclosing(bounded(request, store.settings.max_body_bytes)) as pieces:
            async for piece in pieces:
                body += piece
                if (more := len(body) - SMALL - taken) > 0:
                    budget.take(more)
                    taken += more
        if taken:
            async with budget.turn:
                yield body
        else:
            yield body
    finally:
        budget.left += taken


async def bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The pieces of a body that is not too large.

    Args:
        request: the request; its body has not been read.
        most: bytes that it may have.

    Raises:
        ContractError: 413, it has or announces more.
    """
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 20 else 0
    if size <= most:
        size = 0
        async with aclosing(request.stream()) as pieces:
            async for piece in pieces:
                size += len(piece)
                if size > most:
                    break
                yield piece
    if size > most:
        raise ContractError(413, "RestException", f"A body may have {most} bytes, and this one has more.")
