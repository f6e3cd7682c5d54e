"""What was typed on the command line, as an engine to open and the words that name it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.engine.target import WATCHABLE, Demo, Embedded, Remote
from console.profiles import profile_named
from console.session.session import ConnectionIdentity

if TYPE_CHECKING:
    from console.engine.target import Target

UNKNOWN = "PROD?"
"""The word of an address that nobody named an environment for: it is treated as production."""
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts of an engine on this machine, which is taken for a developer's own."""


@dataclass(frozen=True)
class Connection:
    """An engine to open.

    Attributes:
        target: how it is reached.
        environment: its word in capitals.
        profile: the profile that named it; empty if none did.
        readonly: nothing may be changed through it.
    """

    target: Target
    environment: str
    profile: str = ""
    readonly: bool = False

    @property
    def url(self) -> str:
        """Its address without credentials; empty for an engine in this process."""
        return self.target.root() if isinstance(self.target, Remote) else ""

    @property
    def name(self) -> str:
        """The stable name under which the journal remembers it."""
        if isinstance(self.target, Embedded):
            return _without_password(self.target.store) if self.target.store else "demo"
        return self.profile or self.url

    @property
    def thrown_away(self) -> bool:
        """The engine is gone with the console, and so is what is remembered about it."""
        return isinstance(self.target, Embedded) and self.target.store is None

    def identity(self) -> ConnectionIdentity:
        """The first line of the screen, before the engine has answered."""
        login = self.target.login()[0] if isinstance(self.target, Remote) else None
        return ConnectionIdentity(
            environment=self.environment,
            url=self.url,
            user=login or os.environ.get("USER", ""),
            profile=self.profile,
            readonly=self.readonly,
            name=self.name,
        )


def to_profile(name: str, file: Path) -> Connection:
    """The engine of a profile.

    Raises:
        ValueError: the profile cannot be used; the text is one sentence.
    """
    profile = profile_named(name, file)
    return Connection(profile.target, profile.environment or UNKNOWN, profile.name, profile.readonly)


def to_address(
    url: str, user: str | None, ca: Path | None, insecure: bool, environment: str | None, readonly: bool
) -> Connection:
    """An engine on the network; its password or token is taken from the environment.

    Raises:
        ValueError: this is no address; the text is one sentence.
    """
    password, token = os.environ.get("RETRIAGE_PASSWORD"), os.environ.get("RETRIAGE_TOKEN")
    target = Remote(url, user=user, password=password, token=token, ca=ca, insecure=insecure)
    target.root()
    word = environment or ("LOCAL" if target.host() in HERE else UNKNOWN)
    return Connection(target, word.upper(), readonly=readonly)


def to_store(store: str, environment: str | None, readonly: bool) -> Connection:
    """The embedded engine on a store; a path is made absolute, so that it is remembered as one wherever we are."""
    place = store if "://" in store else str(Path(store).expanduser().resolve())
    return Connection(Embedded(store=place), (environment or "LOCAL").upper(), readonly=readonly)


def to_demo(tasks: int, seed: int, full_speed: bool = False, outage: float | None = None) -> Connection:
    """A world that is thrown away, with batches that one can watch, or as fast as they go.

    Args:
        tasks: how many external tasks.
        seed: which world.
        full_speed: do not hold its batches up.
        outage: seconds until its outage ends; by the seed if none are given.
    """
    pace = None if full_speed else WATCHABLE
    demo = Demo(tasks=tasks, seed=seed, jobs_per_second=pace, outage=outage, open_early=True)
    return Connection(Embedded(demo=demo), "DEMO")


def _without_password(store: str) -> str:
    """The store as it may be written down."""
    scheme, mark, rest = store.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if mark else store
