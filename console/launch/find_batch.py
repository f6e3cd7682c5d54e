"""Which batch did a launch make that no answer tells of? Looks for it among the batches of the engine.

A batch is *certainly* that of the launch when it is the only one that can be meant and what it does to the tasks proves
it, or its user where the tasks show nothing. Until then it is *probably* it: another console may have launched the same
tasks in the same minute.
That there is none is proven by a look over the whole time in which it would have begun, after that time has passed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from retriage.console.launch.newest_batches import FoundBatch, NewestBatches, batches_since
from retriage.console.operations.evidence import Before, Effect, ordered_values, orders_since
from retriage.console.operations.operation import Operation
from retriage.console.text.words import clock
from retriage.store.contract.operations import UserOperation
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.records import Batch, BatchStatistics

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient

EARLY = timedelta(seconds=2)
"""How much earlier than the launch was sent its batch may have begun: clocks are compared to the second."""
CLOCKS = timedelta(minutes=10)
"""How much earlier one may seem to have begun where the time of the answers is not the engine's: a proxy on the way
writes its own into them (nginx does so unless it is told otherwise)."""
LATE = timedelta(minutes=10)
"""How much later it may have begun: an engine collects all ids before it makes the batch. A later one is another's."""

Whose = Literal["certain", "probable", "other"]
"""A batch is certainly, or probably, that of the launch, or it is another's."""


@dataclass(frozen=True)
class SoughtLaunch:
    """A launch of which no answer proves what became of it.

    Attributes:
        number: its number in the journal; ``None`` where it is not written down.
        operation: what it does.
        tasks: how many units it takes: those it names, or as they were counted.
        exact: it names its units by id, so that its batch has exactly so many.
        sent_at: when it was sent, by the engine's clock.
        user: who logged in; empty where nobody did, or it is not known as whom.
        sample: some of its units with what they had before.
        batch_id: the batch that is probably its own already.
        newest_before: when the newest batch of its type began that was there before it was sent, by the engine's own
            records, which no proxy changes; ``None`` where that is not known.
    """

    number: int | None
    operation: Operation
    tasks: int
    exact: bool
    sent_at: datetime
    user: str = ""
    sample: tuple[Before, ...] = ()
    batch_id: str | None = None
    newest_before: datetime | None = None

    def was_not_there(self, one: FoundBatch) -> bool:
        """The batch began after all that were there before the launch was sent. Of times in whole seconds several
        batches have the same."""
        before = self.newest_before
        if before is None:
            return self.earliest <= one.start <= self.latest
        return one.start > before or (one.start == before and not before.microsecond)

    @property
    def earliest(self) -> datetime:
        """When its batch may have begun at the earliest."""
        return self.sent_at - EARLY

    @property
    def latest(self) -> datetime:
        """When its batch may have begun at the latest."""
        return self.sent_at + LATE


@dataclass(frozen=True)
class Finding:
    """What a look has shown.

    Attributes:
        at: when the engine was asked, by its clock.
        batch: the batch that the launch made.
        certain: something proves that it is its own.
        perhaps: where several may be it, or one whose number of jobs is another: those, the likeliest first.
        absent: what proves that the launch was not carried out, in words; empty where nothing does.
        effect: its tasks have what it sets, and its batch is gone without a trace.
        disproved: the batch that was probably its own is another's.
        over: no later look can show more.
        moved: its tasks are no longer as they were, though that proves nothing.
    """

    at: datetime
    batch: BatchStatistics | None = None
    certain: bool = False
    perhaps: tuple[BatchStatistics, ...] = ()
    absent: str = ""
    effect: bool = False
    disproved: bool = False
    over: bool = False
    moved: bool = False


async def look_for(client: EngineClient, launch: SoughtLaunch, known: Collection[str] = ()) -> Finding:
    """Look once for the batch of a launch. The engine may still be at work on the order.

    Args:
        client: the engine.
        launch: what is looked for.
        known: batches that other launches made.

    Raises:
        EngineProblem: the engine did not answer; nothing was learnt.
    """
    seen = await batches_since(client, launch.newest_before or launch.sent_at - CLOCKS, launch.operation.batch_type)
    mine = candidates(launch, seen.found, known)
    since = min([launch.sent_at, *(one.start for one in mine)])
    logged_as = launch.operation.logged_as
    log = await orders_since(client, since - EARLY, logged_as) if mine and logged_as else []
    mine = [one for one in mine if not _ordered_otherwise(launch, one, log)]
    late = seen.at > launch.latest
    there = any(one.batch.id == launch.batch_id for one in seen.found)
    vanished = launch.batch_id is not None and not there
    effect, early = Effect(), _too_early(launch, seen.found, known) if late and not mine else []
    unproven = late and not mine and (early or not seen.history)
    if launch.sample and (any(one.worked for one in mine) or vanished or unproven):
        effect = await launch.operation.effect(client, launch.sample, since)
    if vanished:
        return Finding(seen.at, effect=effect.ours > 0, over=late)
    mine = [one for one in mine if whose(launch, one, len(mine) == 1, effect) != "other"]
    if mine:
        found = _found(launch, mine, effect, seen.at, late)
    else:
        found = _nothing(launch, seen, effect, early) if late else Finding(seen.at)
    moved = bool(effect.gone or effect.unclear) and not effect.unchanged
    return replace(found, moved=moved, disproved=there and all(one.batch.id != launch.batch_id for one in mine))


