"""Which engine the console is connected to, as far as that is known before it has answered, and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ConnectionIdentity:
    """Which engine this is, in the words of line 1."""

    environment: str
    """A word in capitals: ``DEMO``, ``PROD``."""
    url: str = ""
    """Where it answers; empty for the engine in this process."""
    user: str = ""
    engine: str = ""
    """Its name, known once it has answered."""
    kind: str = ""
    """Kind and version, known once it has answered."""
    profile: str = ""
    """The connection profile that named it, if one did."""
    readonly: bool = False
    """Nothing may be changed through this connection."""
    name: str = ""
    """What it is called wherever it is remembered: the profile, the address without a password, or the store's path."""
    words: tuple[str, ...] = ()
    """What else was typed about how it is reached, for a command that does the same."""
    warning: str = ""
    """One sentence about how it is reached that the operator should know; empty if there is none."""

    snapshot_of: str = ""
    """Which engine it is a snapshot of, and when that was taken; empty if it is none."""
    stands_at: datetime | None = None
    """The moment at which its time stands, of a snapshot that is looked at."""

    @property
    def stays(self) -> bool:
        """The engine is there for another process, also after this console was left."""
        return bool(self.url) or (self.name != "demo" and not self.snapshot_of)

    @property
    def about_snapshot(self) -> str:
        """One sentence about a snapshot; empty where the engine is none."""
        if not self.snapshot_of:
            return ""
        if self.stands_at is not None:
            return (
                f"A snapshot of {self.snapshot_of}: ages and locks are as of then, and nothing can be changed. "
                "`retriage --rehearse FILE` tries a run on a copy."
            )
        return (
            f"A rehearsal on a copy of a snapshot of {self.snapshot_of}: all its times are moved to now, and simulated "
            "workers take what is retried."
        )

    def said_of_none(self, sentence: str) -> str:
        """What is said where a thing has no details, variables or the like: of a snapshot that it may have had some.

        Args:
            sentence: what is said of an engine.
        """
        if not self.snapshot_of:
            return sentence
        return (
            "It has none in this snapshot: `retriage snapshot` writes some details, and the variables that are named."
        )

    @property
    def called(self) -> str:
        """What people call it: the profile, or the engine's own name; ``default`` is nobody's name."""
        if self.snapshot_of:
            return f"of {self.snapshot_of}"
        host = self.url.partition("://")[2].partition("/")[0]
        named = self.engine if self.engine != "default" else ""
        return self.profile or named or host or self.engine or self.environment
