"""Set the retries of external tasks, and what that has in common with jobs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.rights import LAUNCH, LAUNCH_THESE
from retriage.console.operations.evidence import Before, Effect, effect_on
from retriage.console.operations.frozen_tasks import freeze
from retriage.console.operations.operation import (
    AS_THEY_ARE,
    CheckedUnits,
    FreezeRules,
    FrozenUnits,
    Operation,
    WayBack,
)
from retriage.console.operations.task_check import CHANGES, check
from retriage.console.operations.task_work import TaskWork
from retriage.console.reading.selected_tasks import read_selected_tasks
from retriage.console.reading.selection import Instances, Marked, Selection
from retriage.console.text.words import things
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, SET_EXTERNAL_TASK_RETRIES

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.reading.task_history import TaskLog
    from retriage.store.journal import RunTask, TaskBefore


@dataclass(frozen=True)
class GivesRetries(Operation):
    """Set the retries of tasks or jobs to a number, 0 or more."""

    retries: int

    @property
    def aim(self) -> str:
        """With the noun."""
        return f"to {things(self.retries, 'retry', 'retries')}"

    @property
    def brief_aim(self) -> str:
        """The number alone."""
        return f"to {self.retries}"

    @property
    def mark(self) -> str:
        """The number."""
        return str(self.retries)

    @property
    def each(self) -> str:
        """The number that is set."""
        return f"retries {self.retries}"

    @property
    def state(self) -> str:
        """The number that they have."""
        return f"have {self.retries}"

    @property
    def gets_back(self) -> str:
        """The retries that they had."""
        return f"get back {things(self.retries, 'retry', 'retries')}"

    def back_said(self, number: int) -> str:
        """Which retries they get back."""
        gets = things(number, f"{self.unit} gets", f"{self.unit}s get")
        return f"{gets} back {things(self.retries, 'retry', 'retries')}."

    @property
    def back_aim(self) -> str:
        """To what they had."""
        return f"back to {self.retries}"

    @abstractmethod
    def with_retries(self, retries: int) -> Operation:
        """Return the operation that sets another number."""

    def sort(
        self,
        before: Iterable[tuple[str, int | None]],
        now: dict[str, int | None],
        locked: Collection[str],
        later: Collection[str] = (),
        unsure: Collection[str] = (),
    ) -> WayBack:
        """Decide about some units.

        Args:
            before: their ids with the retries that they had before the launch.
            now: the retries that they have now; those that are missing have ended.
            locked: those that a worker or the job executor holds, or may hold.
            later: those that were part of a later launch.
            unsure: those of the locked ones that may only wait for their retry time.
        """
        way = WayBack(now=now)
        for id, former in before:
            if id not in now:
                way.left_alone["gone"] += 1
            elif now[id] != self.retries:
                way.left_alone["before" if now[id] == former else "changed"] += 1
            elif id in later:
                way.left_alone["later"] += 1
            elif id in locked:
                way.left_alone["maybe-locked" if id in unsure else "locked"] += 1
            elif former is None:
                way.left_alone["never"] += 1
            elif former == self.retries:
                way.left_alone["same"] += 1
            else:
                way.back.setdefault(self.with_retries(former), []).append(id)
        return way


@dataclass(frozen=True)
class SetRetries(GivesRetries):
    """Set the retries of external tasks to a number, 0 or more."""

    name = "retry"
    verb = "Retry"
    unit = "task"
    gated = True
    batch_type = SET_EXTERNAL_TASK_RETRIES
    rights = (LAUNCH, LAUNCH_THESE)
    why_left_out = CHANGES
    logged_as = "SetExternalTaskRetries"
    incident_type = FAILED_EXTERNAL_TASK
    left_alone: ClassVar[dict[str, str]] = {
        "never": "had never failed, which cannot be set",
        "gone": "ended",
        "undone": "set back already by an undo",
        "again": "failed again since: what they have now is not of this launch",
        "unset": "not known to be set by this launch: its batch was deleted before it was through",
        "before": "with the retries of before: never set, or set back",
        "changed": "with other retries by now: taken by a worker, or set by somebody",
        "later": "launched again since",
        "locked": "locked by a worker",
        "maybe-locked": "locked by a worker, or in their retry time",
        "same": "had the same retries before",
    }

    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """What a launch leaves out unless it is taken in, a run leaves out too."""
        assert not isinstance(selection, Instances), "this is done to tasks"
        return await freeze(client, selection, self.retries, at, rules)

    async def check(self, client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
        """What has changed since it was frozen is left out."""
        await check(client, checked, tasks, log)

    def request(self, ids: Sequence[str]) -> BatchRequest:
        """By the ids of the tasks."""
        return BatchRequest(SetExternalTaskRetries(retries=self.retries, external_task_ids=list(ids)))

    def work(self, since: datetime) -> TaskWork:
        """What workers make of the retries."""
        return TaskWork(self, since)

    async def effect(self, client: EngineClient, sample: Sequence[Before], since: datetime) -> Effect:
        """The retries that tasks have since."""
        return await effect_on(client, sample, self.retries, since)

    async def way_back(
        self, client: EngineClient, before: Sequence[TaskBefore], later: Collection[str], was: Mapping[str, str]
    ) -> WayBack:
        """Tasks get the retries that they had, where they still have those that were set."""
        selection = Marked(frozenset(task.task_id for task in before))
        selected_tasks = await read_selected_tasks(client, selection)
        assert selected_tasks is not None, "nothing limits this reading"
        return self.sort(before, selected_tasks.retries, selected_tasks.held, later, selected_tasks.unsure)

    def with_retries(self, retries: int) -> SetRetries:
        """The retries alone, also where something else was done before."""
        return SetRetries(retries)
