"""What is known of a selection before it is launched, found out with counts."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from console.triage.narrow import Trait, among, narrowed
from console.triage.selection import Everything, Selection
from store.contract.queries import ExternalTaskQuery
from store.contract.records import ExternalTask

SLICE = 1000
"""Ids in one question: the engine cuts longer lists at this length itself."""

LOOK = 500
"""At most so many tasks that still have retries are listed to see how many each has."""


class Questions(Protocol):
    """The part of the client that a survey needs."""

    async def count_external_tasks(self, query: ExternalTaskQuery) -> int:
        """How many external tasks match."""
        ...

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...


@dataclass(frozen=True)
class Facts:
    """Counts over a selection at one moment.

    Attributes:
        asked: tasks that the selection names: its ids, or what its query matches.
        found: those of them that exist.
        no_retries: with 0 retries: they have an incident, and setting them above 0 resolves it.
        retries_left: with retries above 0, or that never failed; the engine counts these two together.
        locked: a worker holds them now.
        suspended: their process instance is suspended.
        retries: retries -> how many tasks have them, for those that have some left; ``None`` stands for never failed.
            Empty when it was not looked at (there are many), and then only ``retries_left`` is known.
        at: when it was counted.
    """

    asked: int
    found: int
    no_retries: int
    retries_left: int
    locked: int
    suspended: int
    retries: Mapping[int | None, int]
    at: datetime

    @property
    def gone(self) -> int:
        """Ids of tasks that no longer exist."""
        return max(0, self.asked - self.found)

    @property
    def looked(self) -> bool:
        """``retries`` tells of every task that has retries left."""
        return sum(self.retries.values()) >= self.retries_left

    @property
    def never_failed(self) -> int | None:
        """Tasks that never failed; ``None`` when that was not looked at."""
        return self.retries.get(None, 0) if self.looked else None


async def survey(client: Questions, selection: Selection, look: int = LOOK) -> Facts:
    """Count what a selection holds.

    Only counts are asked, and one list of at most ``look`` tasks: those with retries left, when there are no more, to
    tell lowered from unchanged. The counts come from questions a moment apart, so they need not add up to the last one.

    Raises:
        EngineProblem: the engine did not answer.
    """
    parts = _parts(selection)
    taken_out = _taken_out(selection)
    found, none, left, locked, suspended = await asyncio.gather(
        *(_difference(client, parts, taken_out, trait) for trait in _TRAITS)
    )
    retries: Mapping[int | None, int] = {}
    if 0 < left <= look:
        retries = await _distribution(client, parts, selection, look)
    asked = found if isinstance(selection, Everything) else len(selection.ids)
    return Facts(asked, found, none, left, locked, suspended, retries, datetime.now(UTC))


_TRAITS: tuple[Trait | None, ...] = (None, "no_retries", "retries_left", "locked", "suspended")


def _parts(selection: Selection) -> list[ExternalTaskQuery]:
    """Queries that together, and without overlap, are the selection (before anything is taken out)."""
    if isinstance(selection, Everything):
        return [_plain(selection.query)]
    return _sliced(ExternalTaskQuery(), selection.ids)


def _taken_out(selection: Selection) -> list[ExternalTaskQuery]:
    return _sliced(_plain(selection.query), selection.but) if isinstance(selection, Everything) else []


def _plain(query: ExternalTaskQuery) -> ExternalTaskQuery:
    return query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})


def _sliced(query: ExternalTaskQuery, ids: Iterable[str]) -> list[ExternalTaskQuery]:
    rest = iter(sorted(ids))
    slices = []
    while some := list(islice(rest, SLICE)):
        if (part := among(query, some)) is not None:
            slices.append(part)
    return slices


async def _difference(
    client: Questions, parts: list[ExternalTaskQuery], out: list[ExternalTaskQuery], trait: Trait | None
) -> int:
    taken, dropped = await asyncio.gather(_sum(client, parts, trait), _sum(client, out, trait))
    return max(0, taken - dropped)


async def _sum(client: Questions, parts: list[ExternalTaskQuery], trait: Trait | None) -> int:
    queries = [part if trait is None else narrowed(part, trait) for part in parts]
    counts = [client.count_external_tasks(query) for query in queries if query is not None]
    return sum(await asyncio.gather(*counts))


async def _distribution(
    client: Questions, parts: list[ExternalTaskQuery], selection: Selection, look: int
) -> Mapping[int | None, int]:
    queries = [query for part in parts if (query := narrowed(part, "retries_left")) is not None]
    but = selection.but if isinstance(selection, Everything) else frozenset()
    pages = await asyncio.gather(*(client.external_tasks(query, 0, look + len(but)) for query in queries))
    return Counter(task.retries for page in pages for task in page if task.id not in but)
