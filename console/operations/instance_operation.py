"""What is done to process instances, and what becomes of those of one wave: each shows itself whether the operation has
reached it."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.operations.evidence import Before, Effect
from retriage.console.operations.operation import (
    AS_THEY_ARE,
    CheckedUnits,
    FreezeRules,
    FrozenUnits,
    Operation,
    WayBack,
)
from retriage.console.operations.units_in_turn import UnitsInTurn
from retriage.console.operations.work_counts import Decided, WorkCounts
from retriage.console.reading.instance_ids import instance_pages
from retriage.console.reading.pages import pieces, present
from retriage.console.reading.selection import Instances, Selection
from retriage.store.contract.queries import ProcessInstanceQuery
from retriage.store.journal.run_records import FrozenTask

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.engine.history_level import History
    from retriage.console.reading.task_history import TaskLog
    from retriage.store.contract.records import ProcessInstance
    from retriage.store.journal import RunTask, TaskBefore


LEFT_ALONE = {
    "gone": "ended",
    "undone": "set back already by an undo",
    "unset": "not known to be changed by this launch: its batch was deleted before it was through",
}
"""Why instances are left alone by the undo of every operation that has one."""


async def instances_of(client: EngineClient, ids: Sequence[str]) -> dict[str, ProcessInstance]:
    """Those of these instances that run, by id.

    Raises:
        EngineProblem: the engine did not answer.
    """

    async def read(some: Sequence[str]) -> list[ProcessInstance]:
        return await client.process_instances(ProcessInstanceQuery(process_instance_ids=list(some)), 0, len(some))

    found: dict[str, ProcessInstance] = {}
    for some in pieces(ids):
        found |= await present(read, some)
    return found


class InstanceOperation(Operation):
    """What is done to process instances: how they are read and looked at again, and what an undo does to each."""

    unit = "instance"
    gated = False

    def why_not(self, instance: ProcessInstance) -> str:
        """Why one that runs is left out, a key of ``why_left_out``; empty where it is taken."""
        return ""

    @abstractmethod
    async def reached(self, client: EngineClient, running: Mapping[str, ProcessInstance]) -> set[str]:
        """Ids of those running instances which show that the operation has reached them.

        Raises:
            EngineProblem: the engine did not answer.
        """

    async def ended(self, client: EngineClient, ids: Sequence[str], history: History) -> dict[str, Decided]:
        """What those have come to that run no more.

        Args:
            client: is asked.
            ids: of these instances.
            history: whether it shows how they ended.

        Raises:
            EngineProblem: the engine did not answer.
        """
        return dict.fromkeys(ids, "gone")

    async def are_back(self, client: EngineClient, was: Mapping[str, str]) -> set[str]:
        """Ids of those running instances which show what they had before.

        Args:
            client: lists them.
            was: id -> what it had, as the run wrote it down.

        Raises:
            EngineProblem: the engine did not answer.
        """
        return set()

    def back_to(self, was: str) -> Operation | str:
        """What gives an instance back what it had, or a key of ``left_alone``.

        Args:
            was: what it had, as the run wrote it down.
        """
        return "changed"

    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """In the order of their ids."""
        assert isinstance(selection, Instances), "this is done to instances"
        frozen, number = FrozenUnits(at), 0
        async for page in instance_pages(client, selection):
            number += len(page)
            for instance in page:
                if why := self.why_not(instance):
                    frozen.left_out[why] += 1
                else:
                    frozen.tasks.append(FrozenTask(instance.id, None))
            rules.progress(number)
            await rules.turn()
        if selection.ids is not None and (gone := len(selection.ids) - number):
            frozen.left_out["gone"] += gone
        frozen.tasks = sorted(frozen.tasks)[: rules.limit]
        return frozen

    async def check(self, client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
        """Those that have ended since they were frozen, or would not be taken now, are left out."""
        running = await instances_of(client, [task.task_id for task in tasks])
        for task in tasks:
            now = running.get(task.task_id)
            if why := "gone" if now is None else self.why_not(now):
                checked.left_out[task.ordinal] = why
            else:
                checked.taken[task.task_id] = None

    def work(self, since: datetime) -> InstanceWork:
        """Which of them it has reached."""
        return InstanceWork(self, since)

    async def effect(self, client: EngineClient, sample: Sequence[Before], since: datetime) -> Effect:
        """Which of them it has reached: none had been before, and no worker does that."""
        running = await instances_of(client, [id for id, _ in sample])
        ours = len(await self.reached(client, running))
        return Effect(ours=ours, unchanged=len(running) - ours, gone=len(sample) - len(running))

    async def way_back(
        self, client: EngineClient, before: Sequence[TaskBefore], later: Collection[str], was: Mapping[str, str]
    ) -> WayBack:
        """Those that are still as they were set get what they had."""
        running = await instances_of(client, [task.task_id for task in before])
        reached, way = await self.reached(client, running), WayBack(now=dict.fromkeys(running))
        back = await self.are_back(client, {id: was[id] for id in running if id not in reached and id in was})
        for id, _ in before:
            if id not in running:
                way.left_alone["gone"] += 1
            elif id not in reached:
                way.left_alone["before" if id in back else "changed"] += 1
            elif id in later:
                way.left_alone["later"] += 1
            elif isinstance(to := self.back_to(was.get(id, "")), str):
                way.left_alone[to] += 1
            else:
                way.back.setdefault(to, []).append(id)
        return way


class InstanceWork(UnitsInTurn):
    """Instances of a wave that were sent. A look reads a page of those that are not decided, in turn."""

    def __init__(self, operation: InstanceOperation, since: datetime) -> None:
        super().__init__(operation, since)
        self._reaches = operation

    async def look(self, client: EngineClient) -> WorkCounts:
        """Ask for a page of the instances that are not decided."""
        await self.look_at_batch(client)
        # As it is read after the batch has ended, one that shows nothing of it then was set otherwise by somebody.
        over = self.all_set
        page, at = self.next_page(), datetime.now(UTC)
        running = await instances_of(client, page)
        decided = await self.outcomes(client, page, running, over)
        self.decide(decided)
        rest = [id for id in page if id not in decided]
        self.looked_at(page, at, rest)
        return self.counts

    async def outcomes(
        self, client: EngineClient, page: Sequence[str], running: Mapping[str, ProcessInstance], over: bool
    ) -> dict[str, Decided]:
        """What those of a page have come to that are decided by now.

        Args:
            client: is asked.
            page: ids of instances that were sent.
            running: those of them that run.
            over: the batches had reached all of theirs before these were read.

        Raises:
            EngineProblem: the engine did not answer.
        """
        found = await self._reaches.ended(client, [id for id in page if id not in running], self.history)
        found |= dict.fromkeys(await self._reaches.reached(client, running), "done")
        return found | dict.fromkeys((id for id in running if over and id not in found), "changed")

    @property
    def counts(self) -> WorkCounts:
        """What has become of all of them by now."""
        decided = Counter(self.decided.values())
        return WorkCounts(
            done=decided["done"],
            not_set=self.left + self.unsent,
            changed=decided["changed"],
            gone=decided["gone"],
            cancelled=decided["cancelled"],
            unknown=decided["unknown"],
        )