def candidates(launch: SoughtLaunch, found: Sequence[FoundBatch], known: Collection[str] = ()) -> list[FoundBatch]:
    """Batches that can be meant: not there before, nobody else's, and with a job for each task where tasks were named.
    Where several are, those of the time at which it was sent, as far as that is the engine's time."""
    new = [one for one in _meant(launch, found, known) if launch.was_not_there(one)]
    return [one for one in new if launch.earliest <= one.start <= launch.latest] or new


def _too_early(launch: SoughtLaunch, found: Sequence[FoundBatch], known: Collection[str]) -> list[FoundBatch]:
    """Batches that could be meant if the engine's clock is behind the one that its answers show."""
    if launch.newest_before is not None:
        return []
    return [one for one in _meant(launch, found, known) if one.start < launch.earliest]


def _meant(launch: SoughtLaunch, found: Sequence[FoundBatch], known: Collection[str]) -> list[FoundBatch]:
    return [
        one
        for one in found
        if one.batch.id not in known
        and _may_be_of(launch.user, one.batch)
        and (not launch.exact or fits(launch, one.batch))
    ]


def whose(launch: SoughtLaunch, one: FoundBatch, alone: bool, effect: Effect) -> Whose:
    """Whose a batch is that can be meant.

    Args:
        launch: what is looked for.
        one: the batch.
        alone: no other can be meant.
        effect: what has become of the tasks.
    """
    if one.through and effect.none:
        return "other"
    if not alone:
        return "probable"
    if one.worked and effect.ours:
        return "certain"
    if one.worked and effect.another:
        return "other"
    # One account may log in to two consoles: its name proves nothing while tasks are as they were, or no job has run.
    if launch.sample and (not one.worked or effect.unchanged):
        return "probable"
    # Of a query more or fewer tasks may be taken than were counted; then a user alone is no proof.
    return "certain" if launch.user and one.batch.create_user_id and fits(launch, one.batch) else "probable"


def _found(launch: SoughtLaunch, mine: Sequence[FoundBatch], effect: Effect, at: datetime, late: bool) -> Finding:
    over = late and all(one.ended for one in mine)
    if len(mine) == 1 and whose(launch, mine[0], True, effect) == "certain":
        return Finding(at, mine[0].batch, certain=True, over=True)
    fitting = [one.batch for one in mine if fits(launch, one.batch)]
    kept = [one.batch for one in mine if one.batch.id == launch.batch_id]
    for only in (kept, fitting):
        if len(only) == 1:
            return Finding(at, only[0], over=over)
    likeliest = sorted(mine, key=lambda one: abs(one.batch.total_jobs - jobs_of(launch.tasks, one.batch)))
    return Finding(at, perhaps=tuple(one.batch for one in likeliest), over=over)


def _nothing(launch: SoughtLaunch, seen: NewestBatches, effect: Effect, early: Sequence[FoundBatch]) -> Finding:
    """The time is over, and no batch can be meant, unless the engine's clock is behind."""
    untouched = bool(effect.unchanged) and not (effect.ours or effect.another or effect.unclear)
    if early and not (untouched and all(one.worked for one in early)):
        if len(early) == 1 and early[0].worked and effect.ours:
            return Finding(seen.at, early[0].batch, certain=True, over=True)
        return Finding(seen.at, perhaps=tuple(one.batch for one in early), over=True)
    between = f"no such batch began between {clock(launch.earliest)} and {clock(launch.latest)}"
    if launch.newest_before is not None:
        between = "no such batch has begun since it was sent"
    if not seen.whole:
        return Finding(seen.at, over=True)
    if seen.history:
        proof = f"{between}, running or ended (looked at {clock(seen.at)})"
        return Finding(seen.at, absent=proof, over=True)
    # Somebody who may not read batches is shown empty lists (observed on Camunda 7.24.0).
    readable = not launch.user or seen.any
    if readable and untouched:
        proof = f"{between}, and {launch.operation.units(effect.unchanged)} of it still unchanged at {clock(seen.at)}"
        return Finding(seen.at, absent=proof, over=True)
    return Finding(seen.at, effect=effect.ours > 0, over=True)


def _ordered_otherwise(launch: SoughtLaunch, one: FoundBatch, log: Sequence[UserOperation]) -> bool:
    """The user operation log says that the batch sets another number."""
    values = ordered_values(log, one.start, one.batch.create_user_id)
    return bool(values) and str(launch.operation.retries) not in values


def _may_be_of(user: str, batch: Batch) -> bool:
    return not user or batch.create_user_id is None or batch.create_user_id.casefold() == user.casefold()


def fits(launch: SoughtLaunch, batch: Batch) -> bool:
    """The batch has as many jobs as the launch has tasks."""
    return batch.total_jobs == jobs_of(launch.tasks, batch)


def jobs_of(tasks: int, batch: Batch) -> int:
    """``totalJobs`` of a batch over so many tasks: rounded up once over all of them."""
    return -(-tasks // max(1, batch.invocations_per_batch_job))


def names_all(order: SetExternalTaskRetries) -> bool:
    """The order names its tasks by id, and none by instance or query."""
    by_other_means = (
        order.process_instance_ids,
        order.external_task_query,
        order.process_instance_query,
        order.historic_process_instance_query,
    )
    return all(source is None for source in by_other_means)
