"""The tasks that a run is frozen over: read once, the oldest first, with what tells a later failure from this one."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.batches.task_state import failure_of
from retriage.console.causes.fold import fold
from retriage.console.operations.operation import AS_THEY_ARE, FreezeRules, FrozenUnits
from retriage.console.operations.preview import BY_HAND, kind_of
from retriage.console.reading.pages import pieces
from retriage.console.reading.selected_tasks import SelectionLists, task_pages
from retriage.console.reading.selection import Everything, Marked, Selection
from retriage.store.journal.run_records import FrozenTask

if TYPE_CHECKING:
    from retriage.store.contract.records import ExternalTask

FREEZE_EVERY = 0.1
"""Seconds between two pages while a run is frozen: nothing of it is at work yet, and what is read should be of one
moment; 100,000 tasks take 20 seconds."""
FOLDED = 50
"""Error messages that are folded to their causes at once, 0.1 ms each: the event loop is not to be held up."""
SAMPLE = 2_000
"""So many of the tasks that a run takes are read once more for their causes, evenly from the first to the last."""
MERGED = 1000
"""Tasks that are put into their order before the event loop has its turn."""
_NEVER = datetime.max.replace(tzinfo=UTC)


async def freeze(
    client: SelectionLists,
    selection: Selection,
    retries: int,
    at: datetime,
    rules: FreezeRules = AS_THEY_ARE,
    *,
    with_instances: bool = False,
) -> FrozenUnits:
    """Read the tasks of a selection. What a launch leaves out unless it is taken in, a run leaves out too.

    Args:
        client: lists tasks.
        selection: whose tasks.
        retries: the value to set.
        at: now, by the engine's clock.
        rules: which of them, and how fast.
        with_instances: keep the process instance of each.

    Raises:
        EngineProblem: the engine did not answer.
    """
    frozen = FrozenUnits(at)
    but = selection.but if isinstance(selection, Everything) else frozenset()
    seen: set[str] = set()
    pages: list[list[tuple[datetime, str, FrozenTask]]] = []
    number = 0
    async for page in task_pages(client, selection):
        found: list[tuple[datetime, str, FrozenTask]] = []
        for task in page:
            if task.id in seen or task.id in but or not rules.wanted(task):
                continue
            seen.add(task.id)
            kind = kind_of(task.retries, retries)
            if kind in BY_HAND and kind not in rules.included and not (kind == "lowered" and retries == 0):
                frozen.left_out[kind] += 1
                continue
            one = FrozenTask(
                task.id, task.retries, failure_of(task.error_message), task.lock_expiration_time,
                task.activity_instance_id, process_instance=task.process_instance_id if with_instances else None,
            )  # fmt: skip
            found.append((task.create_time or _NEVER, task.id, one))
        pages.append(sorted(found))
        number += len(found)
        rules.progress(number)
        await rules.turn()
    if isinstance(selection, Marked) and (gone := len(selection.ids - seen)):
        frozen.left_out["gone"] += gone
    for place, (_, _, one) in enumerate(heapq.merge(*pages)):
        if place == rules.limit:
            break
        frozen.tasks.append(one)
        if place % MERGED == 0:
            await asyncio.sleep(0)
    step = -(-len(frozen.tasks) // SAMPLE) or 1
    for some in pieces([one.task_id for one in frozen.tasks[::step]]):
        page = [task async for page in task_pages(client, Marked(frozenset(some))) for task in page]
        for first in range(0, len(page), FOLDED):
            found_causes = causes_of(page[first : first + FOLDED])
            frozen.causes += Counter({cause: number * step for cause, number in found_causes.items()})
            await asyncio.sleep(0)
        await rules.turn()
    return frozen


def causes_of(tasks: Sequence[ExternalTask]) -> Counter[tuple[str, str]]:
    """Topics and causes of tasks -> how many there are, about: some of them, spread over all, stand for the rest."""
    step = max(1, len(tasks) // FOLDED)
    found = Counter((task.topic_name, fold(task.error_message)) for task in tasks[::step] if task.error_message)
    return Counter({cause: number * step for cause, number in found.items()})
