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
from retriage.console.operations.instance_operation import LEFT_ALONE, InstanceOperation, instances_of
from retriage.console.operations.operation import AS_THEY_ARE, CheckedUnits, FreezeRules, FrozenUnits, Operation
from retriage.console.operations.variable_values import SetValue, TypedVariable, VariableMistake, resolved, value_of
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

T = TypeVar("T")
Had = dict[str, SetValue | None]
"""Names -> what an instance has, ``None`` where it has no such variable."""
MOST_SHOWN = 3
"""So many values of a variable are named, the most frequent ones."""
MOST_WAYS = 50
"""So many different former values are put back by an undo with a batch each. Of more, the most frequent ones that
several instances had; the others, and variables that were absent, are put back with a request for each instance."""
UNKEPT = "unreadable"


@dataclass
class ReadValues:
    """What instances have before some variables of them are set.

    Attributes:
        operation: the same with the types that were found.
        was: id -> what it has, to be written down.
        left_out: id -> why it is not set, a key of :attr:`SetVariables.why_left_out`.
        also: a key of :attr:`SetVariables.also` -> how many.
        told: a sentence about each variable, for the operator's eyes alone.
    """

    operation: SetVariables
    was: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    also: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SetVariables(InstanceOperation):
    """Set variables of process instances.

    Attributes:
        values: what is set; of some the type is not known before the instances were read.
        given: the same as the operator typed it; empty once it is resolved.
        only_if: what an instance must have.
        new: the names may be such that no instance has.
    """

    values: tuple[SetValue, ...] = ()
    given: tuple[TypedVariable, ...] = ()
    only_if: tuple[TypedVariable, ...] = ()
    new: bool = False

    name = "set"
    verb = "Set variables of"
    batch_type = SET_VARIABLES
    rights = (LAUNCH, SET_VARIABLES_OF_THESE)
    why_left_out = kinds = {
        "gone": "ended, or not to be read by this user",
        "already": "with these values already",
        "otherwise": "without what --only-if names",
        UNKEPT: "with an object or a file, which could not be put back",
        "changed": "changed by somebody since",
        "unkept": "taken over from a file, which does not hold what they had",
    }
    taken = "running"
    effect_said = "workers see it at their next fetch"
    also: ClassVar[dict[str, tuple[str, str]]] = {
        "hidden": ("variables of tasks with such a name", "HIDE the new value from the worker"),
    }
    left_alone: ClassVar[dict[str, str]] = {
        **LEFT_ALONE, "before": "with the value of before: never set, or set back",
        "changed": "with another value by now", "later": "set again since",
        "unkept": "of which nobody wrote down what they had",
        "forbidden": "need a request each, which this user has no right to (UPDATE_VARIABLE)",
    }  # fmt: skip

    @property
    def variables(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(one.name for one in self.values or self.given)

    @property
    def options(self) -> list[str]:
        """Names that are set, those of the guard, and whether they may be new."""
        words = [word for name in self.variables for word in ("--set", f"{name}=VALUE")]
        words += [word for one in self.only_if for word in ("--only-if", f"{one.name}=VALUE")]
        return [*words, "--new"] if self.new else words

    @property
    def arguments(self) -> str:
        """The values; of the guard nothing is needed once the instances are frozen."""
        return json.dumps({"values": [[one.name, one.type, one.text] for one in self.values]})

    def told(self, arguments: Mapping[str, Any]) -> SetVariables:
        """With the values that the journal has."""
        values, names = arguments.get("values"), arguments.get("oneByOne")
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return GiveBack(names=tuple(names))
        return replace(self, values=tuple(SetValue(*one) for one in values if _is_value(one))) if values else self

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
        frozen.left_out.update(read.left_out.values())
        tasks = [task for task in frozen.tasks if task.task_id not in read.left_out]
        frozen.tasks = [task._replace(was=read.was[task.task_id]) for task in tasks[: rules.limit]]
        frozen.also, frozen.operation = read.also, read.operation
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
        also = Counter[str]()
        for some in pieces(ids):
            await rules.turn()
            has |= await _read(client, some, names)
            for name in self.variables:
                everywhere = VariableInstanceQuery(process_instance_id_in=list(some), variable_name=name)
                here = sum(name in has[id] for id in some)
                also["hidden"] += max(await client.count_variable_instances(everywhere) - here, 0)
        operation = replace(self, values=tuple(self._resolved(one, has) for one in self.given), given=())
        guards = [resolved(one, _type_of(one, has)) for one in self.only_if]
        read = ReadValues(operation, also=+also, told=[_summary(name, has) for name in self.variables])
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
        for task in tasks:
            if task.task_id not in running:
                checked.left_out[task.ordinal] = "gone"
            elif why := self.why_changed(has[task.task_id], task.was):
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
        return "changed" if written(has) != was else ""

    async def had_by(self, client: EngineClient, ids: Sequence[str]) -> dict[str, Had]:
        """What these instances have of the variables.

        Raises:
            EngineProblem: the engine did not answer.
        """
        found: dict[str, Had] = {}
        for some in pieces(ids):
            has = await _read(client, some, self.variables)
            for id in some:
                there = {name: value_of(name, one.type, one.value) for name, one in has.get(id, {}).items()}
                found[id] = {name: there.get(name) for name in self.variables}
        return found

    def are_in(self, has: Had) -> bool:
        """An instance shows all values."""
        return all(has.get(one.name) == one for one in self.values)

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
        return {id for id, has in (await self.had_by(client, list(was))).items() if written(has) == was[id]}

    def back_to(self, was: str) -> Operation | str:
        """What it had; no batch takes a variable away."""
        had = _had(was)
        if not had:
            return "unkept"
        values = [value for value in had.values() if value is not None]
        return SetVariables(tuple(values)) if len(values) == len(had) else GiveBack(names=self.variables)


@dataclass(frozen=True)
class GiveBack(SetVariables):
    """Give each instance back what it had itself, by a request of its own.

    Attributes:
        names: of the variables.
    """

    names: tuple[str, ...] = ()

    one_by_one = True

    @property
    def variables(self) -> tuple[str, ...]:
        """Their names."""
        return self.names

    @property
    def arguments(self) -> str:
        """The names: what each instance had is written down with the run."""
        return json.dumps({"oneByOne": self.names})

    @property
    def back_aim(self) -> str:
        """To what each had."""
        return f"to get back what each had in {', '.join(map(inert, self.names))}, one by one"


def change_back(was: str) -> tuple[dict[str, Any], list[str]]:
    """What gives one instance back what it had: variables that are set, and names of those that are deleted.

    Args:
        was: what it had, as the run wrote it down.
    """
    had = _had(was)
    return {name: one.wire for name, one in had.items() if one}, [name for name, one in had.items() if not one]


async def _read(
    client: EngineClient, ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, VariableInstance]]:
    """Variables of instances, not of their tasks: id -> name -> variable."""
    found: dict[str, dict[str, VariableInstance]] = {id: {} for id in ids}
    for name in names if ids else ():
        query = VariableInstanceQuery(variable_scope_id_in=list(ids), variable_name=name)
        for one in await believed(client.variable_instances, query, 0, len(ids)):
            if one.process_instance_id in found:
                found[one.process_instance_id][name] = one
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
    groups = Counter(one for one in was if None not in _had(one).values())
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


def written(had: Had) -> str:
    """What an instance has as the journal keeps it."""
    return json.dumps({name: [one.type, one.text] if one else None for name, one in sorted(had.items())})


def _had(was: str) -> Had:
    told = json.loads(was) if was else {}
    return {name: SetValue(name, *one) if one else None for name, one in told.items()}


def _is_value(one: object) -> bool:
    return isinstance(one, list) and len(one) == 3 and all(isinstance(part, str) for part in one)
