"""The store without a screen: served over a socket, or filled with a demo world."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence

import uvicorn
from fastapi import FastAPI

from store.api.app import ROOT
from store.api.parking import close_parking
from store.database import StoreNotOpened, open_database
from store.embedded import embedded_app

KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle before it is closed: longer than clients pause between two polls."""


class ServerProblem(Exception):
    """What stands in the way, in one sentence for the person at the keyboard."""


def serve(
    store: str,
    host: str,
    port: int,
    *,
    demo_tasks: int = 0,
    demo_seed: int = 1,
    workers: bool = False,
    strict: bool | None = None,
    users: Sequence[str] = (),
) -> None:
    """Serve a store until the process is told to end (SIGINT, SIGTERM), then end in good order.

    Args:
        store: path of an SQLite file, or an SQLAlchemy URL.
        host: address to listen at.
        port: port to listen at, 0 for a free one.
        demo_tasks: fill an empty store with a demo world of so many external tasks.
        demo_seed: the world's seed.
        workers: let simulated workers fetch, complete and fail tasks.
        strict: refuse unknown task ids in ``retries-async``.
        users: who may ask, each as NAME:PASSWORD; none lets everybody in.

    Raises:
        ServerProblem: a user is none, the store cannot be opened, or the address not be listened at.
    """
    known = read_users(users)
    asyncio.run(_try_to_open(store))
    app = embedded_app(store, demo_tasks=demo_tasks, demo_seed=demo_seed, workers=workers, strict=strict, users=known)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        raise ServerProblem(f"cannot listen at {host}:{port}: {error}") from error
    # asyncio sets this only on sockets that name their protocol; without it each answer waits for a delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listening:
        server = _Server(config, f"http://{host}:{listening.getsockname()[1]}{ROOT}")
        server.run(sockets=[listening])
    if not server.started:
        raise ServerProblem(f"the store {store} could not be opened; the reason stands above")


def read_users(given: Sequence[str]) -> dict[str, str]:
    """Passwords by name.

    Args:
        given: users as NAME:PASSWORD. The password may hold colons, the name not.

    Raises:
        ServerProblem: one of them is no such pair. The text does not repeat it: it may be a password.
    """
    users = {}
    for number, user in enumerate(given, 1):
        name, colon, password = user.partition(":")
        if not (name and colon and password):
            raise ServerProblem(f"user {number} is not given as NAME:PASSWORD, both not empty")
        users[name] = password
    return users


async def _try_to_open(store: str) -> None:
    """Open the store and close it again, for a sentence where the server would print a traceback."""
    try:
        await (await open_database(store)).close()
    except StoreNotOpened as error:
        raise ServerProblem(str(error)) from error


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the store, then listen."""
        await super().startup(sockets)
        if self.started:
            print(f"Serving {self._address}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer the parked fetches first: nobody should wait for them."""
        if isinstance(self.config.app, FastAPI):
            close_parking(self.config.app.state.store)
        await super().shutdown(sockets)


def fill(store: str, tasks: int, seed: int, progress: Callable[[int], None], *, batches: bool = True) -> float:
    """Fill an empty store with a demo world.

    Args:
        store: path of an SQLite file, or an SQLAlchemy URL.
        tasks: how many external tasks.
        seed: the same seed makes the same world.
        progress: told how many tasks are written.
        batches: add the batches of other operators.

    Returns:
        Seconds that it took.

    Raises:
        ServerProblem: the store is not empty, or is none.
    """

    async def run() -> None:
        from store.demo import build_world

        database = await open_database(store)
        try:
            await build_world(database, tasks, seed, progress=progress, batches=batches)
        finally:
            await database.close()

    start = time.perf_counter()
    try:
        asyncio.run(run())
    except ValueError as error:
        raise ServerProblem(str(error)) from error
    return time.perf_counter() - start
