"""Suspend process instances, or activate them: no worker gets tasks of a suspended one and none of its jobs runs, until
it is active again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from retriage.console.engine.batch_request import SET_SUSPENDED, BatchRequest
from retriage.console.engine.rights import LAUNCH, SUSPEND_THESE
from retriage.console.operations.instance_operation import LEFT_ALONE, InstanceOperation
from retriage.console.text.words import things
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.records import INSTANCE_SUSPENSION

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.operation import Operation
    from retriage.store.contract.records import ProcessInstance


@dataclass(frozen=True)
class _SetSuspended(InstanceOperation):
    """Suspends, or activates."""

    suspended: ClassVar[bool]
    done: ClassVar[str]

    batch_type = INSTANCE_SUSPENSION
    rights = (LAUNCH, SUSPEND_THESE)

    @property
    def aim(self) -> str:
        """What becomes of them."""
        return f"to be {self.done}"

    @property
    def mark(self) -> str:
        """The letter of the state."""
        return "S" if self.suspended else "a"

    @property
    def each(self) -> str:
        """What becomes of one."""
        return f"instances {self.done}"

    @property
    def state(self) -> str:
        """What they are."""
        return f"are {self.done}"

    @property
    def gets_back(self) -> str:
        """What they were."""
        return f"are {self.done} again"

    def back_said(self, number: int) -> str:
        """What becomes of them again."""
        return f"{things(number, 'instance is', 'instances are')} {self.done} again."

    @property
    def back_aim(self) -> str:
        """To what they were."""
        return f"{self.done} again"

    def why_not(self, instance: ProcessInstance) -> str:
        """One that is already what it is to become: an undo leaves it alone too."""
        return "already" if instance.suspended is self.suspended else ""

    async def reached(self, client: EngineClient, running: Mapping[str, ProcessInstance]) -> set[str]:
        """Those that are what they were to become."""
        return {id for id, one in running.items() if one.suspended is self.suspended}

    def back_to(self, was: str) -> Operation:
        """The other way: what was so before was not sent."""
        return Activate() if self.suspended else Suspend()

    def request(self, ids: Sequence[str]) -> BatchRequest:
        """By the ids of the instances."""
        order = SetInstancesSuspended(process_instance_ids=list(ids), suspended=self.suspended)
        return BatchRequest(order, SET_SUSPENDED)


@dataclass(frozen=True)
class Suspend(_SetSuspended):
    """Suspend process instances."""

    name = "suspend"
    verb = "Suspend"
    suspended = True
    done = "suspended"
    why_left_out = kinds = {"gone": "ended", "already": "suspended already"}
    taken = "active"
    effect_said = "no worker gets its tasks, no job runs"
    left_alone: ClassVar[dict[str, str]] = {
        **LEFT_ALONE, "changed": "activated by now", "later": "suspended or activated again since",
    }  # fmt: skip


@dataclass(frozen=True)
class Activate(_SetSuspended):
    """Activate suspended process instances."""

    name = "activate"
    verb = "Activate"
    suspended = False
    done = "activated"
    why_left_out = kinds = {"gone": "ended", "already": "active already"}
    taken = "suspended"
    effect_said = "workers get its tasks, its jobs run"
    left_alone: ClassVar[dict[str, str]] = {
        **LEFT_ALONE, "changed": "suspended by now", "later": "suspended or activated again since",
    }  # fmt: skip
