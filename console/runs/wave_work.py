"""What becomes of the tasks of one wave. A task's first failure after its wave is final, whatever comes later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol

from console.batches.outcome import Outcome, OutcomeLists
from console.causes.fold import fold
from console.reading.task_history import TaskLog
from console.runs.gate import WorkCounts
from store.contract.queries import BatchStatisticsQuery

if TYPE_CHECKING:
    from console.batches.task_state import State
    from store.contract.records import BatchStatistics

Decided = Literal["done", "again", "new", "cancelled", "unknown"]
"""What a retry came to: ``new`` failed again with an error that is new; ``unknown`` is gone, and no log tells how."""


class WaveLists(OutcomeLists, Protocol):
    """The part of the client that is asked."""

    async def batches(self, query: BatchStatisticsQuery, first: int, size: int) -> list[BatchStatistics]:
        """A page of running batches."""
        ...


@dataclass
class WaveWork:
    """The tasks of a wave that were sent, in one batch or several.

    Attributes:
        given: the retries that were set.
        since: when the first of them were sent, by the engine's clock.
        unsent: tasks of the wave that are to be sent still.
        decided: ordinal -> what its retry came to.
        instances: task -> its activity instance, as far as that is known.
    """

    given: int
    since: datetime
    unsent: int = 0
    decided: dict[int, Decided] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._outcome = Outcome([], self.given, self.since)
        self._log = TaskLog(self.since)
        self._ordinals: dict[str, int] = {}
        self._failed: set[str] = set()
        """Tasks that have failed again: they may be waiting or locked once more, and count as what they came to."""
        self._batches: list[str] = []
        self._busy: set[str] = set()
        """Batches that have jobs to do still."""
        self._looked: dict[State, int] = {"done": 0, "gone": 0, "undone": 0}
        self._all_set = True

    def add(self, tasks: Iterable[tuple[int, str, int | None]], batches: Iterable[str] = ()) -> None:
        """More tasks were sent: their ordinals, ids and former retries, and the batches that set them."""
        new = [one for one in tasks if one[0] not in self.decided]
        self._ordinals |= {id: ordinal for ordinal, id, _ in new}
        self._outcome.add((id, before) for _, id, before in new)
        new_batches = list(batches)
        self._batches += new_batches
        self._busy.update(new_batches)

    def known_before(self, failures: Mapping[str, tuple[int, str]], retries: Mapping[str, int | None]) -> None:
        """What tasks had before they were sent: a hash of the error message and the folded message; their retries."""
        for id, (message, cause) in failures.items():
            self._outcome.known_before(id, message, retries[id], cause)

    async def look(self, client: WaveLists) -> WorkCounts:
        """Ask for a page of the tasks that are not decided.

        Raises:
            EngineProblem: the engine did not answer.
        """
        await self._look_at_batch(client)
        # While a batch sets tasks the log is not asked whether one that looks unset has failed again: it is asked once,
        # and a task that is set and fails of the same words afterwards would look as it did.
        await self._outcome.look(client, self._all_set and not self._batches, not self._busy, slices=1)
        await self._judge(client)
        return self.counts

    async def _look_at_batch(self, client: WaveLists) -> None:
        """Whether the batches have set all of their tasks; one of them is asked about at a time."""
        if not self._batches:
            return
        batch_id = self._batches.pop(0)
        found = await client.batches(BatchStatisticsQuery(batch_id=batch_id), 0, 1)
        if not found:
            # It ended unseen, or was deleted: nothing but the log tells then which tasks it has set.
            self._all_set = False
            self._busy.discard(batch_id)
            return
        batch = found[0]
        if batch.remaining_jobs or batch.completed_jobs < batch.total_jobs:
            self._batches.append(batch_id)
        if batch.jobs_created >= batch.total_jobs and batch.remaining_jobs <= batch.failed_jobs:
            self._busy.discard(batch_id)

    async def _judge(self, client: WaveLists) -> None:
        """Take down what is decided since the last look."""
        for task in self._outcome.tasks(("again",)):
            self.decided[self._ordinals[task.id]] = "new" if task.new else "again"
            self._failed.add(task.id)
        done = self._new("done")
        failed = await self._failed_before(client, [id for id, _ in done], dict(done))
        for id, _ in done:
            self._decide(id, failed.get(id, "done"))
        for id, _ in self._new("gone"):
            self._decide(id, "cancelled" if self._outcome.tally.told else "unknown")
        for id, _ in self._new("undone"):
            self._decide(id, "cancelled")

    def _new(self, state: State) -> list[tuple[str, str]]:
        """Tasks that have come into a final state since the last look, with their activity instances."""
        new = [
            (task.id, task.seen.instance if task.seen is not None else self.instances.get(task.id, ""))
            for task in islice(self._outcome.tasks((state,)), self._looked[state], None)
        ]
        self._looked[state] += len(new)
        return new

    async def _failed_before(
        self, client: WaveLists, ids: Sequence[str], instances: Mapping[str, str]
    ) -> dict[str, Decided]:
        """Those that failed once more before they were completed."""
        open = [id for id in ids if self._ordinals[id] not in self.decided and instances[id]]
        if not open:
            return {}
        failures = await self._log.failures(client, [instances[id] for id in open])
        found: dict[str, Decided] = {}
        for id in open:
            one = failures.get(id)
            if one is not None and one.again:
                new = one.before is not None and fold(one.since or "") != fold(one.before)
                found[id] = "new" if new else "again"
        return found

    def _decide(self, id: str, what: Decided) -> None:
        self.decided.setdefault(self._ordinals[id], what)

    @property
    def counts(self) -> WorkCounts:
        """What has become of all of them by now."""
        decided = Counter(self.decided.values())
        tally = self._outcome.tally
        open: Counter[State] = Counter({state: tally.of(state) for state in ("waiting", "locked", "unset", "unknown")})
        open.subtract(state for id in self._failed if (state := self._outcome.state(id)) is not None and state in open)
        return WorkCounts(
            done=decided["done"],
            again=decided["again"] + decided["new"],
            new_cause=decided["new"],
            waiting=open["waiting"],
            locked=open["locked"],
            not_set=open["unset"] + open["unknown"] + self.unsent,
            cancelled=decided["cancelled"],
            unknown=decided["unknown"],
        )
