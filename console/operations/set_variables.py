"""Set variables of process instances, in the scope of the instance: workers see them when they fetch a task next.

What each instance had is written down with the run, before anything is sent; an undo gives it back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from retriage.console.engine.batch_request import SET_VARIABLES as PATH
from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.rights import LAUNCH, SET_VARIABLES_OF_THESE
from retriage.console.operations.hiders import Inside, by_execution, variables_inside
from retriage.console.operations.instance_operation import LEFT_ALONE, InstanceOperation, instances_of
from retriage.console.operations.operation import AS_THEY_ARE, CheckedUnits, FreezeRules, FrozenUnits, Operation
from retriage.console.operations.variable_values import (
    Had,
    Hiders,
    SetValue,
    TypedVariable,
    VariableMistake,
    had_of,
    hiders_of,
    resolved,
    value_of,
    written,
)
from retriage.console.reading.pages import believed, pieces
from retriage.console.text.inert import inert
from retriage.console.text.words import count, things
from retriage.store.contract.orders import SetInstancesVariables
from retriage.store.contract.records import SET_VARIABLES
from retriage.store.contract.variables import VariableInstanceQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.reading.selection import Instances, Selection
    from retriage.console.reading.task_history import TaskLog
    from retriage.store.contract.records import ProcessInstance
    from retriage.store.contract.variables import VariableInstance
    from retriage.store.journal import RunTask
    from retriage.store.journal.records import OperationName

T = TypeVar("T")
Change = tuple[dict[str, Any], list[str]]
"""Variables that are set, and names of those that are deleted."""
MOST_SHOWN = 3
"""So many values of a variable are named, the most frequent ones."""
MOST_WAYS = 50
"""So many different former values are put back by an undo with a batch each. Of more, the most frequent ones that
several instances had; the others, and variables that were absent, are put back with a request for each instance."""
UNKEPT = "unreadable"
WHY_ALONE = {
    **LEFT_ALONE, "before": "with the value of before: never set, or set back",
    "changed": "with another value by now", "later": "set again since",
    "unkept": "of which nobody wrote down what they had",
    "forbidden": "need a request each, which this user has no right to (UPDATE_VARIABLE)",
}  # fmt: skip
"""Why instances are left alone by an undo."""
LOCAL = "local-"
"""What the keys of :attr:`SetVariables.left_alone` begin with that are about executions."""
LOCAL_LEFT_ALONE = {f"{LOCAL}{why}": f"executions {said}" for why, said in WHY_ALONE.items()}


@dataclass
class ReadValues:
    """What instances have before some variables of them are set.

    Attributes:
        operation: the same with the types that were found.
        was: id -> what it has, to be written down.
        left_out: id -> why it is not set, a key of :attr:`SetVariables.why_left_out`.
        also: a key of :attr:`SetVariables.also` -> how many.
        told: a sentence about each variable, for the operator's eyes alone.
        inside: variables within the instances.
    """

    operation: SetVariables
    was: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    also: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    inside: Inside = field(default_factory=dict)

    def take_hiders(self) -> None:
        """Set the variables within the instances too: what they hold is to be written down."""
        for id, some in self.inside.items():
            hiding = self.operation.unshown(by_execution(some))
            if any(value is None for had in hiding.values() for value in had.values()):
                self.left_out.setdefault(id, UNKEPT)
            elif hiding:
                self.was[id] = written(had_of(self.was[id]), hiding)
            if hiding and self.left_out.get(id) == "already":
                del self.left_out[id]


@dataclass(frozen=True)
class SetVariables(InstanceOperation):
    """Set variables of process instances, or give each back what it had itself, by a request of its own.

    Attributes:
        values: what is set; of some the type is not known before the instances were read.
        given: the same as the operator typed it; empty once it is resolved.
        only_if: what an instance must have.
        new: the names may be such that no instance has.
        local: variables of tasks that hide the new value are set too, with a request each.
        gives_back: names of variables of which each gets back what it had; nothing else is given then.
    """

    values: tuple[SetValue, ...] = ()
    given: tuple[TypedVariable, ...] = ()
    only_if: tuple[TypedVariable, ...] = ()
    new: bool = False
    local: bool = False
    gives_back: tuple[str, ...] = ()

    name: ClassVar[OperationName] = "set"
    verb = "Set variables of"
    batch_type = SET_VARIABLES
    rights = (LAUNCH, SET_VARIABLES_OF_THESE)
    why_left_out = kinds = {
        "gone": "ended, or not to be read by this user",
        "already": "with these values already",
        "otherwise": "without what --only-if names",
        UNKEPT: "with an object or a file, which could not be put back",
        "local": "with a local variable that hides the new value",
        "changed": "changed by somebody since",
        "unkept": "taken over from a file, which does not hold what they had",
    }
    taken = "running"
    effect_said = "workers see it at their next fetch"
    also: ClassVar[dict[str, tuple[str, str]]] = {
        "hidden": ("local variables of that name", "HIDE the new value from workers"),
        "local": ("executions hiding the value", "get it too, by a request each"),
    }
    left_alone: ClassVar[dict[str, str]] = {**WHY_ALONE, **LOCAL_LEFT_ALONE}

    @property
    def variables(self) -> tuple[str, ...]:
        """Their names."""
        return self.gives_back or tuple(one.name for one in self.values or self.given)

    @property
    def options(self) -> list[str]:
        """Names that are set, those of the guard, and whether they may be new."""
        words = [word for name in self.variables for word in ("--set", f"{name}=VALUE")]
        words += [word for one in self.only_if for word in ("--only-if", f"{one.name}=VALUE")]
        words += ["--new"] if self.new else []
        return [*words, "--local"] if self.local else words

    @property
    def arguments(self) -> str:
        """The values; of the guard nothing is needed once the instances are frozen. What each had that gets it back is
        written down with the run."""
        if self.gives_back:
            return json.dumps({"oneByOne": self.gives_back})
        values = [[one.name, one.type, one.text] for one in self.values]
        return json.dumps({"values": values, "local": True} if self.local else {"values": values})

    def told(self, arguments: Mapping[str, Any]) -> SetVariables:
        """With the values that the journal has."""
        values, names = arguments.get("values"), arguments.get("oneByOne")
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return self.give_back(tuple(names))
        if not values:
            return self
        local = arguments.get("local") is True
        return replace(self, values=tuple(SetValue(*one) for one in values if _is_value(one)), local=local)

    def give_back(self, names: tuple[str, ...]) -> SetVariables:
        """What gives back what these variables held, by requests."""
        return type(self)(gives_back=names)

    @property
    def one_by_one(self) -> bool:
        """No batch takes a variable away, or gives thousands of values."""
        return bool(self.gives_back)

    @property
    def back_aim(self) -> str:
        """To what each had."""
        if not self.gives_back:
            return super().back_aim
        return f"to get back what each had in {', '.join(map(inert, self.variables))}, one by one"

    @property
    def aim(self) -> str:
        """The names, never the values."""
        return f"to get {', '.join(map(inert, self.variables))}"

    @property
    def mark(self) -> str:
        """The sign of a value."""
        return "="

    @property
    def each(self) -> str:
        """What becomes of one."""
        return f"{', '.join(map(inert, self.variables))} set"

    @property
    def state(self) -> str:
        """What they show."""
        return "show it"

    @property
    def gets_back(self) -> str:
        """What they had."""
        return f"get back what was in {', '.join(map(inert, self.variables))}"

    def back_said(self, number: int) -> str:
        """They get what they had."""
        names = ", ".join(map(inert, self.variables))
        return f"{self.units(number)} get{'s' if number == 1 else ''} back what was in {names}."

    # -- which units ------------------------------------------------------------------------------------------------

    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """Those that run, and what they have; types that were not typed are taken from that.

        Raises:
            VariableMistake: a name that nobody has, types that differ, or a value that is none of its type.
        """
        frozen = await super().freeze(client, selection, at, replace(rules, limit=None))
        read = await self.read(client, [task.task_id for task in frozen.tasks], rules)
        if self.local:
            read.take_hiders()
        else:
            read.also["hidden"] = sum(map(len, read.inside.values()))
        frozen.left_out.update(read.left_out.values())
        tasks = [task for task in frozen.tasks if task.task_id not in read.left_out]
        frozen.tasks = [task._replace(was=read.was[task.task_id]) for task in tasks[: rules.limit]]
        read.also["local"] = sum(len(hiders_of(task.was)) for task in frozen.tasks)
        frozen.also, frozen.operation = +read.also, read.operation
        frozen.told, frozen.one_by_one = read.told, one_by_one([task.was for task in frozen.tasks])
        return frozen

    async def read(self, client: EngineClient, ids: Sequence[str], rules: FreezeRules = AS_THEY_ARE) -> ReadValues:
        """What these instances have, and which of them are set; types that were not typed are taken from that.

        Raises:
            VariableMistake: a name that nobody has, types that differ, or a value that is none of its type.
            EngineProblem: the engine did not answer.
        """
        names = sorted({one.name for one in (*self.given, *self.only_if)})
        has: dict[str, dict[str, VariableInstance]] = {}
        inside: Inside = {}
        for some in pieces(ids):
            await rules.turn()
            has |= await read_scopes(client, some, names)
            for name in self.variables:
                await variables_inside(client, some, name, sum(name in has[id] for id in some), inside)
        operation = replace(self, values=tuple(self._resolved(one, has) for one in self.given), given=())
        guards = [resolved(one, _type_of(one, has)) for one in self.only_if]
        read = ReadValues(operation, told=[_summary(name, has) for name in self.variables], inside=inside)
        for id in ids:
            there = has.get(id, {})
            now = {name: value_of(name, one.type, one.value) for name, one in there.items()}
            had: Had = {name: now.get(name) for name in self.variables}
            read.was[id] = written(had)
            if any(name in there and had[name] is None for name in had):
                read.left_out[id] = UNKEPT
            elif any(now.get(guard.name) != guard for guard in guards):
                read.left_out[id] = "otherwise"
            elif operation.are_in(had):
                read.left_out[id] = "already"
        return read

    def _resolved(self, one: TypedVariable, has: Mapping[str, Mapping[str, VariableInstance]]) -> SetValue:
        if has and not self.new and not any(one.name in there for there in has.values()):
            raise VariableMistake(f"no instance has {one.name}.", unknown_name=True)
        return resolved(one, _type_of(one, has))

    async def check(self, client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
        """Those that have ended, or have another value than when they were frozen, are left out."""
        ids = [task.task_id for task in tasks]
        running = await instances_of(client, ids)
        has = await self.had_by(client, list(running))
        inside = await self.inside(client, has) if self.local else {}
        hiders = {id: by_execution(some) for id, some in inside.items()}
        for task in tasks:
            if task.task_id not in running:
                checked.left_out[task.ordinal] = "gone"
                continue
            why = self.why_changed(has[task.task_id], task.was)
            if why := why or self.why_hidden(hiders.get(task.task_id, {}), task.was, checked):
                checked.left_out[task.ordinal] = why
            else:
                checked.taken[task.task_id] = None

    def why_changed(self, has: Had, was: str) -> str:
        """Why an instance that has this now is not set, a key of ``why_left_out``; empty where it is.

        Args:
            has: as it was read just now.
            was: what it had when it was frozen, as it was written down.
        """
        if not was:
            return "unkept"
        return "changed" if has != had_of(was) else ""

    def unshown(self, hiders: Hiders) -> Hiders:
        """Those of these executions that do not show the values."""
        return {id: had for id, had in hiders.items() if not self.are_in(had)}

    def why_hidden(self, hiders: Hiders, was: str, checked: CheckedUnits) -> str:
        """Why a unit whose new value these hide is not sent, a key of ``why_left_out``; empty where it is. Those that
        are to be set before are added to ``checked``.

        Args:
            hiders: as they were read just now.
            was: what was written down when it was frozen.
            checked: is added to.
        """
        if not (hiding := self.unshown(hiders)):
            return ""
        if not self.local:
            return "local"
        before = hiders_of(was)
        if any(before.get(id) != had for id, had in hiding.items()):
            return "changed"
        checked.to_set_locally |= {id: written(had) for id, had in hiding.items()}
        return ""

    async def inside(self, client: EngineClient, has: Mapping[str, Had]) -> Inside:
        """Variables of these names in scopes within instances.

        Args:
            client: is asked.
            has: what the instances have themselves.

        Raises:
            EngineProblem: the engine did not answer.
        """
        found: Inside = {}
        for some in pieces(list(has)):
            for name in self.variables:
                here = sum(has[id].get(name) is not None for id in some)
                await variables_inside(client, some, name, here, found)
        return found

    async def has_now(self, client: EngineClient, ids: Sequence[str]) -> dict[str, Had]:
        """What those of these instances have that run.

        Raises:
            EngineProblem: the engine did not answer.
        """
        return await self.had_by(client, list(await instances_of(client, ids)))

    async def send_one(self, client: EngineClient, id: str, change: Change) -> None:
        """Change variables of one instance by a request of its own.

        Raises:
            EngineProblem: it was refused, or nothing proves that it was carried out.
        """
        await client.change_variables(id, *change)

    async def had_by(self, client: EngineClient, ids: Sequence[str]) -> dict[str, Had]:
        """What these instances have of the variables.

        Raises:
            EngineProblem: the engine did not answer.
        """
        found: dict[str, Had] = {}
        for some in pieces(ids):
            has = await read_scopes(client, some, self.variables)
            for id in some:
                there = {name: value_of(name, one.type, one.value) for name, one in has.get(id, {}).items()}
                found[id] = {name: there.get(name) for name in self.variables}
        return found

    def are_in(self, has: Had) -> bool:
        """What is there of these variables shows the values."""
        return all(has[one.name] == one for one in self.values if one.name in has)

    # -- what is sent, and what comes of it -------------------------------------------------------------------------

    def request(self, ids: Sequence[str]) -> BatchRequest:
        """By the ids of the instances."""
        variables = {one.name: one.wire for one in self.values}
        return BatchRequest(SetInstancesVariables(process_instance_ids=list(ids), variables=variables), PATH)

    async def reached(self, client: EngineClient, running: Mapping[str, ProcessInstance]) -> set[str]:
        """Those that show the values when they are read back."""
        has = await self.had_by(client, list(running))
        return {id for id, values in has.items() if self.are_in(values)}

    async def are_back(self, client: EngineClient, was: Mapping[str, str]) -> set[str]:
        """Those that show what was written down."""
        return {id for id, has in (await self.had_by(client, list(was))).items() if has == had_of(was[id])}

    def back_to(self, was: str) -> Operation | str:
        """What it had; no batch takes a variable away."""
        had = had_of(was)
        if not had:
            return "unkept"
        values = [value for value in had.values() if value is not None]
        return SetVariables(tuple(values)) if len(values) == len(had) else self.give_back(self.variables)


def change_back(was: str) -> Change:
    """What gives one instance back what it had: variables that are set, and names of those that are deleted.

    Args:
        was: what it had, as the run wrote it down.
    """
    had = had_of(was)
    return {name: one.wire for name, one in had.items() if one}, [name for name, one in had.items() if not one]


async def read_scopes(
    client: EngineClient, ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, VariableInstance]]:
    """Variables of instances, not of their tasks, or of executions: id -> name -> variable."""
    found: dict[str, dict[str, VariableInstance]] = {id: {} for id in ids}
    for name in names if ids else ():
        query = VariableInstanceQuery(variable_scope_id_in=list(ids), variable_name=name)
        for one in await believed(client.variable_instances, query, 0, len(ids)):
            if one.execution_id in found:
                found[one.execution_id][name] = one
    return found


def _type_of(one: TypedVariable, has: Mapping[str, Mapping[str, VariableInstance]]) -> str:
    """The type that a variable has; empty where it has none, or one that cannot be set."""
    types = {there[one.name].type for there in has.values() if one.name in there} - {None, "Null"}
    if len(types) > 1 and not one.type:
        raise VariableMistake(f"{one.name} has several types, {', '.join(sorted(map(str, types)))}: name one.")
    return str(types.pop()) if len(types) == 1 else ""


def _summary(name: str, has: Mapping[str, Mapping[str, VariableInstance]]) -> str:
    """How many have a variable, of which types, and its most frequent values: for the operator's eyes alone."""
    there = [one for values in has.values() for one in [values.get(name)] if one is not None]
    types = Counter(str(one.type) for one in there)
    values = Counter(json.dumps(one.value)[:40] for one in there)
    of_types = ", ".join(f"{count(number)} {type}" for type, number in types.most_common())
    frequent = ", ".join(f"{inert(value)} ({count(number)})" for value, number in values.most_common(MOST_SHOWN))
    more = f" and {count(len(values) - MOST_SHOWN)} values more" if len(values) > MOST_SHOWN else ""
    lack = len(has) - len(there)
    said = f"{inert(name)}: {of_types}, most often {frequent}{more}" if there else f"{inert(name)}: nobody has it"
    return f"{said}; {count(lack)} lack it" if there and lack else said


def one_by_one(was: Sequence[str]) -> int:
    """How many of the instances that had this an undo would give it back to with a request each."""
    groups = Counter(written(had) for had in map(had_of, was) if None not in had.values())
    return len(was) - sum(groups[one] for one in by_batches(groups))


def by_batches(ways: Mapping[T, int]) -> set[T]:
    """Which former values are put back by a batch each. A batch for a single instance costs an engine more than a
    request does: three job definitions and four jobs.

    Args:
        ways: former value -> how many instances had it.
    """
    if len(ways) <= MOST_WAYS:
        return set(ways)
    return {way for way, number in Counter(ways).most_common(MOST_WAYS) if number > 1}


def one_by_one_said(number: int, allowed: bool) -> str:
    """What an undo would do that cannot do with batches, as a sentence that fits into a line of 80 columns.

    Args:
        number: instances that would need a request each.
        allowed: this user may send these.
    """
    if not allowed:
        return f"No undo for {things(number, 'instance')}: the right UPDATE_VARIABLE is missing."
    return f"An undo needs a request each for {things(number, 'instance')}: no batch can do it."


def _is_value(one: object) -> bool:
    return isinstance(one, list) and len(one) == 3 and all(isinstance(part, str) for part in one)
