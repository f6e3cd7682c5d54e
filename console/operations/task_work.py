"""What becomes of the tasks of one wave. A task's first failure after its wave is final, whatever comes later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from retriage.console.batches.outcome import Outcome, SeenBefore
from retriage.console.batches.task_state import TO_COME
from retriage.console.causes.fold import fold
from retriage.console.engine.errors import NotThere, Refused
from retriage.console.operations.operation import UnitWork
from retriage.console.operations.work_counts import Decided, Obstacles, WorkCounts
from retriage.console.reading.task_history import TaskLog

if TYPE_CHECKING:
    from retriage.console.batches.task_state import State
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.operation import Operation

_ENDED: Mapping[State, Decided] = {"gone": "cancelled", "unkept": "unknown", "undone": "changed"}
"""States that a task does not leave, beside *done* -> what they count as."""


class TaskWork(UnitWork):
    """Tasks of a wave that were given retries.

    Args:
        operation: the retries that were set.
        since: when the first of them were sent, by the engine's clock.
    """

    def __init__(self, operation: Operation, since: datetime) -> None:
        super().__init__(operation, since)
        assert operation.retries is not None, "it sets some"
        self._outcome = Outcome([], operation.retries, since)
        self._log = TaskLog(since)
        self._over: set[str] = set()
        """Tasks that have failed again or were changed: they may be waiting or locked once more, and count as what they
        came to."""
        self._untold: set[str] = set()
        """Tasks that are gone although nothing shows how they ended, and nothing was known of that before."""
        self._taken = False
        self._looked: dict[State, int] = dict.fromkeys(("done", *_ENDED), 0)

    def add_units(self, units: Sequence[tuple[int, str, int | None]]) -> None:
        """Tasks with the retries that they had."""
        self._outcome.add((id, before) for _, id, before in units)

    def known_before(self, before: Mapping[str, SeenBefore]) -> None:
        """What tasks had before they were sent."""
        for id, seen in before.items():
            self._outcome.known_before(id, seen)

    def failed_before(self, causes: Iterable[str]) -> None:
        """Why tasks had failed before they were sent."""
        self._outcome.failed_before(causes)

    async def look(self, client: EngineClient) -> WorkCounts:
        """Ask for a page of the tasks that are not decided.

        Raises:
            EngineProblem: the engine did not answer.
        """
        await self.look_at_batch(client)
        # While a batch sets tasks the log is not asked whether one that looks unset has failed again: it is asked once,
        # and a task that is set and fails of the same words afterwards would look as it did.
        await self._outcome.look(client, self._all_set and not self._batches, not self._busy, slices=1)
        await self._judge(client)
        counts = self.counts
        self._taken = self._taken or self._outcome.taken or counts.locked > 0
        return counts

    async def _judge(self, client: EngineClient) -> None:
        """Take down what is decided since the last look."""
        for task in self._outcome.tasks(("again",)):
            self.decided[self._ordinals[task.id]] = "new" if task.new else "again"
            self._over.add(task.id)
        for task in self._outcome.tasks(("changed",)):
            self.decide({task.id: "changed"})
            self._over.add(task.id)
        done = dict(self._new("done"))
        failed = await self._failed_before(client, list(done), done)
        self.decide({id: failed.get(id, "done") for id in done})
        self._looked["done"] += len(done)
        for state, what in _ENDED.items():
            new = self._new(state)
            elsewhere = bool(new) and state == "unkept" and self.history == "kept" and not await self._knows(client)
            self._looked[state] += len(new)
            if elsewhere or (state == "unkept" and self.history == "not known"):
                # Nobody was warned that ends are not shown here: that it has failed is as likely as that it helped. An
                # engine that knows neither the tasks nor their batch may be another one that answers at this address.
                self._untold.update(id for id, _ in new if self._ordinals[id] not in self.decided)
                continue
            # Nothing is left of a task that was deleted with its history, as with its deployment in cascade.
            erased = state == "unkept" and self.history == "kept"
            self.decide({id: "cancelled" if erased else what for id, _ in new})

    async def _knows(self, client: EngineClient) -> bool:
        """The engine knows a batch of the wave, running or ended, or does not show any to this user."""
        try:
            if self.newest_batch:
                await client.historic_batch(self.newest_batch)
        except Refused as problem:
            if not problem.says_never:
                raise
            return not isinstance(problem, NotThere)
        return True

    def _new(self, state: State) -> list[tuple[str, str]]:
        """Tasks that have come into a final state since the last look, with their activity instances."""
        return [
            (task.id, self._outcome.instance(task.id))
            for task in islice(self._outcome.tasks((state,)), self._looked[state], None)
        ]

    async def _failed_before(
        self, client: EngineClient, ids: Sequence[str], instances: Mapping[str, str]
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

    @property
    def counts(self) -> WorkCounts:
        """What has become of all of them by now."""
        decided = Counter(self.decided.values())
        tally = self._outcome.tally
        open: Counter[State] = Counter(
            {state: tally.of(state) for state in ("waiting", "delayed", "locked", "unset", "unknown")}
        )
        over = [task for id in self._over if (task := self._outcome.task(id)) is not None and task.state in open]
        open.subtract(task.state for task in over)
        suspended = sum(task.state in TO_COME and task.seen is not None and task.seen.suspended for task in over)
        return WorkCounts(
            done=decided["done"],
            again=decided["again"] + decided["new"],
            new_cause=decided["new"],
            waiting=open["waiting"],
            delayed=open["delayed"],
            locked=open["locked"],
            not_set=open["unset"] + open["unknown"] + self.unsent,
            changed=decided["changed"],
            cancelled=decided["cancelled"],
            unknown=decided["unknown"],
            suspended=sum(tally.suspended.values()) - suspended,
            untold=len(self._untold),
        )

    def setting_back(self, ids: Iterable[str]) -> None:
        """An undo has been ordered for these tasks: with their former retries they have not failed again."""
        self._outcome.setting_back(ids)

    @property
    def unread(self) -> bool:
        """Some of its tasks were not looked at yet."""
        return self._outcome.unread

    @property
    def at(self) -> datetime | None:
        """Every task that may still change was looked at then or later, by this machine's clock; ``None`` before all
        of them were."""
        return None if self.unread else self._outcome.tally.at

    @property
    def obstacles(self) -> Obstacles:
        """As of every unit, and whether a worker was seen to take a task."""
        return replace(super().obstacles, taken=self._taken)
