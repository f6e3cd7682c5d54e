"""Whether the caller of a request still waits for its answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

T = TypeVar("T")

LISTEN_AFTER = 0.2
"""Seconds before it is worth listening: most questions are answered by then."""


async def hung_up(request: Request) -> None:
    """Returns when the caller has hung up. The body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def while_called(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do work for a caller; it is cancelled when the caller hangs up.

    Raises:
        ClientDisconnect: nobody waits for the answer any more.
    """
    task = asyncio.create_task(work)
    gone: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({task}, timeout=LISTEN_AFTER)
        if not task.done():
            gone = asyncio.create_task(hung_up(request))
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
    finally:
        if gone is not None:
            gone.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    raise ClientDisconnect
