"""What becomes of the instances of one wave whose activity is skipped or repeated: is the activity instance gone that
each had before, and was it cancelled?

Cancelled is what a modification does to it, completed what a worker does. A boundary event that cancels it between the
last look and the batch is taken for the modification. Without a history only that it is gone is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.engine.errors import Refused
from retriage.console.operations.evidence import SAME_MOMENT
from retriage.console.operations.instance_operation import InstanceWork
from retriage.console.reading.pages import Pages, believed, pages_by_id, pieces
from retriage.store.contract.history import HistoricActivityInstance, HistoricActivityInstanceQuery
from retriage.store.contract.queries import ExternalTaskQuery, Sorting

if TYPE_CHECKING:
    from retriage.console.batches.outcome import SeenBefore
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.instance_operation import InstanceOperation
    from retriage.console.operations.work_counts import Decided
    from retriage.store.contract.records import ExternalTask, ProcessInstance

PAGES = 8
"""So many pages of cancelled activity instances are read in one look."""
ONE_BY_ONE = 20
"""So many activity instances that are not among the cancelled ones are asked for by id in one look."""
_IN_ORDER = [Sorting(sort_by="endTime", sort_order="asc"), Sorting(sort_by="activityInstanceId", sort_order="asc")]


async def tasks_at(client: EngineClient, activity: str, ids: Sequence[str]) -> dict[str, list[ExternalTask]]:
    """The external tasks of instances at an activity, by instance; without those that have none. These are requested
    once more: an empty answer proves no absence.

    Args:
        client: lists them.
        activity: id of the activity.
        ids: of the instances.

    Raises:
        EngineProblem: the engine did not answer.
    """
    found: dict[str, list[ExternalTask]] = {}
    for some in pieces(ids):
        for _ in range(2):
            if missing := [id for id in some if id not in found]:
                query = ExternalTaskQuery(process_instance_id_in=missing, activity_id=activity)
                async for page in pages_by_id(client.external_tasks, query):
                    for task in page:
                        if task.activity_id == activity:
                            found.setdefault(task.process_instance_id, []).append(task)
    return found


def cancelled_since(
    client: EngineClient, activity: str, since: datetime, definition: str = ""
) -> Pages[HistoricActivityInstance]:
    """The way through the activity instances that were cancelled from then on, the earliest first.

    Args:
        client: lists them.
        activity: id of the activity.
        since: when, by the engine's clock; two seconds before count too.
        definition: of this version of the process only; of all where it is empty.
    """
    query = HistoricActivityInstanceQuery(
        activity_id=activity, canceled=True, finished_after=since - SAME_MOMENT,
        process_definition_id=definition or None, sorting=_IN_ORDER,
    )  # fmt: skip

    async def read(first: int, size: int) -> list[HistoricActivityInstance]:
        return await client.historic_activity_instances(query, first, size)

    return Pages(read)


class ModificationWork(InstanceWork):
    """Instances of a wave whose activity is cancelled.

    Args:
        operation: what they were sent for.
        since: when the first of them were sent, by the engine's clock.
        activity: id of the activity.
    """

    def __init__(self, operation: InstanceOperation, since: datetime, activity: str) -> None:
        super().__init__(operation, since)
        self._activity = activity
        self._had: dict[str, frozenset[str]] = {}
        """Instance -> the activity instances that it had at the activity."""
        self._cancelled: set[str] = set()
        """Activity instances that were cancelled since the wave was sent, as far as they were read."""
        self._read_until = since
        """When the last of these was."""
        self._way: Pages[HistoricActivityInstance] | None = None
        """The way through those that were not read yet; none once it was read to its end."""

    def known_before(self, before: Mapping[str, SeenBefore]) -> None:
        """The activity instances that they had."""
        self._had |= {id: frozenset(seen.instance.split()) for id, seen in before.items()}

    async def outcomes(
        self, client: EngineClient, page: Sequence[str], running: Mapping[str, ProcessInstance], over: bool
    ) -> dict[str, Decided]:
        """Of those whose activity instances are all gone, how these ended; an instance may have ended with them."""
        there = await tasks_at(client, self._activity, list(running))
        now = {id: {task.activity_instance_id for task in tasks} for id, tasks in there.items()}
        left = [id for id in page if self._had_of(id).isdisjoint(now.get(id, ()))]
        known = [id for id in left if self._had_of(id)]
        found: dict[str, Decided] = dict.fromkeys(known, "done")
        if self.history == "kept":
            found = await self._ends(client, known)
            # Where the instance has ended its job fails, so that the batch did nothing to it.
            found |= {id: "gone" for id, what in found.items() if what == "changed" and id not in running}
        if over:
            # Nobody wrote down what some had: whether these were reached is not known.
            found |= dict.fromkeys((id for id in page if not self._had_of(id)), "unknown")
            found |= dict.fromkeys((id for id in page if id not in left), "changed")
        return found

    def _had_of(self, id: str) -> frozenset[str]:
        return self._had.get(id, frozenset())

    async def _ends(self, client: EngineClient, ids: Sequence[str]) -> dict[str, Decided]:
        """How the activity of instances ended that was left: cancelled by the modification, or completed before it."""
        try:
            whole = await self._read_cancelled(client) if any(not self._was_cancelled(id) for id in ids) else True
            ours: dict[str, Decided] = {id: "done" for id in ids if self._was_cancelled(id)}
            rest = [id for id in ids if id not in ours][:ONE_BY_ONE] if whole else []
            return ours | {id: what for id in rest if (what := await self._end(client, id)) is not None}
        except Refused as problem:
            if not problem.says_never:
                raise
            return dict.fromkeys(ids, "unknown")

    def _was_cancelled(self, id: str) -> bool:
        return not self._had_of(id).isdisjoint(self._cancelled)

    async def _read_cancelled(self, client: EngineClient) -> bool:
        """Read on from the last one that was read; whether all were read."""
        way = self._way = self._way or cancelled_since(client, self._activity, self._read_until)
        for _ in range(PAGES):
            for one in await way.next():
                self._cancelled.add(one.id)
                self._read_until = max(self._read_until, one.end_time or self._read_until)
            if way.ended:
                self._way = None
                return True
        return False

    async def _end(self, client: EngineClient, id: str) -> Decided | None:
        """The same of one, by its first activity instance; ``None`` while it is not known to have ended."""
        query = HistoricActivityInstanceQuery(activity_instance_id=min(self._had_of(id)))
        found = await believed(client.historic_activity_instances, query, 0, 1)
        if not found:
            return "unknown"
        if found[0].end_time is None:
            return None
        return "done" if found[0].canceled else "changed"
