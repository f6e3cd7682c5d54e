"""Writing a snapshot of the engine while the screen goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from retriage.console.engine.errors import EngineProblem
from retriage.console.session.text_filter import NotAFilter
from retriage.console.snapshots.part import SnapshotPart
from retriage.console.snapshots.take import NothingMatches, take_snapshot
from retriage.console.text.inert import inert
from retriage.console.text.words import count, things

if TYPE_CHECKING:
    from retriage.console.session.session import Session

TOLD_EVERY = 2.0
"""Seconds between two sentences about how far it is."""


def proposed_file() -> Path:
    """A name for a snapshot, in the current folder."""
    return Path.cwd() / f"snapshot-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"


def told_of(part: SnapshotPart) -> str:
    """What would be written, in words."""
    which = (
        f"The external tasks that match {inert(part.query)} and what belongs to them"
        if part.query
        else ("All external tasks, process instances and incidents")
    )
    return (
        f"{which}, with errors, batches and the journal's runs; variables only by `retriage snapshot --variables`. "
        "`retriage --store FILE` opens it without the engine."
    )


class SnapshotFile:
    """One snapshot.

    Args:
        session: whose engine is asked.
        part: what was chosen.
        path: where it is written.
    """

    def __init__(self, session: Session, part: SnapshotPart, path: Path) -> None:
        self._session = session
        self._told = 0.0
        self._task = asyncio.create_task(self._write(part, path), name="snapshot")

    @property
    def running(self) -> bool:
        """It is being written."""
        return not self._task.done()

    async def stop(self) -> None:
        """Stop; nothing is left of the file."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _write(self, part: SnapshotPart, path: Path) -> None:
        try:
            mark = await take_snapshot(self._session, part, path, self._tell)
        except asyncio.CancelledError:
            self._session.news.say(f"Stopped: {inert(path.name)} was not written.", "warning")
            raise
        except NotAFilter as mistake:
            self._session.news.say(f"No snapshot was written: {mistake}", "failed")
        except NothingMatches:
            self._session.news.say("No snapshot was written: no external task matches.", "warning")
        except EngineProblem as problem:
            self._session.news.say(f"No snapshot was written: {problem.sentence}", "failed")
        except OSError as problem:
            self._session.news.say(f"{inert(path.name)} cannot be written: {problem.strerror or problem}.", "failed")
        else:
            number = things(mark.numbers.get("external tasks", 0), "external task")
            self._session.news.say(f"A snapshot with {number} is written to {inert(str(path))}.", "good")

    def _tell(self, what: str, number: int) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told >= TOLD_EVERY:
            self._told = now
            self._session.news.say(f"Snapshot: {count(number)} {what} read; the same key stops it.", "muted")
