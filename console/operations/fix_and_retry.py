"""Set variables of the process instances of external tasks, and give the tasks retries once their instances show them.

Both orders are those of :mod:`retriage.console.operations.set_variables` and :mod:`retriage.console.operations.retry`:
each is a launch of its own, by which it is watched, found again and undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from retriage.console.operations.frozen_tasks import freeze
from retriage.console.operations.hiders import Place, hiders_by_task
from retriage.console.operations.operation import AS_THEY_ARE, CheckedUnits, FreezeRules, FrozenUnits
from retriage.console.operations.retry import SetRetries
from retriage.console.operations.set_variables import LOCAL_LEFT_ALONE, UNKEPT, WHY_ALONE, SetVariables, one_by_one
from retriage.console.operations.task_work import TaskWork
from retriage.console.operations.variable_values import had_of, written
from retriage.console.reading.pages import pieces
from retriage.console.reading.selection import Instances, Selection
from retriage.console.text.inert import inert
from retriage.store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.reading.task_history import TaskLog
    from retriage.store.journal import RunTask
    from retriage.store.journal.run_records import FrozenTask

FIX_LEFT_ALONE = "fix-"
"""What the keys of :attr:`FixAndRetry.left_alone` begin with that are about instances."""


@dataclass(frozen=True)
class FixAndRetry(SetRetries):
    """Set the retries of tasks whose process instances show what was set before.

    Attributes:
        fix: what is set.
    """

    fix: SetVariables

    taken: ClassVar[str] = "to be retried"
    effect_said: ClassVar[str] = "once their instances show it"
    why_left_out: ClassVar[dict[str, str]] = {**SetVariables.why_left_out, **SetRetries.why_left_out}
    kinds = SetVariables.why_left_out
    also: ClassVar[dict[str, tuple[str, str]]] = {
        **SetVariables.also,
        "others": ("other open tasks of these instances", "get the new value, but no retries"),
    }
    left_alone: ClassVar[dict[str, str]] = {
        **SetRetries.left_alone,
        **{f"{FIX_LEFT_ALONE}{why}": f"instances {said}" for why, said in WHY_ALONE.items()},
        **LOCAL_LEFT_ALONE,
    }

    @property
    def arguments(self) -> str:
        """What is set."""
        return self.fix.arguments

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables that are set."""
        return self.fix.variables

    @property
    def options(self) -> list[str]:
        """Those of what is set."""
        return self.fix.options

    @property
    def aim(self) -> str:
        """The retries, and the names of what is set before."""
        return f"{super().aim}, once their instances have {', '.join(map(inert, self.variables))} set"

    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """As for retries, and what the instances have. Tasks of one instance follow one another. An instance that shows
        the values already is not set, and its tasks are taken.

        Raises:
            VariableMistake: a name that nobody has, types that differ, or a value that is none of its type.
        """
        assert not isinstance(selection, Instances), "retries are given to tasks"
        all_of_them = replace(rules, limit=None)
        frozen = await freeze(client, selection, self.retries, at, all_of_them, with_instances=True)
        read = await self.fix.read(client, list({task.process_instance or "": None for task in frozen.tasks}), rules)
        places = [Place(one.task_id, one.process_instance or "", one.instance) for one in frozen.tasks]
        hiders = await hiders_by_task(client, places, read.inside)
        by_instance: dict[str, list[FrozenTask]] = {}
        executions: set[str] = set()
        number = 0
        for task in frozen.tasks:
            instance = task.process_instance or ""
            if (why := read.left_out.get(instance, "")) and why != "already":
                frozen.left_out[why] += 1
                continue
            hiding = read.operation.unshown(hiders.get(task.task_id, {}))
            if hiding and not self.fix.local:
                frozen.left_out["local"] += 1
            elif any(value is None for had in hiding.values() for value in had.values()):
                frozen.left_out[UNKEPT] += 1
            elif rules.limit is None or number < rules.limit:
                was = written(had_of(read.was[instance]), hiding)
                by_instance.setdefault(instance, []).append(task._replace(was=was))
                executions.update(hiding)
                number += 1
        frozen.tasks = [task for tasks in by_instance.values() for task in tasks]
        frozen.operation, frozen.also = replace(self, fix=read.operation), read.also
        for some in pieces(list(by_instance)):
            await rules.turn()
            frozen.also["others"] += await client.count_external_tasks(ExternalTaskQuery(process_instance_id_in=some))
        frozen.also["others"], frozen.also["local"] = max(frozen.also["others"] - number, 0), len(executions)
        frozen.also = +frozen.also
        to_set = [read.was[id] for id in by_instance if id not in read.left_out]
        frozen.told, frozen.one_by_one = read.told, one_by_one(to_set)
        return frozen

    async def check(self, client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
        """What has changed since it was frozen is left out, and so are tasks of instances with another value by now."""
        has = await self.fix.had_by(client, list({task.process_instance or "": None for task in tasks}))
        inside = await self.fix.inside(client, has)
        await super().check(client, checked, tasks, log)
        places = [Place(task.task_id, task.process_instance or "", task.instance) for task in tasks]
        hiders = await hiders_by_task(client, [one for one in places if one.task in checked.taken], inside)
        for task in tasks:
            if task.task_id not in checked.taken:
                continue
            now = has[instance := task.process_instance or ""]
            shown = self.fix.are_in(now)
            why = "" if shown else self.fix.why_changed(now, task.was)
            why = why or self.fix.why_hidden(hiders.get(task.task_id, {}), task.was, checked)
            if why:
                checked.left_out[task.ordinal] = why
                del checked.taken[task.task_id]
            elif not shown:
                checked.to_set[instance] = None

    def work(self, since: datetime) -> TaskWork:
        """What workers make of the retries, which are given by launches of their own."""
        return TaskWork(SetRetries(self.retries), since)
