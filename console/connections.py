"""What was typed on the command line, as an engine to open and the words that name it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.engine.target import LOOPBACK, WATCHABLE, Demo, Embedded, Remote
from console.profiles import profile_named, remote_of
from console.session.session import ConnectionIdentity

if TYPE_CHECKING:
    from console.engine.target import Target

UNKNOWN = "PROD?"
"""The word of an address that nobody named an environment for: it is treated as production."""


@dataclass(frozen=True)
class Connection:
    """An engine to open.

    Attributes:
        target: how it is reached.
        environment: its word in capitals.
        profile: the profile that named it; empty if none did.
        readonly: nothing may be changed through it.
        words: what else was typed about how it is reached, as a command line has it.
    """

    target: Target
    environment: str
    profile: str = ""
    readonly: bool = False
    words: tuple[str, ...] = ()

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
    def demo(self) -> Demo | None:
        """The made-up world that the engine is filled with, if it is."""
        return self.target.demo if isinstance(self.target, Embedded) else None

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
            words=self.words,
            warning=self.target.warning if isinstance(self.target, Remote) else "",
        )


def to_profile(name: str, file: Path, options: Mapping[str, Any] | None = None) -> Connection:
    """The engine of a profile.

    Args:
        name: of the profile.
        file: with the profiles.
        options: keys that take the place of the profile's own.

    Raises:
        ValueError: the profile cannot be used; the text is one sentence.
    """
    profile = profile_named(name, file, options=options)
    return Connection(profile.target, profile.environment or UNKNOWN, profile.name, profile.readonly)


def to_address(
    url: str,
    user: str | None,
    ca: Path | None,
    insecure: bool,
    environment: str | None,
    readonly: bool,
    options: Mapping[str, Any] | None = None,
) -> Connection:
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
        target = replace(target, password=password, token=token)
    word = environment or told.get("environment") or ("LOCAL" if target.host() in LOOPBACK else UNKNOWN)
    return Connection(target, word.upper(), readonly=readonly or told.get("readonly", False))


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
