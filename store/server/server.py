"""The store without a screen: served over a socket."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from retriage.store.api.app import ROOT
from retriage.store.api.hosts import AllowedHosts
from retriage.store.api.parking import close_parking
from retriage.store.api.users import User
from retriage.store.database.examine import SNAPSHOT
from retriage.store.embedded import embedded_app
from retriage.store.garbage import spare_what_is_loaded
from retriage.store.server.certificate import tls_context
from retriage.store.server.connections import Deadlines, HttpConnection, OpenConnections
from retriage.store.server.cut_off import CutOff
from retriage.store.server.descriptors import raise_limit
from retriage.store.server.handshakes import Handshake, shrink_buffers
from retriage.store.server.metrics import add_metrics
from retriage.store.server.problems import ServerProblem
from retriage.store.server.repeated_lines import RepeatedLines
from retriage.store.settings import StoreSettings
from retriage.store.snapshot_mark import is_snapshot

KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle before it is closed: longer than clients pause between two polls."""

BACKLOG = 512
"""Connections that wait to be taken."""

log = logging.getLogger(__name__)


def serve(
    store: str,
    host: str,
    port: int,
    *,
    demo_tasks: int = 0,
    demo_seed: int = 1,
    workers: bool = False,
    strict: bool | None = None,
    users: Sequence[User] = (),
    allow_anonymous: bool = False,
    allowed_hosts: Sequence[str] = (),
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve a store until the process is told to end (SIGINT, SIGTERM), then end in good order.

    Args:
        store: path of an SQLite file, or an SQLAlchemy URL.
        host: address to listen at, and a name by which the server may be called.
        port: port to listen at, 0 for a free one.
        demo_tasks: fill an empty store with a demo world of so many external tasks.
        demo_seed: the world's seed.
        workers: let simulated workers fetch, complete and fail tasks.
        strict: refuse unknown task ids in ``retries-async``.
        users: who may ask; none lets everybody in who reaches the address.
        allow_anonymous: let everybody in at an address that other machines reach.
        allowed_hosts: further names by which the server may be called, such as that of a proxy. Only where there are
            any, ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed, from this machine's own proxies.
        certificate: PEM file of a certificate, for TLS.
        key: PEM file of its key; none if the certificate's file holds it.

    Raises:
        ServerProblem: the address is open to other machines and there are no users, the certificate is none, the store
            cannot be opened, or the address not be listened at.
    """
    if key is not None and certificate is None:
        raise ServerProblem("a key without its certificate; give --certificate too")
    tls = None if certificate is None else tls_context(certificate, key)
    repeated = _log_to_stderr()
    if not _is_loopback(host):
        if not users and not allow_anonymous:
            raise ServerProblem(
                f"whoever reaches {host} could command this engine; "
                "name its users with --user-file, or let everybody in with --allow-anonymous"
            )
        if users and tls is None:
            log.warning("passwords travel unencrypted to %s; --certificate, or a proxy with TLS, hides them", host)
    if is_snapshot(store):
        raise ServerProblem(f"{store} is not served: {SNAPSHOT}")
    app = embedded_app(store, demo_tasks=demo_tasks, demo_seed=demo_seed, workers=workers, strict=strict, users=users)
    app.add_middleware(AllowedHosts, names=[] if _is_wildcard(host) else [host], proxied=allowed_hosts)
    app.add_middleware(CutOff)
    settings = StoreSettings()
    connections = OpenConnections(raise_limit(settings.max_connections), Deadlines.of(settings))
    add_metrics(app, lambda: len(connections))
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",  # the server enters it itself
        log_config=None,
        access_log=False,
        proxy_headers=bool(allowed_hosts),
        timeout_graceful_shutdown=10,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise ServerProblem(f"cannot listen on {host}:{port}: {error}") from error
    # asyncio sets this only on sockets that name their protocol; without it each answer waits for a delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listening:
        name = f"[{host}]" if family == socket.AF_INET6 else host
        scheme = "http" if tls is None else "https"
        server = _Server(config, f"{scheme}://{name}:{listening.getsockname()[1]}{ROOT}", connections, repeated)
        server.run(sockets=[listening])


def _log_to_stderr() -> RepeatedLines:
    """Write warnings to where the process complains; answers what counts those that repeat themselves."""
    repeated = RepeatedLines()
    handler = logging.StreamHandler()
    handler.addFilter(repeated)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    return repeated


def _is_wildcard(host: str) -> bool:
    """Whether an address stands for all addresses of the machine: nobody is called so."""
    try:
        return ipaddress.ip_address(host or "0.0.0.0").is_unspecified
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address, or all addresses of a name."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)
        return all(ipaddress.ip_address(str(place[0]).partition("%")[0]).is_loopback for *_, place in found)
    except (OSError, ValueError):
        return False


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(
        self, config: uvicorn.Config, address: str, connections: OpenConnections, repeated: RepeatedLines
    ) -> None:
        super().__init__(config)
        self._address = address
        self._open = connections
        self._repeated = repeated
        self._store = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the store, then listen. Unlike uvicorn's own, with TLS that begins when the client has, and with a
        sentence instead of a traceback where the store cannot be opened or filled.

        Raises:
            ServerProblem: it cannot.
        """
        app = self.config.app
        assert isinstance(app, FastAPI)
        try:
            await self._store.enter_async_context(app.router.lifespan_context(app))
        except ValueError as problem:
            raise ServerProblem(str(problem)) from problem
        if self.config.ssl:
            shrink_buffers()
        for listening in sockets or ():
            server = await asyncio.get_running_loop().create_server(self._connection, sock=listening, backlog=BACKLOG)
            self.servers = [server]
        self.started = True
        spare_what_is_loaded()
        print(f"Serving {self._address}", flush=True)

    def _connection(self) -> asyncio.Protocol:
        if self.config.ssl:
            return Handshake(self.config.ssl, self._open, self.server_state.connections, self._http)
        return self._http()

    def _http(self) -> HttpConnection:
        return HttpConnection(
            self._open, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def on_tick(self, counter: int) -> bool:
        """Once in a tenth of a second."""
        if counter % 10 == 0:
            self._repeated.tell()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer the parked fetches first: nobody should wait for them."""
        if isinstance(self.config.app, FastAPI):
            close_parking(self.config.app.state.store)
        await super().shutdown(sockets)
        if not self.force_exit:
            await self._store.aclose()
        self._repeated.tell(at_end=True)
