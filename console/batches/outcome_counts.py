"""Tasks of a batch as they were last seen, and how many are in which state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from retriage.console.batches.task_state import FINAL, State


class TaskGlimpse(NamedTuple):
    """The little that is kept of a record: there may be a hundred thousand."""

    instance: str
    """Id of its activity instance."""
    topic: str
    key: str
    """Business key; empty when it has none."""
    retries: int | None
    worker: str
    locked_until: datetime | None
    suspended: bool
    cause: str
    """The folded error message; empty when it has none."""


class FollowedTask(NamedTuple):
    """A task as it was last seen: what a list of outcomes shows.

    ``seen`` is none when it was never there; ``new`` says that it failed again of a cause of which no task of this
    launch had failed before.
    """

    id: str
    state: State
    seen: TaskGlimpse | None = None
    new: bool = False


@dataclass(frozen=True)
class OutcomeCounts:
    """Tasks of a batch by state.

    Attributes:
        total: tasks of the launch.
        counts: how many are in which state; states without tasks are left out.
        new: how many failed again of a cause that is new.
        new_causes: those causes, the most frequent first.
        suspended: how many of the open ones, by state, are suspended with their instance.
        unfollowed: tasks of the launch that are not followed, since there are too many.
        at: when the task was looked at that was looked at longest ago; all others were since. Nothing as long as some
            were not looked at.
        jobs_done: how many jobs the batch had done by then; nothing where that is not known.
    """

    total: int
    counts: Mapping[State, int]
    new: int = 0
    new_causes: tuple[str, ...] = ()
    suspended: Mapping[State, int] = field(default_factory=dict)
    unfollowed: int = 0
    at: datetime | None = field(default=None, compare=False)
    jobs_done: int | None = field(default=None, compare=False)

    def of(self, state: State) -> int:
        """How many are in this state."""
        return self.counts.get(state, 0)

    @property
    def set(self) -> int:
        """Tasks whose retries are set, or that have ended: those of which one can say whether it helped."""
        return self.total - self.of("unset") - self.of("unknown")

    @property
    def through(self) -> int:
        """Tasks of which it is known what became of them: not there any more, failed again, or set by others."""
        return self.of("done") + self.of("again") + self.other

    @property
    def other(self) -> int:
        """Tasks that ended neither way: cancelled, changed by somebody, or gone without a history that says how."""
        return sum(self.of(state) for state in ("gone", "unkept", "undone", "changed"))

    @property
    def open(self) -> int:
        """Tasks with retries that wait for a worker or for their retry time, or that a worker has."""
        return self.of("waiting") + self.of("delayed") + self.of("locked")

    @property
    def settled(self) -> bool:
        """Nothing is left to happen."""
        return sum(self.of(state) for state in FINAL) == self.total
