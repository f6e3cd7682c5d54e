"""Which engine the console talks to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from retriage.console.engine.address import parse_address
from retriage.console.engine.credentials import Credentials, Source

REST_ROOT = "/engine-rest"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts of an engine on this machine."""
EMBEDDED_URL = f"http://embedded{REST_ROOT}"


class Pace(Protocol):
    """How fast the batches of the demo go, and its workers with them, in times of the usual pace."""

    @property
    def factor(self) -> float:
        """What the usual pace is multiplied by."""
        ...

    def faster(self) -> float:
        """Double it, within bounds; answers the factor."""
        ...

    def slower(self) -> float:
        """Halve it, within bounds; answers the factor."""
        ...


@dataclass
class DemoHandle:
    """What can be seen and turned of a demo from outside the contract, since no engine has it.

    Attributes:
        written: external tasks of the world that are written so far, of ``Demo.tasks``.
        sorting: the index that is sorted now, from 1, and of how many: when all tasks are written. None before.
        pace: of its batches; none before the engine is open, and none at full speed.
    """

    written: int = 0
    sorting: tuple[int, int] | None = None
    pace: Pace | None = None

    def wrote(self, tasks: int) -> None:
        """So many tasks are written."""
        self.written = tasks

    def indexed(self, made: int, of: int) -> None:
        """All tasks are written, and so many of their indexes are sorted."""
        self.sorting = made + 1, of


@dataclass(frozen=True)
class Demo:
    """A made-up world.

    Attributes:
        tasks: how many external tasks.
        seed: which world.
        workers: simulated workers live in it.
        jobs_per_second: pace of each batch; full speed if none is given.
        outage: seconds until the world's payment provider is back; by the seed if none are given.
        open_early: be open as soon as the first tasks are written; the others follow.
        handle: is told how far the world is written, and gets the pace when the engine is open.
    """

    tasks: int
    seed: int = 1
    workers: bool = True
    jobs_per_second: float | None = None
    outage: float | None = None
    open_early: bool = False
    handle: DemoHandle = field(default_factory=DemoHandle, compare=False)

    @property
    def filling(self) -> bool:
        """Tasks are still being written."""
        return self.handle.written < self.tasks


WATCHABLE = 60.0
"""Jobs per second of a batch that one can watch: 2,600 tasks take three quarters of a minute."""


@dataclass(frozen=True)
class Embedded:
    """The engine in this process.

    Attributes:
        store: path of a file or an SQLAlchemy URL; ``None`` is a throw-away store.
        demo: the world that an empty store is filled with.
        rehearse: the store is a snapshot that is rehearsed, not only looked at.
        failure_rate: share of attempts that fail in the rehearsal, 0 to 1; none takes what was observed.
    """

    store: str | None = None
    demo: Demo | None = None
    rehearse: bool = False
    failure_rate: float | None = None


@dataclass(frozen=True)
class Remote:
    """An engine on the network.

    Attributes:
        url: root of the REST contract, ``https://host/engine-rest`` or ``…/engine-rest/engine/name``. Without a path
            ``/engine-rest`` is meant. A user and password inside the URL are taken out of it.
        user: user for HTTP Basic.
        password: its password.
        token: bearer token, instead of user and password.
        headers: sent with every request.
        credentials: headers that log in, as they were got before; they take the place of the same ones of ``headers``.
        renew: gets other credentials when those are refused or at their end, and the first ones where there are none.
        ca: file (PEM) of the certificate authority that signed the engine's certificate.
        insecure: do not check certificates.
        client_cert: file (PEM) of the certificate that this machine shows, with its key unless that is in another.
        client_key: file (PEM) of its key.
        client_key_password: of that key.
        proxy: address of a proxy, ``direct`` for none whatever the environment says; else as the environment says.
        proxy_login: user and password for the proxy.
        connect_timeout: seconds for a connection; the usual ones where none are given, so for the other two.
        read_timeout: seconds for the next piece of an answer.
        launch_timeout: seconds for the answer to an order.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: Credentials | None = field(default=None, repr=False, compare=False)
    renew: Source | None = field(default=None, repr=False, compare=False)
    ca: Path | None = None
    insecure: bool = False
    client_cert: Path | None = None
    client_key: Path | None = None
    client_key_password: str | None = field(default=None, repr=False)
    proxy: str = ""
    proxy_login: tuple[str, str] | None = field(default=None, repr=False)
    connect_timeout: float | None = None
    read_timeout: float | None = None
    launch_timeout: float | None = None

    def __repr__(self) -> str:
        return f"Remote(url={self.root()!r}, user={self.login()[0]!r})"

    def root(self) -> str:
        """The URL that requests begin with: no credentials, no query, no slash at the end.

        Raises:
            ValueError: this is no http(s) address; the sentence says so.
        """
        url = parse_address(self.url)
        host = f"[{url.host}]" if ":" in url.host else url.host
        port = "" if url.port is None else f":{url.port}"
        return f"{url.scheme}://{host}{port}{url.path.rstrip('/') or REST_ROOT}"

    def host(self) -> str:
        """The host alone."""
        return parse_address(self.url).host

    @property
    def warning(self) -> str:
        """One sentence where a secret would go over a network that anybody on the way can read; empty otherwise."""
        if not self.root().startswith("http:") or self.host() in LOOPBACK:
            return ""
        secret = bool(self.token or self.credentials or self.renew)
        if self.login()[0] is None and not secret:
            return ""
        what = "token" if secret else "password"
        return f"The {what} goes to {self.host()} over plain http: anybody on the way can read it. Use https."

    def login(self) -> tuple[str | None, str]:
        """User and password for HTTP Basic; the user is ``None`` when there is none."""
        url = parse_address(self.url)
        return self.user or url.username or None, self.password or url.password


Target = Embedded | Remote
