"""Did it help? What has become of the tasks of a batch, kept up to date slice by slice.

Every look asks for some of the tasks that have not ended, the ones that were asked for longest ago first, so that a
batch of a hundred thousand costs the engine and the console no more per look than one of a few thousand.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from sys import intern
from typing import NamedTuple, Protocol

from retriage.console.batches.outcome_counts import FollowedTask, OutcomeCounts, TaskGlimpse
from retriage.console.batches.task_state import (
    FINAL,
    SLACK,
    STATES,
    TO_COME,
    Sight,
    State,
    cannot_have_failed,
    decided_state,
    failure_of,
    shows_failure,
    state_of,
    was_raised,
)
from retriage.console.causes.fold import fold
from retriage.console.reading.failure_proofs import FailureLists, IncidentTimes
from retriage.console.reading.narrowed_queries import among
from retriage.console.reading.task_history import SLICE, Ending, Failed, TaskLog
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask

AT_ONCE = 100
"""So many records are looked at before the event loop has its turn."""

SLICES = 8
"""So many slices of tasks are asked for in one look."""

INCIDENT_PAGES = 4
"""So many pages of the incidents since the launch are read in one look."""


class OutcomeLists(FailureLists, Protocol):
    """The part of the client that an outcome needs."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


class SeenBefore(NamedTuple):
    """What a task had before its retries were set."""

    message: str
    """A digest of its error message."""
    cause: str
    """The same folded; empty where there is none, or it is not known."""
    retries: int | None
    expiry: datetime | None
    """Its lock expiration."""
    instance: str
    """Its activity instance."""


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
        self._since = since
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
        self._instances: dict[str, str] = {}
        """Activity instances of tasks that were known before they were first looked at."""
        self._proofs: dict[str, tuple[_Trace, Failed | None]] = {}
        """What was found out about the failures of tasks, and what their records were then."""
        self._old: set[str] = set()
        self._new: Counter[str] = Counter()
        self._suspended: Counter[State] = Counter()
        self._set_back: set[str] = set()
        self._log = TaskLog(since)
        self._incidents_hidden = False
        self.taken = False
        """A worker has had one of the tasks since the launch."""
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

    def known_before(self, id: str, before: SeenBefore) -> None:
        """What a task had before its retries were set: with it the first look shows already whether the task has failed
        since, and with what, and how it ended if it is gone by then."""
        self._sights.setdefault(id, Sight(before.message, before.retries, before.expiry, early=True, unsent=True))
        if before.instance:
            self._instances[id] = before.instance
        if before.cause:
            self._old.add(before.cause)

    def failed_before(self, causes: Iterable[str]) -> None:
        """Tasks had failed of these causes before the launch: they are not new."""
        self._old.update(causes)

    def instance(self, id: str) -> str:
        """The activity instance of a task; empty where it is not known."""
        last = self._last(id)
        return last.seen.instance if last is not None and last.seen is not None else self._instances.get(id, "")

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
            len(self._before), counts, self._new.total(), causes, +self._suspended, self._unfollowed, at, jobs_done,
        )  # fmt: skip

    @property
    def unread(self) -> bool:
        """Some tasks have not been looked at yet."""
        return len(self._found["unknown"]) > len(self._lost)

    def state(self, id: str) -> State | None:
        """The state of a task, nothing if it is none of this launch."""
        return self._state.get(id)

    def task(self, id: str) -> FollowedTask | None:
        """A task as it was last seen, nothing if it is none of this launch."""
        return self._last(id) if id in self._state else None

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
        if not whole:
            self._last_look = datetime.now(UTC), jobs_done
        for _ in range(whole if slices is None else min(slices, whole)):
            self._last_look = datetime.now(UTC), jobs_done
            ids = [self._turn[at] for at in range(min(SLICE, len(self._turn)))]
            query = among(ExternalTaskQuery(), ids)
            assert query is not None
            found = {task.id: task for task in await client.external_tasks(query, 0, SLICE)}
            unsure = await self._look_at_all(list(found.values()), client.engine_now())
            await self._decide(client, unsure, all_set, quiet)
            await self._bury(client, [id for id in ids if id not in found])
            for _ in ids:
                id = self._turn.popleft()
                self._looks.popleft()
                if self._state[id] not in FINAL and id not in self._lost:
                    self._turn.append(id)
                    self._looks.append(self._last_look)
        await self._find_lost(client)
        return self.tally

    async def _look_at_all(self, tasks: Sequence[ExternalTask], now: datetime) -> list[ExternalTask]:
        """Put tasks where their records say they belong; answers those whose record does not tell."""
        unsure = list[ExternalTask]()
        for number, task in enumerate(tasks):
            if not self._look_at(task, now):
                unsure.append(task)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return unsure

    def _look_at(self, task: ExternalTask, now: datetime) -> bool:
        """Put a task where its record says it belongs; answers whether the record tells."""
        sight = self._sights.get(task.id)
        if sight is None:
            early = task.retries == self._before[task.id] != self.given
            said = failure_of(task.error_message)
            sight = Sight(said, self._before[task.id], task.lock_expiration_time, early)
        if task.retries == self.given and not sight.was_set:
            sight = replace(sight, was_set=True)
        first = task.id not in self._sights
        self._sights[task.id] = sight
        expiry = task.lock_expiration_time
        self.taken |= expiry is not None and expiry != sight.expiry and expiry >= self._since
        state = state_of(task, self.given, sight, self._since, now)
        if first and state is not None and (cause := self._cause(task, sight)):
            self._old.add(cause)
        if state is not None:
            self._put(self._followed(task, state, self._cause(task, sight)))
        return state is not None

    async def _decide(self, client: OutcomeLists, tasks: Sequence[ExternalTask], all_set: bool, quiet: bool) -> None:
        """Failed again, changed by somebody, not set yet, held by its retry time: what was found out about the failures
        of these tasks tells."""
        asked = [task for task in tasks if self._is_asked_about(task, all_set, quiet)]
        if asked:
            await self._find_failures(client, asked)
        if quiet and not all_set:
            await self._find_raised(client, [task for task in tasks if not self._sights[task.id].was_set])
        now, fresh = client.engine_now(), {task.id for task in asked}
        for number, task in enumerate(tasks):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            sight = self._sights[task.id]
            failed = self._proof(task)
            state = decided_state(task, self.given, sight, failed, now, set=sight.was_set or all_set, quiet=quiet)
            last = self._last(task.id)
            known = last.seen if last is not None and last.state == "again" and task.id not in fresh else None
            cause = self._cause(task, sight) if known is None else known.cause
            if state != "again" and task.id in self._set_back and task.retries == self._before[task.id]:
                state = "undone"
            if cause and failure_of(task.error_message) == sight.said and (state != "again" or self._log.missing):
                self._old.add(cause)
            self._put(self._followed(task, state, cause))

    def _is_asked_about(self, task: ExternalTask, all_set: bool, quiet: bool) -> bool:
        """Whether its failures have to be asked for: they may tell, and are not known of this record."""
        sight = self._sights[task.id]
        if (known := self._proofs.get(task.id)) is not None and known[0] == _trace(task):
            return False
        if task.retries == self.given:
            return True
        unset = task.retries == sight.retries and not (sight.was_set or all_set)
        if unset and not quiet and _trace(task)[1:] == (sight.said, sight.expiry):
            return False
        return not cannot_have_failed(task, sight, self._since)

    def _proof(self, task: ExternalTask) -> Failed | None:
        known = self._proofs.get(task.id)
        return known[1] if known is not None and known[0] == _trace(task) else None

    async def _find_failures(self, client: OutcomeLists, tasks: Sequence[ExternalTask]) -> None:
        """The log proves failures; where none is kept, what they leave in tasks and incidents does."""
        failures = await self._log.failures(client, [task.activity_instance_id for task in tasks])
        if not failures and not await self._log.keeps(client, [task.activity_instance_id for task in tasks]):
            failures = await self._failures_that_show(client, tasks)
        elif quiet := [one for one in tasks if one.id not in failures and one.retries != self.given]:
            logged = await self._log.known(client, {one.id: one.activity_instance_id for one in quiet})
            failures |= await self._failures_that_show(client, [one for one in quiet if one.id not in logged])
        before = {fold(failed.before) for failed in failures.values() if failed.before is not None}
        for task in tasks:
            self._proofs[task.id] = _trace(task), failures.get(task.id)
        if before <= self._old:
            return
        # What a task had failed of before is no new cause: the log tells, also of tasks that were seen too late.
        self._old |= before
        for known in [known for known in self._found["again"].values() if known.new]:
            if known.seen is not None and known.seen.cause in self._old:
                self._put(known._replace(new=False))

    async def _failures_that_show(self, client: OutcomeLists, tasks: Sequence[ExternalTask]) -> dict[str, Failed]:
        unclear = [
            task.id
            for task in tasks
            if task.retries == 0 and failure_of(task.error_message) == self._sights[task.id].said
        ]
        opened = await self._opened(client, unclear)
        return {
            task.id: Failed(since=task.error_message, again=True)
            for task in tasks
            if shows_failure(task, self.given, self._sights[task.id], self._since, opened.get(task.id))
        }

    async def _find_raised(self, client: OutcomeLists, tasks: Sequence[ExternalTask]) -> None:
        """Tasks that look as if they were not set although their batch does no more: some had their retries taken away
        again before they were seen."""
        opened = await self._opened(client, [task.id for task in tasks if task.retries == 0])
        for task in tasks:
            sight = self._sights[task.id]
            if task.id in opened and was_raised(task, sight, self._since, opened[task.id]):
                self._sights[task.id] = replace(sight, was_set=True)

    async def _opened(self, client: OutcomeLists, ids: Sequence[str]) -> dict[str, datetime]:
        """When the incidents of tasks were opened, of those opened since the launch."""
        if not ids or self._incidents_hidden:
            return {}
        incidents = IncidentTimes(self._since - SLACK, INCIDENT_PAGES)
        opened = await incidents.of(client, ids)
        self._incidents_hidden = incidents.hidden
        return opened

    def _cause(self, task: ExternalTask, sight: Sight) -> str:
        """The folded message; folding takes longer than everything else, so it is done once for each message."""
        last = self._last(task.id)
        same = failure_of(task.error_message) == sight.said
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
        if task.state in TO_COME and task.seen.suspended:
            self._suspended[task.state] += by

    async def _bury(self, client: OutcomeLists, ids: Sequence[str]) -> None:
        """Tasks that were not listed: completed, cancelled, or no history tells. Those without proof of an end
        are requested once more at once: one empty answer ends no task, and figures stay those of one moment."""
        known = {id: instance for id in ids if (instance := self.instance(id))}
        endings = await self._log.ended(client, known) if known else {}
        query = among(ExternalTaskQuery(), [id for id in ids if endings.get(id, "unkept") == "unkept"])
        there = {task.id for task in await client.external_tasks(query, 0, SLICE)} if query is not None else set()
        for id in ids:
            if id in there:
                continue
            if id not in known:
                self._lost.add(id)
            elif id in endings:
                self._end(id, _ENDINGS[endings[id]])

    def _last(self, id: str) -> FollowedTask | None:
        return self._found[self._state[id]].get(id)

    def _end(self, id: str, state: State) -> None:
        last = self._last(id)
        self._put(FollowedTask(id, state, last.seen if last else None))
        self._sights.pop(id, None)
        self._proofs.pop(id, None)

    async def _find_lost(self, client: OutcomeLists) -> None:
        """Tasks that were gone before they were seen are looked for in the newest entries of the log."""
        if not self._lost:
            return
        if self._log.read_back:
            self._log.read_anew()
        for id in await self._log.lately_completed(client, self._lost):
            self._lost.discard(id)
            self._end(id, "done")
        if self._lost and (self._log.read_back or self._log.missing):
            kept = await self._log.knows(client, self._lost)
            for id in self._lost:
                self._end(id, "gone" if kept else "unkept")
            self._lost = set()


_Trace = tuple[int | None, str, datetime | None]
_ENDINGS: dict[Ending, State] = {"done": "done", "cancelled": "gone", "unkept": "unkept"}


def _trace(task: ExternalTask) -> _Trace:
    """What a failure would change: the lock expiration in any case."""
    return task.retries, failure_of(task.error_message), task.lock_expiration_time
