"""Did it help? What has become of the tasks of a batch, kept up to date slice by slice.

Every look asks for some of the tasks that have not ended, the ones that were asked for longest ago first, so that a
batch of a hundred thousand costs the engine and the console no more per look than one of a few thousand.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from sys import intern
from typing import Protocol

from console.batches.outcome_counts import FollowedTask, OutcomeCounts, TaskGlimpse
from console.batches.task_state import FINAL, STATES, Sight, State, state_of
from console.causes.fold import fold
from console.reading.narrowed_queries import among
from console.reading.task_history import SLICE, TaskHistory, TaskLog
from store.contract.queries import ExternalTaskQuery
from store.contract.records import ExternalTask

AT_ONCE = 100
"""So many records are looked at before the event loop has its turn."""

SLICES = 8
"""So many slices of tasks are asked for in one look."""


class OutcomeLists(TaskHistory, Protocol):
    """The part of the client that an outcome needs."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


class Outcome:
    """The tasks of one batch.

    Args:
        tasks: their ids with the retries they had before, ``None`` for never failed.
        given: the retries that the batch sets.
        since: when the batch was started, by the engine's clock.
        unfollowed: further tasks of the launch that are not among ``tasks``.
    """

    def __init__(
        self, tasks: Iterable[tuple[str, int | None]], given: int, since: datetime, unfollowed: int = 0
    ) -> None:
        self.given = given
        self._before: dict[str, int | None] = {}
        self._unfollowed = unfollowed
        self._found: dict[State, dict[str, FollowedTask]] = {state: {} for state in STATES}
        self._sights: dict[str, Sight] = {}
        self._turn: deque[str] = deque()
        self._looks: deque[tuple[datetime, int | None] | None] = deque()
        """When the tasks in turn were looked at, and how many jobs the batch had done by then; in the same order."""
        self._last_look: tuple[datetime, int | None] | None = None
        self._state: dict[str, State] = {}
        self._lost: set[str] = set()
        self._asked_about: dict[str, tuple[int | None, int]] = {}
        self._old: set[str] = set()
        self._new: Counter[str] = Counter()
        self._suspended = 0
        self._set_back: set[str] = set()
        self._log = TaskLog(since)
        self.add(tasks)

    def add(self, tasks: Iterable[tuple[str, int | None]]) -> None:
        """More tasks of the batch; of many at once the event loop would take notice."""
        for id, retries in tasks:
            if id not in self._before:
                self._before[id] = retries
                self._state[id] = "unknown"
                self._found["unknown"][id] = FollowedTask(id, "unknown")
                self._turn.append(id)
                self._looks.append(None)

    def known_before(self, id: str, message: int, retries: int | None, cause: str) -> None:
        """What a task had before its retries were set: a hash of its error message, its retries, the folded message.

        Where it is told, the first look shows already whether the task has failed since, and with what.
        """
        self._sights.setdefault(id, Sight(message, retries))
        if cause:
            self._old.add(cause)

    def setting_back(self, ids: Iterable[str]) -> None:
        """An undo has been ordered for these tasks: with their former retries they have not failed again."""
        self._set_back.update(ids)

    @property
    def tally(self) -> OutcomeCounts:
        """How many tasks are in which state now."""
        counts = {state: len(found) for state, found in self._found.items() if found}
        causes = tuple(cause for cause, number in self._new.most_common() if number > 0)
        at, jobs_done = (self._looks[0] if self._looks else self._last_look) or (None, None)
        return OutcomeCounts(
            len(self._before), counts, self._new.total(), causes, self._suspended, not self._log.missing,
            self._unfollowed, at, jobs_done,
        )  # fmt: skip

    @property
    def unread(self) -> bool:
        """Some tasks have not been looked at yet."""
        return len(self._found["unknown"]) > len(self._lost)

    def state(self, id: str) -> State | None:
        """The state of a task, nothing if it is none of this launch."""
        return self._state.get(id)

    def tasks(self, states: Sequence[State]) -> Iterator[FollowedTask]:
        """The tasks in these states, one state after the other."""
        for state in states:
            yield from self._found[state].values()

    async def look(
        self,
        client: OutcomeLists,
        all_set: bool,
        quiet: bool,
        slices: int | None = SLICES,
        jobs_done: int | None = None,
    ) -> OutcomeCounts:
        """Ask for some of the tasks.

        Args:
            client: lists tasks and their log.
            all_set: the batch has carried out every job with success.
            quiet: the batch carries out no further job: those that are left have failed.
            slices: so many slices at most; without it all tasks that have not ended are asked for.
            jobs_done: how many jobs the batch has done, as far as it is known before the tasks are asked for.

        Raises:
            EngineProblem: the engine did not answer.
        """
        whole = -(-len(self._turn) // SLICE)
        for _ in range(whole if slices is None else min(slices, whole)):
            self._last_look = datetime.now(UTC), jobs_done
            ids = [self._turn[at] for at in range(min(SLICE, len(self._turn)))]
            query = among(ExternalTaskQuery(), ids)
            assert query is not None
            found = {task.id: task for task in await client.external_tasks(query, 0, SLICE)}
            unsure = await self._look_at_all(list(found.values()), all_set)
            gone = [id for id in ids if id not in found]
            await self._bury(client, gone)
            if quiet:
                await self._judge(client, unsure)
            await self._blame(client, [task for task in found.values() if self._state[task.id] == "again"])
            for _ in ids:
                id = self._turn.popleft()
                self._looks.popleft()
                if self._state[id] not in FINAL and id not in self._lost:
                    self._turn.append(id)
                    self._looks.append(self._last_look)
        await self._find_lost(client)
        return self.tally

    async def _look_at_all(self, tasks: Sequence[ExternalTask], all_set: bool) -> list[ExternalTask]:
        """Put tasks where their records say they belong; answers those whose record does not tell."""
        now, unsure = datetime.now(UTC), list[ExternalTask]()
        for number, task in enumerate(tasks):
            if not self._look_at(task, all_set, now):
                unsure.append(task)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return unsure

    def _look_at(self, task: ExternalTask, all_set: bool, now: datetime) -> bool:
        """Put a task where its record says it belongs; answers whether the record tells."""
        sight = self._sights.get(task.id) or Sight(hash(task.error_message), self._before[task.id])
        state = state_of(task, self.given, sight, all_set, now)
        if state == "again" and self._was_set_back(task, sight):
            state = "undone"
        cause = self._cause(task, sight)
        if task.id not in self._sights and state != "again" and cause:
            self._old.add(cause)
        if state in ("waiting", "locked") and not sight.was_set:
            sight = Sight(sight.said, sight.retries, True)
        self._sights[task.id] = sight
        known = self._asked_about.get(task.id) == _now(task)
        if state is None and known and self._state[task.id] == "again":
            state = "again"
        self._put(self._followed(task, state or "unset", cause))
        return state is not None or known

    def _was_set_back(self, task: ExternalTask, sight: Sight) -> bool:
        """An undo took the retries away, and no failure did: that would have left another message."""
        former = task.retries == self._before[task.id]
        return former and task.id in self._set_back and hash(task.error_message) == sight.said

    def _cause(self, task: ExternalTask, sight: Sight) -> str:
        """The folded message; folding takes longer than everything else, so it is done once for each message."""
        last = self._last(task.id)
        same = hash(task.error_message) == sight.said
        if same and last is not None and last.seen is not None and last.state != "again":
            return last.seen.cause
        return fold(task.error_message) if task.error_message is not None else ""

    def _followed(self, task: ExternalTask, state: State, cause: str) -> FollowedTask:
        seen = TaskGlimpse(
            task.activity_instance_id,
            intern(task.topic_name),
            task.business_key or "",
            task.retries,
            intern(task.worker_id or ""),
            task.lock_expiration_time,
            task.suspended,
            intern(cause),
        )
        return FollowedTask(task.id, state, seen, state == "again" and cause not in self._old)

    def _put(self, now: FollowedTask) -> None:
        before = self._found[self._state[now.id]]
        self._reckon(before.get(now.id), -1)
        self._reckon(now, 1)
        if self._state[now.id] != now.state:
            before.pop(now.id, None)
        self._state[now.id] = now.state
        self._found[now.state][now.id] = now

    def _reckon(self, task: FollowedTask | None, by: int) -> None:
        if task is None or task.seen is None:
            return
        if task.new:
            self._new[task.seen.cause] += by
        if task.state == "waiting" and task.seen.suspended:
            self._suspended += by

    async def _bury(self, client: OutcomeLists, ids: Sequence[str]) -> None:
        """Tasks that are not there any more: completed, cancelled, or nobody knows."""
        known = {id: last.seen.instance for id in ids if (last := self._last(id)) and last.seen}
        done = await self._log.completed(client, list(known.values())) if known else set()
        for id in ids:
            if id in known or self._log.missing:
                self._end(id, "done" if id in done else "gone")
            else:
                self._lost.add(id)

    def _last(self, id: str) -> FollowedTask | None:
        return self._found[self._state[id]].get(id)

    def _end(self, id: str, state: State) -> None:
        last = self._last(id)
        self._put(FollowedTask(id, state, last.seen if last else None))
        self._sights.pop(id, None)
        self._asked_about.pop(id, None)

    async def _find_lost(self, client: OutcomeLists) -> None:
        """Tasks that were gone before they were seen are looked for in the newest entries of the log."""
        if not self._lost:
            return
        if self._log.read_back:
            self._log.read_anew()
        for id in await self._log.lately_completed(client, self._lost):
            self._lost.discard(id)
            self._end(id, "done")
        if self._log.read_back or self._log.missing:
            for id in self._lost:
                self._end(id, "gone")
            self._lost = set()

    async def _judge(self, client: OutcomeLists, unsure: Sequence[ExternalTask]) -> None:
        """Not set, or failed again with the same words? The log knows."""
        if not unsure:
            return
        failures = await self._log.failures(client, [task.activity_instance_id for task in unsure])
        for task in unsure:
            self._asked_about[task.id] = _now(task)
            failed = failures.get(task.id)
            if failed is not None and failed.again:
                self._put(self._followed(task, "again", self._cause(task, self._sights[task.id])))

    async def _blame(self, client: OutcomeLists, again: Sequence[ExternalTask]) -> None:
        """What a task had failed of before is no new cause: the log tells, also of tasks that were seen too late."""
        asked = [task for task in again if self._asked_about.get(task.id) != _now(task)]
        if not asked:
            return
        failures = await self._log.failures(client, [task.activity_instance_id for task in asked])
        old = {fold(failed.before) for failed in failures.values() if failed.before is not None}
        for task in asked:
            self._asked_about[task.id] = _now(task)
        if old <= self._old:
            return
        self._old |= old
        for known in [known for known in self._found["again"].values() if known.new]:
            if known.seen is not None and known.seen.cause in self._old:
                self._put(known._replace(new=False))


def _now(task: ExternalTask) -> tuple[int | None, int]:
    """What a failure would change."""
    return task.retries, hash(task.error_message)
