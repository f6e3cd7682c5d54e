"""The engine under test: a client, and the few things that tests may know of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx

Kind = Literal["asgi", "socket", "postgresql", "camunda", "operaton", "camunda721"]


@dataclass(frozen=True)
class Engine:
    """An engine behind its REST root. ``http`` has that root as its base URL."""

    kind: Kind
    http: httpx.AsyncClient

    @property
    def is_reference(self) -> bool:
        """A real engine. Only for the documented differences; each use says which."""
        return self.kind in ("camunda", "operaton", "camunda721")

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON answer of a GET that must succeed. Python values become query strings: True is ``true``."""
        response = await self.http.get(path, params=in_query(params))
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any = None, **params: Any) -> Any:
        """The JSON answer of a POST that must succeed."""
        response = await self.http.post(path, json={} if body is None else body, params=in_query(params))
        assert response.status_code == 200, response.text
        return response.json()

    async def order(self, method: str, path: str, body: Any = None, **params: Any) -> None:
        """A request that must be answered with 204 and nothing else."""
        response = await self.http.request(method, path, json=body, params=in_query(params))
        assert (response.status_code, response.content) == (204, b""), response.text


def in_query(params: dict[str, Any]) -> dict[str, str]:
    """Query parameters in the contract's notation: booleans in lower case, lists joined by commas."""
    return {name: _word(value) for name, value in params.items()}


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value)
    return str(value)


@asynccontextmanager
async def client(
    root: str, transport: httpx.AsyncBaseTransport | None = None, auth: tuple[str, str] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the engine at ``root``. Waits up to a minute for an answer: the machine may be busy."""
    async with httpx.AsyncClient(
        base_url=root, transport=transport, auth=auth, timeout=60.0, trust_env=False, verify=False
    ) as http:
        yield http


@asynccontextmanager
async def alive(lifespan: AbstractAsyncContextManager[Any]) -> AsyncIterator[None]:
    """Hold an application's lifespan open in a task of its own, as a server does.

    Fixtures begin and end in different tasks; a task group inside the lifespan must not.
    """
    up, down = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with lifespan:
            up.set()
            await down.wait()

    holder = asyncio.create_task(hold())
    ready = asyncio.create_task(up.wait())
    await asyncio.wait({holder, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not up.is_set():
        ready.cancel()
        await holder
        raise RuntimeError("the application ended while it started")
    try:
        yield
    finally:
        down.set()
        await holder
