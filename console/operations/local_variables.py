"""Set variables of tasks, or of scopes around them, that hide those of their process instances: a request each.

What each held is written down with the run, before anything is sent; an undo gives it back by the same requests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retriage.console.operations.hiders import by_execution
from retriage.console.operations.operation import WayBack
from retriage.console.operations.set_variables import Change, SetVariables, read_scopes
from retriage.console.operations.variable_values import Had, had_of
from retriage.console.reading.pages import pieces

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.journal import TaskBefore


@dataclass(frozen=True)
class SetLocal(SetVariables):
    """Set variables of executions alone: those of tasks, or of scopes around them, that hide what was set in the
    instance."""

    name = "set-local"
    verb = "Set local variables of"
    unit = "execution"

    @property
    def one_by_one(self) -> bool:
        """No batch reaches an execution."""
        return True

    async def has_now(self, client: EngineClient, ids: Sequence[str]) -> dict[str, Had]:
        """What those of these executions have that have some of the variables still."""
        found: dict[str, Had] = {}
        for some in pieces(ids):
            has = await read_scopes(client, some, self.variables)
            found |= {id: by_execution(there.values())[id] for id, there in has.items() if there}
        return found

    async def send_one(self, client: EngineClient, id: str, change: Change) -> None:
        """Of one execution."""
        await client.change_local_variables(id, *change)

    async def way_back(
        self, client: EngineClient, before: Sequence[TaskBefore], later: Collection[str], was: Mapping[str, str]
    ) -> WayBack:
        """Those that are still as they were set get what they had, a request each."""
        has = await self.has_now(client, [id for id, _ in before])
        way = WayBack(now=dict.fromkeys(has))
        for id, _ in before:
            if id not in has:
                way.left_alone["gone"] += 1
            elif id not in was:
                way.left_alone["unkept"] += 1
            elif not self.are_in(has[id]):
                way.left_alone["before" if has[id] == had_of(was[id]) else "changed"] += 1
            elif id in later:
                way.left_alone["later"] += 1
            else:
                way.back.setdefault(self.give_back(self.variables), []).append(id)
        return way
