"""Which tasks a batch was launched for: the engine does not tell, the operator's journal does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from retriage.console.batches.outcome import Outcome

MOST = 100_000
"""So many tasks of one launch are followed."""

PAGE = 2000
"""Tasks that are read from the journal at once."""


class FollowedLaunch(Protocol):
    """A launch as the journal keeps it."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def retries(self) -> int | None:
        """The value that was set; ``None`` where none was."""
        ...

    @property
    def reason(self) -> str:
        """Why it was launched, in the operator's words; may be empty."""
        ...

    @property
    def probable(self) -> bool:
        """Nothing proves yet that the batch is its own."""
        ...

    @property
    def listed(self) -> int | None:
        """How many of its tasks are written down; ``None`` when they are not known."""
        ...


class LaunchJournal(Protocol):
    """The part of the journal that tells which tasks a batch was launched for."""

    async def launch_of(self, batch_id: str) -> FollowedLaunch | None:
        """The launch that made a batch, ``None`` when it was not made here."""
        ...

    async def tasks(self, launch_id: int, first: int = 0, size: int = PAGE) -> Sequence[tuple[str, int | None]]:
        """Ids of tasks with the retries they had before, from the one numbered ``first`` on."""
        ...

    async def set_back(self, launch_id: int) -> Collection[str]:
        """Ids of the tasks whose former retries an undo of the launch has ordered."""
        ...


@dataclass(frozen=True)
class LaunchedTasks:
    """What a batch was launched for.

    Attributes:
        outcome: its tasks, where they can be followed.
        why_not: one sentence where they cannot.
        retries: the value it sets, where that is known.
        reason: why it was launched; may be empty.
        probable: it was probably launched here: no answer told so, and nothing proves it yet.
    """

    outcome: Outcome | None = None
    why_not: str = ""
    retries: int | None = None
    reason: str = ""
    probable: bool = False


NOT_HERE = "Not known: it was not launched from here, and an engine does not say which tasks a batch works on."


async def launched_tasks_of(journal: LaunchJournal, batch_id: str, since: datetime) -> LaunchedTasks:
    """What a batch was launched for, as the journal tells.

    Args:
        journal: the journal.
        batch_id: the batch.
        since: when it was started, by the engine's clock.
    """
    launch = await journal.launch_of(batch_id)
    if launch is None:
        return LaunchedTasks(None, NOT_HERE)
    if not launch.retries:
        return LaunchedTasks(
            None, "It sets 0 retries: no worker takes its tasks.", launch.retries, launch.reason, launch.probable
        )
    if not launch.listed:
        return LaunchedTasks(
            None, "Not known: its tasks were not written down.", launch.retries, launch.reason, launch.probable
        )
    outcome = Outcome([], launch.retries, since, max(launch.listed - MOST, 0))
    for first in range(0, min(launch.listed, MOST), PAGE):
        outcome.add(await journal.tasks(launch.id, first, PAGE))
    outcome.setting_back(await journal.set_back(launch.id))
    return LaunchedTasks(outcome, "", launch.retries, launch.reason, launch.probable)
