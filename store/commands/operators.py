"""Who gives an order, and what the user operation log keeps of it.

Each order takes the operator who gives it and notes, inside its own transaction, what it changed. What the runner, the
demo or a request without a user does is nobody's operation, and nothing is written down.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, insert, literal, select, update
from sqlalchemy import func as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import ContractError
from retriage.store.database import IdRun, new_id, now
from retriage.store.queries.of_definition import PRESENT
from retriage.store.tables import ExternalTask, Job, ProcessDefinition, ProcessInstance, UserOperation
from retriage.store.tables.types import EPOCH, Rows, col

_P, _D = ProcessInstance, ProcessDefinition

Place = dict[str, str | None]
"""Columns of an entry that say what the order was about."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one property; values are numbers, texts, flags or times. Some orders change no property."""

    property: str | None = None
    new: object = None
    old: object = None


@dataclass(frozen=True, slots=True)
class Operator:
    """A user during one request; none for nobody. What one operator notes shares one operation id."""

    user: str | None = None
    operation_id: str = field(default_factory=new_id)

    async def note(
        self,
        connection: AsyncConnection,
        operation: str,
        entity: str,
        *changes: Change,
        about: Place | None = None,
    ) -> None:
        """Write down what an order did, one entry per change, and one where no property was changed.

        Args:
            connection: the transaction of the order.
            operation: what was done, in the contract's word.
            entity: kind of thing it was done to, in the contract's word.
            changes: the properties that it changed.
            about: the thing.
        """
        if self.user is None:
            return
        shared = {**self._entry(operation, entity), **(about or {})}
        rows = [{"id": new_id(), **shared, **_values(change)} for change in changes or (Change(),)]
        await connection.execute(insert(UserOperation), rows)

    async def note_instances(
        self,
        connection: AsyncConnection,
        operation: str,
        instances: Rows,
        change: Change,
        unknown: Collection[str] = (),
    ) -> None:
        """Write down the same change of each of a set of process instances.

        Args:
            connection: the transaction of the order.
            operation: what was done, in the contract's word.
            instances: a select of their ids.
            change: what was changed.
            unknown: ids that were named too, of no instance.
        """
        if self.user is None:
            return
        fixed = {**self._entry(operation, "ProcessInstance"), **_values(change)}
        if unknown:
            nowhere = [{"id": new_id(), **fixed, "process_instance_id": name} for name in unknown]
            await connection.execute(insert(UserOperation), nowhere)
        types = UserOperation.__table__.c  # type: ignore[attr-defined]
        values: dict[str, ColumnElement[Any]] = {
            "id": IdRun().column(sql.row_number().over(order_by=col(_P.id))),
            **{name: literal(value, types[name].type) for name, value in fixed.items()},
            **{name: case((_RUNNING, column)) for name, column in _PLACE.items()},
            "process_instance_id": col(_P.id),
        }
        rows = _placed(select(*values.values())).where(col(_P.id).in_(instances))
        await connection.execute(insert(UserOperation).from_select(list(values), rows))

    async def about_instance(self, connection: AsyncConnection, instance_id: str) -> Place:
        """What an entry says of a running process instance; of another one, its id. Nothing is asked for nobody."""
        if self.user is None:
            return {}
        columns = [column.label(name) for name, column in _PLACE.items()]
        this = _placed(select(*columns)).where(col(_P.id) == instance_id, _RUNNING)
        row = (await connection.execute(this)).one_or_none()
        return {"process_instance_id": instance_id} if row is None else dict(row._mapping)

    async def about_task(self, connection: AsyncConnection, task_id: str) -> Place:
        """What an entry says of an external task."""
        if self.user is None:
            return {}
        of_task = select(col(ExternalTask.process_instance_id)).where(col(ExternalTask.id) == task_id)
        instance_id = (await connection.execute(of_task)).scalar_one()
        return {"external_task_id": task_id, **await self.about_instance(connection, instance_id)}

    async def about_definition(self, connection: AsyncConnection, definition_id: str) -> Place:
        """What an entry says of a process definition; of an unknown one nothing."""
        if self.user is None:
            return {}
        columns = [_PLACE[name].label(name) for name in _PLACE if name != "process_instance_id"]
        statement = select(*columns).where(PRESENT, col(_D.id) == definition_id)
        row = (await connection.execute(statement)).one_or_none()
        return {} if row is None else dict(row._mapping)

    async def about_job(self, connection: AsyncConnection, job_id: str) -> Place:
        """What an entry says of a job; of an unknown one, its id."""
        if self.user is None:
            return {}
        token = col(Job.execution_id).is_not(None)
        columns = (
            col(Job.deployment_id),
            col(Job.job_definition_id),
            case((token, col(Job.process_instance_id))).label("process_instance_id"),
            col(Job.process_definition_id),
            col(_D.key).label("process_definition_key"),
        )
        statement = select(*columns).outerjoin(_D, col(_D.id) == col(Job.process_definition_id))
        row = (await connection.execute(statement.where(col(Job.id) == job_id))).one_or_none()
        return {"job_id": job_id, **({} if row is None else row._mapping)}

    def _entry(self, operation: str, entity: str) -> dict[str, Any]:
        return {
            "operation_id": self.operation_id,
            "timestamp": now(),
            "user_id": self.user,
            "operation_type": operation,
            "entity_type": entity,
        }


NOBODY = Operator()
"""Gives the orders of requests without a user; what it does is not written down."""

_RUNNING = col(_P.end_time).is_(None)

_PLACE: dict[str, ColumnElement[Any]] = {
    "process_instance_id": col(_P.id),
    "process_definition_id": col(_D.id),
    "process_definition_key": col(_D.key),
    "deployment_id": col(_D.deployment_id),
}


def _placed(rows: Rows) -> Rows:
    return rows.select_from(_P).join(_D, col(_D.id) == col(_P.process_definition_id))


def _values(change: Change) -> dict[str, str | None]:
    return {"property": change.property, "org_value": _text(change.old), "new_value": _text(change.new)}


def _text(value: object) -> str | None:
    """A value as the log writes it: times in milliseconds since 1970."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str((value - EPOCH) // timedelta(milliseconds=1))
    return str(value)


def suspension(suspended: bool) -> Change:
    """That things were suspended or activated."""
    return Change("suspensionState", "suspended" if suspended else "active")


def in_bulk(count: int, *, later: bool, **more: object) -> list[Change]:
    """What the entries of an order to many things say.

    Args:
        count: how many things.
        later: a batch does it.
        more: further properties, by the names that the log has for them; one without a value is written down too
            (observed on Camunda 7.24.0 and Operaton 1.0.3 for ``deleteReason``).
    """
    return [Change(name, value) for name, value in {"nrOfInstances": count, "async": later, **more}.items()]


async def annotate(connection: AsyncConnection, operation_id: str, annotation: str | None, by: Operator) -> None:
    """Write a note on all entries of an operation, or remove it.

    Raises:
        ContractError: 400, there is no operation with that id.
    """
    changed = await connection.execute(
        update(UserOperation).where(col(UserOperation.operation_id) == operation_id).values(annotation=annotation)
    )
    if not changed.rowcount:
        raise ContractError(400, "BadUserRequestException", "operation is null", 0)
    word = "ClearAnnotation" if annotation is None else "SetAnnotation"
    await by.note(connection, word, "OperationLog", Change("operationId", operation_id))
