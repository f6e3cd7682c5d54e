"""Cancel process instances: they end, with their tasks and incidents, and with the instances that they call; nothing
brings them back.

In an instance that calls one of them the call is cancelled: it ends where nothing else of it runs, and so does what
calls that one. With another branch at work it goes on, and may wait for ever where branches join (observed on Camunda
7.24.0)."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from retriage.console.engine.batch_request import CANCEL, BatchRequest
from retriage.console.engine.errors import Refused
from retriage.console.engine.rights import CANCEL_THESE, LAUNCH
from retriage.console.operations.evidence import SAME_MOMENT, Before, Effect
from retriage.console.operations.instance_operation import InstanceOperation, instances_of
from retriage.console.operations.operation import AS_THEY_ARE, FreezeRules, FrozenUnits
from retriage.console.reading.pages import PAGE, pieces, present
from retriage.store.contract.orders import DeleteInstances
from retriage.store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from retriage.store.contract.records import INSTANCE_DELETION

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.engine.history_level import History
    from retriage.console.operations.work_counts import Decided
    from retriage.console.reading.selection import Instances, Selection
    from retriage.store.contract.records import HistoricProcessInstance, ProcessInstance

COUNTED = 10_000
"""Instances whose tasks, incidents, callers and called ones are counted, the first ones."""
FAMILIES = 100
"""So many instances that call others, or are called, are asked which ones."""
TERMINATED = ("EXTERNALLY_TERMINATED", "INTERNALLY_TERMINATED")
"""States in which the history has a cancelled instance."""


@dataclass(frozen=True)
class Cancel(InstanceOperation):
    """Cancel process instances.

    Attributes:
        reason: is kept with each of them; may be empty.
        skip: what the engine does not do for them.
    """

    reason: str = ""
    skip: tuple[str, ...] = ()

    name = "cancel"
    verb = "Cancel"
    batch_type = INSTANCE_DELETION
    rights = (LAUNCH, CANCEL_THESE)
    why_left_out = kinds = {"gone": "ended, or not to be read by this user"}
    taken = "running"
    effect_said = "cancelled, suspended ones too"
    skips = ("listeners", "mappings", "called")
    no_way_back = "There is no way back: what is cancelled cannot be brought to life again."
    also: ClassVar[dict[str, tuple[str, str]]] = {
        "tasks": ("external tasks", "end with them, locked or not"),
        "incidents": ("of them with an incident", "which is deleted, not resolved"),
        "calling": ("instances that call them", "END too where nothing else runs"),
        "called": ("instances that they call", "END too, unless skipped"),
        "unread": ("of these", "may call more, or be called by more"),
        "uncounted": ("of them", "were not asked what ends with them"),
    }

    def because(self, reason: str, skip: Sequence[str]) -> Cancel:
        """With both."""
        return replace(self, reason=reason, skip=tuple(word for word in self.skips if word in skip))

    @property
    def arguments(self) -> str:
        """What is skipped; the reason stands with the run and with its launches."""
        return json.dumps({"skip": list(self.skip)})

    @property
    def delete_reason(self) -> str | None:
        """As the engine keeps it."""
        return self.reason or None

    @property
    def aim(self) -> str:
        """What becomes of them."""
        return "to be cancelled"

    @property
    def mark(self) -> str:
        """The sign of what has ended."""
        return "x"

    @property
    def each(self) -> str:
        """What becomes of one."""
        return "instances cancelled"

    @property
    def state(self) -> str:
        """What they are."""
        return "are cancelled"

    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """All that run and that this user may read: the batch has no user, and would cancel any other as well."""
        frozen = await super().freeze(client, selection, at, rules)
        frozen.also = await _what_ends_too(client, [task.task_id for task in frozen.tasks], rules)
        return frozen

    async def reached(self, client: EngineClient, running: Mapping[str, ProcessInstance]) -> set[str]:
        """None that runs was."""
        return set()

    async def ended(self, client: EngineClient, ids: Sequence[str], history: History) -> dict[str, Decided]:
        """Cancelled by the wave, ended by itself, or cancelled by somebody else, whose reason is another."""
        if history != "kept":
            return dict.fromkeys(ids, "done")
        found: dict[str, Decided] = dict.fromkeys(ids, "unknown")
        for one in await _history_of(client, ids):
            ours = one.delete_reason == self.delete_reason
            found[one.id] = "gone" if one.state not in TERMINATED else "done" if ours else "cancelled"
        return found

    def request(self, ids: Sequence[str]) -> BatchRequest:
        """By the ids of the instances."""
        order = DeleteInstances(process_instance_ids=list(ids), delete_reason=self.delete_reason)
        flags = {"listeners": "skip_custom_listeners", "mappings": "skip_io_mappings", "called": "skip_subprocesses"}
        return BatchRequest(order.model_copy(update={flags[word]: True for word in self.skip}), CANCEL)

    async def effect(self, client: EngineClient, sample: Sequence[Before], since: datetime) -> Effect:
        """Those that were terminated since, with this reason; how others ended that run no more proves nothing."""
        ids = [id for id, _ in sample]
        running = await instances_of(client, ids)
        gone = [id for id in ids if id not in running]
        try:
            ended = [one for one in await _history_of(client, gone) if one.state in TERMINATED]
        except Refused as problem:
            if not problem.says_never:
                raise
            ended = []
        late = [one for one in ended if one.end_time is not None and one.end_time >= since - SAME_MOMENT]
        ours = sum(one.delete_reason == self.delete_reason for one in late)
        return Effect(ours=ours, unchanged=len(running), gone=len(gone) - ours)


async def _history_of(client: EngineClient, ids: Sequence[str]) -> list[HistoricProcessInstance]:
    async def read(some: Sequence[str]) -> list[HistoricProcessInstance]:
        query = HistoricProcessInstanceQuery(process_instance_ids=list(some))
        return await client.historic_process_instances(query, 0, len(some))

    found: list[HistoricProcessInstance] = []
    for some in pieces(ids):
        found += (await present(read, some)).values()
    return found


async def _what_ends_too(client: EngineClient, ids: Sequence[str], rules: FreezeRules) -> Counter[str]:
    """What else ends with these instances, as far as this user may read it.

    Raises:
        EngineProblem: the engine did not answer.
    """
    also = Counter(uncounted=max(len(ids) - COUNTED, 0))
    related: list[str] = []
    for some in pieces(ids[:COUNTED]):
        await rules.turn()
        also["tasks"] += await client.count_external_tasks(ExternalTaskQuery(process_instance_id_in=list(some)))
        named = ProcessInstanceQuery(process_instance_ids=list(some))
        also["incidents"] += await client.count_process_instances(named.model_copy(update={"with_incident": True}))
        alone = named.model_copy(update={"root_process_instances": True, "leaf_process_instances": True})
        free = {one.id for one in await client.process_instances(alone, 0, len(some))}
        related += [id for id in some if id not in free]
    return also + await _families(client, related, set(ids), rules)


async def _families(client: EngineClient, ids: Sequence[str], taken: set[str], rules: FreezeRules) -> Counter[str]:
    """Instances that call these, up to the top, and those that these call, down to the last; what is taken is not."""
    found, seen = Counter[str](), set(taken)
    ways: tuple[tuple[str, Callable[[str], ProcessInstanceQuery]], ...] = (
        ("calling", lambda id: ProcessInstanceQuery(sub_process_instance=id)),
        ("called", lambda id: ProcessInstanceQuery(super_process_instance=id)),
    )
    for what, query in ways:
        open = deque(ids)
        for _ in range(FAMILIES):
            if not open:
                break
            await rules.turn()
            page = await client.process_instances(query(open.popleft()), 0, PAGE)
            new = [one.id for one in page if one.id not in seen]
            seen.update(new)
            open += new
            found[what] += len(new)
            found["unread"] += len(page) == PAGE
        found["unread"] = max(found["unread"], len(open))
    return found
