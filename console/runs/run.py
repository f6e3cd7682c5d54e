"""A run is ordered and written down: frozen tasks, cut into waves, with the rules by which it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retriage.console.operations.operation import Operation
from retriage.console.runs.events import RunPlanned
from retriage.console.runs.gate import Gate
from retriage.console.runs.waves import Waves, kept_together, proposed
from retriage.store.journal.run_records import FrozenTask, NewRun, RunCause

if TYPE_CHECKING:
    from retriage.console.operations.operation import FrozenUnits
    from retriage.console.session.session import Session

MOST_CAUSES = 50
"""So many causes of its tasks are written down."""
WATCH = 60.0
"""Seconds for which a wave is watched unless the operator says otherwise."""


@dataclass(frozen=True)
class RunOrder:
    """What the operator orders.

    Attributes:
        title: what was chosen, in words.
        operation: what is done.
        waves: how it is cut; ``None`` for a proposal that fits its size.
        gate: when it goes on by itself.
        watch: seconds for which a wave is watched once its tasks are set.
        pace: tasks a minute; ``None`` sends a wave as one batch.
        reason: why; may be empty.
        part: 1 or 2 in a run of two parts; 0 in any other.
    """

    title: str
    operation: Operation
    waves: Waves | None = None
    gate: Gate = field(default_factory=Gate)
    watch: float = WATCH
    pace: float | None = None
    reason: str = ""
    part: int = 0

    def sizes(self, tasks: int) -> list[int]:
        """Tasks of each wave.

        Raises:
            WaveMistake: some tasks would be in no wave.
        """
        return (self.waves or proposed(tasks)).cut(tasks)

    def cut(self, tasks: Sequence[FrozenTask]) -> list[int]:
        """Tasks of each wave, none of which splits a process instance that is changed before.

        Raises:
            WaveMistake: some tasks would be in no wave.
        """
        return kept_together(self.sizes(len(tasks)), [task.process_instance for task in tasks])

    def plan(self, frozen: FrozenUnits, run: int | None = None) -> RunPlanned:
        """What it would do with these tasks.

        Raises:
            WaveMistake: some tasks would be in no wave.
        """
        instances = {task.process_instance for task in frozen.tasks} - {None}
        return RunPlanned(
            run,
            self.title,
            len(frozen.tasks),
            tuple(self.cut(frozen.tasks)),
            self.operation,
            {kind.replace("_", "-"): number for kind, number in frozen.left_out.items()},
            self.gate.limit,
            self.watch,
            self.pace,
            dict(frozen.also),
            instances=len(instances) or None,
        )


async def write_down(
    session: Session, order: RunOrder, frozen: FrozenUnits, driver: str, other: int | None = None
) -> int:
    """Write a run into the journal with all of its tasks; returns its number. Nothing is sent.

    Args:
        session: whose journal.
        order: what was ordered.
        frozen: its tasks.
        driver: who drives it.
        other: number of its other part, where that is written down.

    Raises:
        WaveMistake: some tasks would be in no wave.
        SQLAlchemyError: the journal cannot be written.
    """
    assert session.memory.journal is not None, "a run is not begun without a journal"
    sizes = order.cut(frozen.tasks)
    identity = session.connection.identity
    new = NewRun(
        session.memory.engine_name, identity.url, identity.user, order.title, order.reason,
        order.operation.retries, order.gate.limit, order.gate.new_cause, order.watch, frozen.at, order.pace,
        order.operation.name, order.operation.arguments, order.part, other,
    )  # fmt: skip
    causes = [RunCause(topic, cause, number) for (topic, cause), number in frozen.causes.most_common(MOST_CAUSES)]
    return await session.memory.journal.runs.begin(new, driver, _cut(frozen.tasks, sizes), causes)


def _cut(tasks: Sequence[FrozenTask], sizes: Sequence[int]) -> Iterator[tuple[int, Sequence[FrozenTask]]]:
    first = 0
    for wave, size in enumerate(sizes, 1):
        yield wave, tasks[first : first + size]
        first += size
