"""Which running process instances match a query."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from retriage.console.reading.pages import pages_by_id, pieces
from retriage.console.reading.selection import Instances
from retriage.store.contract.queries import ProcessInstanceQuery
from retriage.store.contract.records import ProcessInstance

MOST = 100_000
"""Instances that are looked up at most."""
PAGE = 1000
"""Instances of one question: their records are short."""


class InstanceLists(Protocol):
    """The part of the client that lists instances."""

    async def process_instances(self, query: ProcessInstanceQuery, first: int, size: int) -> list[ProcessInstance]:
        """A page of running instances."""
        ...


async def instance_ids(
    client: InstanceLists, query: ProcessInstanceQuery, progress: Callable[[int], None] | None = None, most: int = MOST
) -> set[str]:
    """Ids of the instances that match, of the first ``most`` or a page more by id where there are more.

    Args:
        client: lists instances.
        query: which ones.
        progress: is told how many are known, after every page.
        most: go on no further.

    Raises:
        EngineProblem: the engine did not answer.
    """
    found: set[str] = set()
    async for page in pages_by_id(client.process_instances, query, PAGE):
        found.update(instance.id for instance in page)
        if progress is not None:
            progress(len(found))
        if len(found) >= most:
            break
    return found


async def instance_pages(client: InstanceLists, selection: Instances) -> AsyncIterator[list[ProcessInstance]]:
    """The running instances of a selection, page by page, each once.

    Raises:
        EngineProblem: the engine did not answer.
    """
    if selection.ids is None:
        async for page in pages_by_id(client.process_instances, selection.query):
            yield [instance for instance in page if instance.id not in selection.but]
        return
    for some in pieces(sorted(selection.ids - selection.but)):
        yield await client.process_instances(ProcessInstanceQuery(process_instance_ids=list(some)), 0, len(some))
