"""The tasks that a run is frozen over: read once, the oldest first, with what tells a later failure from this one."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2s
from typing import TYPE_CHECKING

from console.causes.fold import fold
from console.launch.preview import BY_HAND, Kind, kind_of
from console.reading.selected_tasks import Lists, task_pages
from console.reading.selection import Everything, Marked, Selection
from store.journal.run_records import FrozenTask

if TYPE_CHECKING:
    from console.runs.page_limit import PageLimit
    from store.contract.records import ExternalTask

FREEZE_EVERY = 0.1
"""Seconds between two pages while a run is frozen: nothing of it is at work yet, and what is read should be of one
moment; 100,000 tasks take 20 seconds."""
FOLDED = 50
"""Error messages of a page that are folded to their causes, 0.1 ms each: the event loop is not to be held up."""
MERGED = 1000
"""Tasks that are put into their order before the event loop has its turn."""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class FrozenTasks:
    """What a selection names, of one moment.

    Attributes:
        at: when reading began, by the engine's clock.
        tasks: those that the run takes, the oldest first.
        left_out: kind -> how many it does not take.
        causes: topic and cause -> how many of its tasks had failed so, about: of each page some are looked at.
    """

    at: datetime
    tasks: list[FrozenTask] = field(default_factory=list)
    left_out: Counter[Kind] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)


async def freeze(
    client: Lists,
    selection: Selection,
    retries: int,
    at: datetime,
    *,
    included: frozenset[Kind] = frozenset(),
    wanted: Callable[[ExternalTask], bool] = lambda task: True,
    limit: int | None = None,
    limit_pages: PageLimit | None = None,
    progress: Callable[[int], object] = lambda number: None,
) -> FrozenTasks:
    """Read the tasks of a selection. What a launch leaves out unless it is taken in, a run leaves out too.

    Args:
        client: lists tasks.
        selection: whose tasks.
        retries: the value to set.
        at: now, by the engine's clock.
        included: kinds that are taken in.
        wanted: what the console itself looks for.
        limit: take so many at most, the oldest.
        limit_pages: how often a page is asked for; as fast as they come where it is none.
        progress: is told how many are known, after every page.

    Raises:
        EngineProblem: the engine did not answer.
    """
    frozen = FrozenTasks(at)
    but = selection.but if isinstance(selection, Everything) else frozenset()
    seen: set[str] = set()
    pages: list[list[tuple[datetime, str, FrozenTask]]] = []
    number = 0
    async for page in task_pages(client, selection):
        frozen.causes += causes_of(page)
        found: list[tuple[datetime, str, FrozenTask]] = []
        for task in page:
            if task.id in seen or task.id in but or not wanted(task):
                continue
            seen.add(task.id)
            kind = kind_of(task.retries, retries)
            if kind in BY_HAND and kind not in included and not (kind == "lowered" and retries == 0):
                frozen.left_out[kind] += 1
                continue
            one = FrozenTask(task.id, task.retries, failure_of(task.error_message))
            found.append((task.create_time or _NEVER, task.id, one))
        pages.append(sorted(found))
        number += len(found)
        progress(number)
        if limit_pages is not None:
            await limit_pages.wait()
    if isinstance(selection, Marked) and (gone := len(selection.ids - seen)):
        frozen.left_out["gone"] += gone
    for place, (_, _, one) in enumerate(heapq.merge(*pages)):
        if place == limit:
            break
        frozen.tasks.append(one)
        if place % MERGED == 0:
            await asyncio.sleep(0)
    return frozen


def causes_of(tasks: Sequence[ExternalTask]) -> Counter[tuple[str, str]]:
    """Topics and causes of tasks -> how many there are, about: some of them, spread over all, stand for the rest."""
    step = max(1, len(tasks) // FOLDED)
    found = Counter((task.topic_name, fold(task.error_message)) for task in tasks[::step] if task.error_message)
    return Counter({cause: number * step for cause, number in found.items()})


def failure_of(message: str | None) -> str:
    """What tells one error message from another in a few letters; empty where there is none."""
    return "" if message is None else blake2s(message.encode(errors="replace"), digest_size=8).hexdigest()
