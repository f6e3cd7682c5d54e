"""What is known of a query before it is launched, found out with counts."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from retriage.console.reading.narrowed_queries import Trait, narrowed
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask

LOOK = 500
"""At most so many tasks that still have retries are listed to see how many each has."""
SAMPLE = 3
"""So many of the oldest tasks are read to be shown."""


class CountableTasks(Protocol):
    """The part of the client that a survey needs."""

    async def count_external_tasks(self, query: ExternalTaskQuery) -> int:
        """How many external tasks match."""
        ...

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


@dataclass(frozen=True)
class SelectionCounts:
    """Counts over a selection at one moment.

    Attributes:
        asked: tasks that the selection names: its ids, or what its query matches.
        found: those of them that exist.
        no_retries: with 0 retries: they have an incident, and setting them above 0 resolves it.
        retries_left: with retries above 0, or that never failed; the engine counts these two together.
        locked: of those with retries left: a worker holds them now, or they wait for their retry time.
        suspended: their process instance is suspended.
        retries: retries -> how many tasks have them, for those that have some left; ``None`` stands for never failed.
            Empty when it was not looked at (there are many), and then only ``retries_left`` is known.
        at: when it was counted.
        locked_until: when the last lock or retry time ends, where that was looked at.
        sample: the oldest of the tasks, of those without retries where there are some.
        delayed: nobody holds them, and no worker gets them before their retry time is over; where ``unsure`` is none,
            those with 0 retries, which a worker may hold all the same.
        unsure: of the locked ones, how many may only wait for their retry time; none where tasks were only counted.
        failed_suspended: of those with 0 retries, how many are suspended.
    """

    asked: int
    found: int
    no_retries: int
    retries_left: int
    locked: int
    suspended: int
    retries: Mapping[int | None, int]
    at: datetime
    locked_until: datetime | None = None
    sample: tuple[ExternalTask, ...] = ()
    delayed: int = 0
    unsure: int | None = None
    failed_suspended: int | None = None

    @property
    def gone(self) -> int:
        """Ids of tasks that no longer exist."""
        return max(0, self.asked - self.found)

    @property
    def looked(self) -> bool:
        """``retries`` tells of every task that has retries left."""
        return sum(self.retries.values()) >= self.retries_left

    def above(self, retries: int) -> int:
        """How many have more retries than this; at most so many, where it was not looked at."""
        if not self.looked:
            return self.retries_left
        return sum(number for has, number in self.retries.items() if has is not None and has > retries)


async def count_selection(client: CountableTasks, query: ExternalTaskQuery, look: int = LOOK) -> SelectionCounts:
    """Count what a query matches.

    Only counts are asked, and three short lists: the oldest tasks, the lock that ends last, and at most ``look`` tasks
    with retries left, when there are no more, to tell lowered from unchanged. The answers come a moment apart, so they
    need not add up to the last one.

    Raises:
        EngineProblem: the engine did not answer.
    """
    plain = query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
    found, none, left, held, suspended = await asyncio.gather(*(_count(client, plain, trait) for trait in _TRAITS))
    failed = narrowed(plain, "no_retries") if none else None
    sample = await client.external_tasks(_by(failed or plain, "createTime", "asc"), 0, SAMPLE)
    retries: Mapping[int | None, int] = {}
    if 0 < left <= look and (still := narrowed(plain, "retries_left")) is not None:
        retries = Counter(task.retries for task in await client.external_tasks(still, 0, look))
    delayed, failed_suspended = 0 if left else held, None
    if left and failed is not None:
        delayed = await _count(client, failed, "locked") if held else 0
        failed_suspended = await _count(client, failed, "suspended")
    until = None
    if held and (of_a_time := narrowed(plain, "locked")) is not None:
        last = await client.external_tasks(_by(of_a_time, "lockExpirationTime", "desc"), 0, 1)
        until = max((task.lock_expiration_time for task in last if task.lock_expiration_time), default=None)
    return SelectionCounts(
        found, found, none, left, max(held - delayed, 0), suspended, retries, datetime.now(UTC), until, tuple(sample),
        delayed=delayed, failed_suspended=failed_suspended,
    )  # fmt: skip


_TRAITS: tuple[Trait | None, ...] = (None, "no_retries", "retries_left", "locked", "suspended")


async def _count(client: CountableTasks, query: ExternalTaskQuery, trait: Trait | None) -> int:
    asked = query if trait is None else narrowed(query, trait)
    return 0 if asked is None else await client.count_external_tasks(asked)


def _by(query: ExternalTaskQuery, key: str, order: str) -> ExternalTaskQuery:
    return query.model_copy(update={"sort_by": key, "sort_order": order})
