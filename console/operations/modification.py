"""Skip or repeat an activity of process instances: their external tasks there are cancelled, and each instance goes on
behind the activity, or begins it anew.

The order of the instructions is part of it: with the cancel last, the token that was just started goes too, and the
instance ends. A batch takes instances of one version of a process only: a wave is sent in parts, one for each version.

Where instances are is read from the list of external tasks, 500 instances a question: the engine shows the activity
instances of one instance at a time only. What waits at an activity without an external task is not taken.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar

from retriage.console.batches.outcome import SeenBefore
from retriage.console.engine.batch_request import MODIFY, BatchRequest
from retriage.console.engine.errors import Refused
from retriage.console.engine.rights import LAUNCH, MODIFY_THESE
from retriage.console.operations.evidence import Before, Effect
from retriage.console.operations.instance_operation import InstanceOperation, instances_of
from retriage.console.operations.modification_work import ModificationWork, cancelled_since, tasks_at
from retriage.console.operations.operation import AS_THEY_ARE, CheckedUnits, FreezeRules, FrozenUnits
from retriage.console.reading.failure_proofs import IncidentTimes, last_failures
from retriage.console.reading.lock_states import lock_state
from retriage.console.reading.pages import pieces
from retriage.console.reading.process_activity import ProcessActivity, activity_of_process
from retriage.console.reading.task_history import TaskLog
from retriage.console.text.inert import inert
from retriage.console.text.words import things
from retriage.store.contract.modification import Instruction, ModifyInstances
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import INSTANCE_MODIFICATION
from retriage.store.journal.run_records import FrozenTask

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.reading.selection import Instances, Selection
    from retriage.store.contract.records import ExternalTask, ProcessInstance
    from retriage.store.journal import RunTask

MOST_READ = 30_000
"""Cancelled activity instances that are read to find a batch that no answer tells of."""


@dataclass(frozen=True)
class Modification(InstanceOperation):
    """Cancel what instances do at an activity, and start them again there or behind it.

    Attributes:
        activity: its id.
        definition: the version of the process whose instances one batch takes; empty until that is known.
        all_tokens: instances with several tokens at the activity are taken too: all of them become one.
        locked: instances are taken too whose task a worker holds.
        reason: is kept in the user operation log; may be empty.
        skip: what the engine does not do for them.
    """

    activity: str = ""
    definition: str = ""
    all_tokens: bool = False
    locked: bool = False
    reason: str = ""
    skip: tuple[str, ...] = ()

    starts: ClassVar[str]
    """``type`` of the instruction that follows the cancel."""

    batch_type = INSTANCE_MODIFICATION
    rights = (LAUNCH, MODIFY_THESE)
    why_left_out = kinds = {
        "gone": "ended, or not to be read by this user",
        "suspended": "suspended",
        "elsewhere": "without a task at this activity",
        "several": "several times there (--all-tokens takes them)",
        "held": "held by a worker (--locked takes them)",
        "changed": "at this activity anew since",
        "branches": "of a version in which several sequence flows leave the activity",
        "ends": "of a version in which no sequence flow leaves the activity",
        "multi": "of a version in which it is a multi-instance activity",
        "unread": "of a version whose BPMN file does not show the activity, or cannot be read",
    }
    taken = "at this activity"
    skips = ("listeners", "mappings")
    also: ClassVar[dict[str, tuple[str, str]]] = {
        "free": ("tasks a worker may take first", "their instances go on TWICE then"),
        "tokens": ("more tokens at this activity", "are cancelled too: one is left in each instance"),
        "others": ("other external tasks of them", "stay as they are"),
    }

    def because(self, reason: str, skip: Sequence[str]) -> Modification:
        """With both."""
        return replace(self, reason=reason, skip=tuple(word for word in self.skips if word in skip))

    def told(self, arguments: Mapping[str, Any]) -> Modification:
        """With what the journal has."""
        activity, definition = arguments.get("activity"), arguments.get("definition")
        return replace(
            self,
            activity=activity if isinstance(activity, str) else "",
            definition=definition if isinstance(definition, str) else "",
            all_tokens=arguments.get("allTokens") is True,
            locked=arguments.get("locked") is True,
        )

    @property
    def arguments(self) -> str:
        """All but the reason, which stands with the run and with its launches."""
        return json.dumps({
            "activity": self.activity, "definition": self.definition, "allTokens": self.all_tokens,
            "locked": self.locked, "skip": list(self.skip),
        })  # fmt: skip

    @property
    def options(self) -> list[str]:
        """The activity, and what is taken too."""
        words = ["--activity", self.activity]
        return [*words, *["--all-tokens"] * self.all_tokens, *["--locked"] * self.locked]

    @property
    def aim(self) -> str:
        """What becomes of them."""
        return f"to {self.word} {inert(self.activity)}"

    # -- which units ------------------------------------------------------------------------------------------------

    def why_not(self, instance: ProcessInstance) -> str:
        """The batch job of a suspended one fails (observed on Camunda 7.24.0)."""
        return "suspended" if instance.suspended else ""

    @abstractmethod
    def why_not_here(self, drawn: ProcessActivity) -> str:
        """Why it cannot be done where an activity is drawn so, a key of ``why_left_out``; empty where it can."""

    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """Those that wait at the activity, by versions of their process."""
        frozen = await super().freeze(client, selection, at, replace(rules, limit=None))
        drawn: dict[str, ProcessActivity] = {}
        found: list[tuple[str, FrozenTask, int, int]] = []
        for some in pieces([task.task_id for task in frozen.tasks]):
            await rules.turn()
            there = await tasks_at(client, self.activity, some)
            held = await self._held(client, there)
            for id in some:
                tasks = there.get(id, [])
                why = self._why_left_out(tasks, held)
                definition = tasks[0].process_definition_id if tasks else ""
                if not why and definition not in drawn:
                    drawn[definition] = await activity_of_process(client, definition, self.activity)
                if why := why or self.why_not_here(drawn[definition]):
                    frozen.left_out[why] += 1
                    continue
                was = json.dumps({"definition": definition})
                one = FrozenTask(id, None, instance=_activity_instances(tasks), was=was)
                found.append((definition, one, len(tasks), sum(task.retries != 0 for task in tasks)))
        found = sorted(found, key=lambda one: one[:2])[: rules.limit]
        frozen.tasks = [one for _, one, _, _ in found]
        tokens = sum(one[2] for one in found)
        frozen.also = Counter(free=sum(one[3] for one in found), tokens=tokens - len(found), others=-tokens)
        for some in pieces([one.task_id for one in frozen.tasks]):
            await rules.turn()
            frozen.also["others"] += await client.count_external_tasks(ExternalTaskQuery(process_instance_id_in=some))
        frozen.also = +frozen.also
        if found:
            frozen.operation = replace(self, definition=found[0][0])
            frozen.told = self._notes({definition: drawn[definition] for definition, *_ in found})
        return frozen

    def _notes(self, drawn: Mapping[str, ProcessActivity]) -> list[str]:
        """What else there is to know of the versions whose instances are taken."""
        number = len(drawn)
        return [f"{things(number, 'process version')}: each wave sends a batch for each."] if number > 1 else []

    async def check(self, client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
        """Those that have left the activity since, or would not be taken now, are left out. Of the others those of one
        version are taken; the rest is neither, so that it is sent later."""
        running = await instances_of(client, [task.task_id for task in tasks])
        there = await tasks_at(client, self.activity, list(running))
        held = await self._held(client, there)
        for task in tasks:
            now, at = running.get(task.task_id), there.get(task.task_id, [])
            if now is None:
                checked.left_out[task.ordinal] = "gone"
            elif why := self.why_not(now) or self._why_left_out(at, held, task.instance):
                checked.left_out[task.ordinal] = why
            else:
                if not isinstance(checked.operation, Modification):
                    checked.operation = replace(self, definition=now.definition_id)
                if checked.operation.definition == now.definition_id:
                    checked.taken[task.task_id] = None
                    checked.before[task.task_id] = SeenBefore("", "", None, None, _activity_instances(at))

    def _why_left_out(self, tasks: Sequence[ExternalTask], held: set[str], was: str | None = None) -> str:
        """Why an instance with these tasks at the activity is left out, a key of ``why_left_out``; empty where not.

        Args:
            tasks: as they are now.
            held: ids of those that a worker holds.
            was: the activity instances that were written down; ``None`` where none were.
        """
        if not tasks:
            return "elsewhere"
        if was is not None and was != _activity_instances(tasks):
            return "changed"
        if len(tasks) > 1 and not self.all_tokens:
            return "several"
        return "held" if not self.locked and any(task.id in held for task in tasks) else ""

    async def _held(self, client: EngineClient, there: Mapping[str, Sequence[ExternalTask]]) -> set[str]:
        """Ids of the tasks that a worker holds, or may hold."""
        tasks, now = [task for some in there.values() for task in some], client.engine_now()
        unsure = [task for task in tasks if lock_state(task, now) == "either"]
        failures = await last_failures(client, TaskLog(now), IncidentTimes(), unsure)
        return {task.id for task in tasks if lock_state(task, now, failures.get(task.id)) in ("worker", "either")}

    # -- what is sent, and what comes of it -------------------------------------------------------------------------

    def at_once(self, tasks: Sequence[FrozenTask]) -> Sequence[FrozenTask]:
        """Those of the same version as the first: they are in the order of their versions."""
        return list(takewhile(lambda task: task.was == tasks[0].was, tasks))

    def request(self, ids: Sequence[str]) -> BatchRequest:
        """By the ids of the instances, the cancel first."""
        order = ModifyInstances(
            process_definition_id=self.definition,
            process_instance_ids=list(ids),
            instructions=[Instruction(type=what, activity_id=self.activity) for what in ("cancel", self.starts)],
        )
        flags = {"listeners": "skip_custom_listeners", "mappings": "skip_io_mappings"}
        given: dict[str, Any] = {flags[word]: True for word in self.skip}
        return BatchRequest(
            order.model_copy(update=given | ({"annotation": self.reason} if self.reason else {})), MODIFY
        )

    def work(self, since: datetime) -> ModificationWork:
        """Whose task at the activity was cancelled."""
        return ModificationWork(self, since, self.activity)

    async def reached(self, client: EngineClient, running: Mapping[str, ProcessInstance]) -> set[str]:
        """An instance does not show it: what it had before is compared by its work."""
        return set()

    async def effect(self, client: EngineClient, sample: Sequence[Before], since: datetime) -> Effect:
        """Those whose activity was cancelled since, by the history; without any, those that are not there any more may
        have been completed by workers."""
        ids = [id for id, _ in sample]
        running = await instances_of(client, ids)
        there = await tasks_at(client, self.activity, list(running))
        ours = await self._cancelled_of(client, set(ids), since)
        rest = [id for id in ids if id not in ours]
        return Effect(
            ours=len(ours),
            unchanged=sum(id in there for id in rest),
            unclear=sum(id in running and id not in there for id in rest),
            gone=sum(id not in running for id in rest),
        )

    async def _cancelled_of(self, client: EngineClient, ids: set[str], since: datetime) -> set[str]:
        """Which of these instances had the activity cancelled since."""
        found: set[str] = set()
        way = cancelled_since(client, self.activity, since, self.definition)
        try:
            while not way.ended and found != ids and way.looked < MOST_READ:
                found |= {one.process_instance_id or "" for one in await way.next()} & ids
        except Refused as problem:
            if not problem.says_never:
                raise
        return found


@dataclass(frozen=True)
class Skip(Modification):
    """Let instances go on behind an activity, without its work done."""

    name = "skip"
    verb = "Skip an activity of"
    starts = "startAfterActivity"
    effect_said = "go on behind it, work not done"
    no_way_back = "There is no way back: a task that was skipped is gone."

    @property
    def mark(self) -> str:
        """Past it."""
        return ">"

    @property
    def each(self) -> str:
        """What becomes of one."""
        return f"{inert(self.activity)} skipped"

    @property
    def state(self) -> str:
        """Where they are."""
        return f"are past {inert(self.activity)}"

    def why_not_here(self, drawn: ProcessActivity) -> str:
        """The engine goes on behind an activity only where one sequence flow leaves it (observed on Camunda 7.24.0)."""
        if not drawn.readable:
            return "unread"
        if drawn.repeated:
            return "multi"
        return "" if drawn.ways == 1 else "branches" if drawn.ways else "ends"

    def _notes(self, drawn: Mapping[str, ProcessActivity]) -> list[str]:
        gateways = sorted({one.chooses for one in drawn.values() if one.chooses})
        chosen = f"Behind it {', '.join(map(inert, gateways))} decides by the variables of now: its worker sets none."
        return [*super()._notes(drawn), *([chosen] if gateways else [])]


@dataclass(frozen=True)
class Repeat(Modification):
    """Begin an activity of instances anew: the task is cancelled, and a new one is there."""

    name = "repeat"
    verb = "Repeat an activity of"
    starts = "startBeforeActivity"
    effect_said = "begin it anew, with a new task"
    no_way_back = "There is no way back: the task that was there, with its incident and its local variables, is gone."

    @property
    def mark(self) -> str:
        """Round again."""
        return "<"

    @property
    def each(self) -> str:
        """What becomes of one."""
        return f"{inert(self.activity)} begun anew"

    @property
    def state(self) -> str:
        """Where they are."""
        return f"have begun {inert(self.activity)} anew"

    def why_not_here(self, drawn: ProcessActivity) -> str:
        """How many sequence flows leave it does not matter."""
        return "unread" if not drawn.readable else "multi" if drawn.repeated else ""


def _activity_instances(tasks: Sequence[ExternalTask]) -> str:
    """The activity instances of tasks, as they are written down: their ids hold no blank."""
    return " ".join(sorted(task.activity_instance_id for task in tasks))
