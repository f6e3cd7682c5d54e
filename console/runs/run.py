"""A run is ordered and written down: frozen tasks, cut into waves, with the rules by which it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.runs.events import RunPlanned
from console.runs.gate import Gate
from console.runs.waves import Waves, proposed
from store.journal.run_records import FrozenTask, NewRun, RunCause

if TYPE_CHECKING:
    from console.runs.frozen_tasks import FrozenTasks
    from console.session.session import Session

MOST_CAUSES = 50
"""So many causes of its tasks are written down."""
WATCH = 60.0
"""Seconds for which a wave is watched unless the operator says otherwise."""


@dataclass(frozen=True)
class RunOrder:
    """What the operator orders.

    Attributes:
        title: what was chosen, in words.
        retries: the value to set.
        waves: how it is cut; ``None`` for a proposal that fits its size.
        gate: when it goes on by itself.
        watch: seconds for which a wave is watched once its tasks are set.
        pace: tasks a minute; ``None`` sends a wave as one batch.
        reason: why; may be empty.
    """

    title: str
    retries: int
    waves: Waves | None = None
    gate: Gate = field(default_factory=Gate)
    watch: float = WATCH
    pace: float | None = None
    reason: str = ""

    def sizes(self, tasks: int) -> list[int]:
        """Tasks of each wave.

        Raises:
            WaveMistake: some tasks would be in no wave.
        """
        return (self.waves or proposed(tasks)).cut(tasks)

    def plan(self, frozen: FrozenTasks, run: int | None = None) -> RunPlanned:
        """What it would do with these tasks.

        Raises:
            WaveMistake: some tasks would be in no wave.
        """
        return RunPlanned(
            run,
            self.title,
            len(frozen.tasks),
            tuple(self.sizes(len(frozen.tasks))),
            self.retries,
            {kind.replace("_", "-"): number for kind, number in frozen.left_out.items()},
            self.gate.limit,
            self.watch,
            self.pace,
        )


async def write_down(session: Session, order: RunOrder, frozen: FrozenTasks, driver: str) -> int:
    """Write a run into the journal with all of its tasks; answers its number. Nothing is sent.

    Args:
        session: whose journal.
        order: what was ordered.
        frozen: its tasks.
        driver: who drives it.

    Raises:
        WaveMistake: some tasks would be in no wave.
        SQLAlchemyError: the journal cannot be written.
    """
    assert session.journal is not None, "a run is not begun without a journal"
    sizes = order.sizes(len(frozen.tasks))
    identity = session.identity
    new = NewRun(
        session.engine_name, identity.url, identity.user, order.title, order.reason, order.retries,
        order.gate.limit, order.gate.new_cause, order.watch, frozen.at, order.pace,
    )  # fmt: skip
    causes = [RunCause(topic, cause, number) for (topic, cause), number in frozen.causes.most_common(MOST_CAUSES)]
    return await session.journal.runs.begin(new, driver, _cut(frozen.tasks, sizes), causes)


def _cut(tasks: Sequence[FrozenTask], sizes: Sequence[int]) -> Iterator[tuple[int, Sequence[FrozenTask]]]:
    first = 0
    for wave, size in enumerate(sizes, 1):
        yield wave, tasks[first : first + size]
        first += size
