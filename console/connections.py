"""What was typed on the command line, as an engine to open and the words that name it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retriage.console.engine.target import LOOPBACK, WATCHABLE, Demo, Embedded, Remote
from retriage.console.profile_keys import fits_header
from retriage.console.profiles import profile_named, remote_of
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.store.snapshot_mark import SnapshotMark, is_snapshot, read_mark
from retriage.store.store_name import name_of

if TYPE_CHECKING:
    from retriage.console.engine.target import Target

REHEARSAL = "REHEARSAL"
"""The word of a copy of a snapshot on which a run is tried."""
SNAPSHOT = "SNAPSHOT"
"""The word of a snapshot that is looked at."""
UNKNOWN = "PROD?"
"""The word of an address that nobody named an environment for: it is treated as production."""


@dataclass(frozen=True)
class NamedEngine:
    """An engine to open.

    Attributes:
        target: how it is reached.
        environment: its word in capitals.
        profile: the profile that named it; empty if none did.
        readonly: nothing may be changed through it.
        words: what else was typed about how it is reached, as a command line has it.
        snapshot: what the snapshot says about itself, if the engine is one.
    """

    target: Target
    environment: str
    profile: str = ""
    readonly: bool = False
    words: tuple[str, ...] = ()
    snapshot: SnapshotMark | None = None

    @property
    def url(self) -> str:
        """Its address without credentials; empty for an engine in this process."""
        return self.target.root() if isinstance(self.target, Remote) else ""

    @property
    def name(self) -> str:
        """The stable name under which the journal remembers it."""
        if isinstance(self.target, Embedded):
            return name_of(self.target.store) if self.target.store else "demo"
        return self.profile or self.url

    @property
    def demo(self) -> Demo | None:
        """The made-up world that the engine is filled with, if it is."""
        return self.target.demo if isinstance(self.target, Embedded) else None

    @property
    def thrown_away(self) -> bool:
        """The engine is gone with the console, and so is what is remembered about it."""
        return isinstance(self.target, Embedded) and (self.target.store is None or self.snapshot is not None)

    @property
    def rehearsed(self) -> bool:
        """It is a snapshot that is rehearsed."""
        return isinstance(self.target, Embedded) and self.target.rehearse

    def identity(self) -> ConnectionIdentity:
        """The first line of the screen, before the engine has answered."""
        login = self.target.login()[0] if isinstance(self.target, Remote) else None
        mark = self.snapshot
        return ConnectionIdentity(
            environment=self.environment,
            url=self.url,
            user=login or os.environ.get("USER", ""),
            profile=self.profile,
            readonly=self.readonly,
            name=self.name,
            words=self.words,
            warning=self.target.warning if isinstance(self.target, Remote) else "",
            kind=mark.kind if mark is not None else "",
            snapshot_of=f"{_short(mark.engine)}, taken {mark.taken_at:%Y-%m-%d %H:%M}Z" if mark is not None else "",
            stands_at=mark.taken_at if mark is not None and not self.rehearsed else None,
        )


def to_profile(name: str, file: Path, options: Mapping[str, Any] | None = None) -> NamedEngine:
    """The engine of a profile.

    Args:
        name: of the profile.
        file: with the profiles.
        options: keys that take the place of the profile's own.

    Raises:
        ValueError: the profile cannot be used; the text is one sentence.
    """
    profile = profile_named(name, file, options=options)
    return NamedEngine(profile.target, profile.environment or UNKNOWN, profile.name, profile.readonly)


def to_address(
    url: str,
    user: str | None,
    ca: Path | None,
    insecure: bool,
    environment: str | None,
    readonly: bool,
    options: Mapping[str, Any] | None = None,
) -> NamedEngine:
    """An engine on the network; its password or token is taken from the environment, unless the options say otherwise.

    Args:
        url: its address.
        user: for HTTP Basic.
        ca: of its certificate.
        insecure: its certificate is not checked.
        environment: its word.
        readonly: nothing may be changed.
        options: keys of a profile.

    Raises:
        ValueError: this is no address, or an option is wrong; the text is one sentence.
    """
    told: dict[str, Any] = {"url": url, **({"user": user} if user else {}), **({"verify": False} if insecure else {})}
    told |= {"ca": str(ca.absolute())} if ca is not None else {}
    told |= options or {}
    told["url"] = url
    target = remote_of("The option", told, Path.cwd())
    if not any(key.startswith(("password_", "token_", "oauth_")) for key in told):
        password, token = os.environ.get("RETRIAGE_PASSWORD"), os.environ.get("RETRIAGE_TOKEN")
        if token is not None and not fits_header(token):
            raise ValueError("RETRIAGE_TOKEN holds characters that no header may hold.")
        target = replace(target, password=password, token=token)
    word = environment or told.get("environment") or ("LOCAL" if target.host() in LOOPBACK else UNKNOWN)
    return NamedEngine(target, word.upper(), readonly=readonly or told.get("readonly", False))


def to_store(store: str, environment: str | None, readonly: bool) -> NamedEngine:
    """The embedded engine on a store; a path is made absolute, so that it is remembered as one wherever we are. A
    snapshot is only looked at.

    Raises:
        ValueError: it is the address of an engine, or a snapshot that cannot be opened; the text is one sentence.
    """
    if store.lower().startswith(("http:", "https:")):
        raise ValueError("--store names a file or a PostgreSQL database; an engine at an address is named by --engine.")
    place = store if "://" in store else str(Path(store).expanduser().resolve())
    if is_snapshot(place):
        return NamedEngine(Embedded(store=place), SNAPSHOT, readonly=True, snapshot=read_mark(place))
    return NamedEngine(Embedded(store=place), (environment or "LOCAL").upper(), readonly=readonly)


def to_rehearsal(file: Path, failure_rate: float | None) -> NamedEngine:
    """A copy of a snapshot, with simulated workers.

    Args:
        file: the snapshot.
        failure_rate: share of attempts that fail, 0 to 1; none takes what was observed.

    Raises:
        ValueError: it is no snapshot, or nobody says how often attempts fail; the text is one sentence.
    """
    place = file.expanduser().resolve()
    mark = read_mark(str(place))
    mark.failure_rates(failure_rate)
    target = Embedded(store=str(place), rehearse=True, failure_rate=failure_rate)
    return NamedEngine(target, REHEARSAL, snapshot=mark)


def to_demo(tasks: int, seed: int, full_speed: bool = False, outage: float | None = None) -> NamedEngine:
    """A world that is thrown away, with batches that one can watch, or as fast as they go.

    Args:
        tasks: how many external tasks.
        seed: which world.
        full_speed: do not hold its batches up.
        outage: seconds until its outage ends; by the seed if none are given.
    """
    pace = None if full_speed else WATCHABLE
    demo = Demo(tasks=tasks, seed=seed, jobs_per_second=pace, outage=outage, open_early=True)
    return NamedEngine(Embedded(demo=demo), "DEMO")


def _short(engine: str) -> str:
    """The name of an engine in a line: of a store the name of its file, of an address its host."""
    return engine.partition("://")[2].partition("/")[0] or engine.rpartition("/")[2] or engine
