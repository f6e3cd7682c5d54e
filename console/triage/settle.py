"""From a selection that the engine cannot be told as a query to the ids of its tasks."""

from collections.abc import Callable

from console.triage.narrow import among
from console.triage.selection import Everything, Marked, Selection, named_by_query
from console.triage.survey import Questions
from store.contract.queries import ExternalTaskQuery, Sorting

PAGE = 1000


async def settled(client: Questions, selection: Selection, progress: Callable[[int], None] | None = None) -> Selection:
    """The selection as it can be launched: itself, or its ids where no query can say it.

    Args:
        client: lists the tasks.
        selection: what was taken.
        progress: is told how many ids are known, after every page.

    Raises:
        EngineProblem: the engine did not answer.
    """
    if isinstance(selection, Marked) or named_by_query(selection):
        return selection
    return Marked(frozenset(await listed(client, selection, progress)))


async def living(client: Questions, ids: frozenset[str]) -> frozenset[str]:
    """Those of the ids whose tasks still exist.

    Raises:
        EngineProblem: the engine did not answer.
    """
    known, alive = sorted(ids), set[str]()
    for start in range(0, len(known), PAGE):
        query = among(ExternalTaskQuery(), known[start : start + PAGE])
        assert query is not None
        alive.update(task.id for task in await client.external_tasks(query, 0, PAGE))
    return frozenset(alive)


async def listed(client: Questions, selection: Everything, progress: Callable[[int], None] | None = None) -> set[str]:
    """Ids of all tasks of a selection, page by page in the order of their ids.

    Tasks that end meanwhile make the later ones move up. So every page begins with the last row of the one before, and
    when that row is not there any more the page is asked for again further up, until it joins what is known.
    """
    query = selection.query.model_copy(
        update={"sort_by": None, "sort_order": None, "sorting": [Sorting(sort_by="id", sort_order="asc")]}
    )
    found: set[str] = set()
    first = 0
    while True:
        page = [task.id for task in await client.external_tasks(query, first, PAGE)]
        if first and (not page or page[0] not in found):
            first = max(0, first - PAGE // 2)
            continue
        found.update(page)
        if progress is not None:
            progress(len(found - selection.but))
        if len(page) < PAGE:
            return found - selection.but
        first += PAGE - 1
