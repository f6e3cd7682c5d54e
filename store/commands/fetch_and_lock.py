"""Fetch and lock: which tasks a worker gets, in one guarded statement."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    String,
    and_,
    case,
    exists,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.fetch_request import Fetch, checked
from retriage.store.commands.processes import process_of
from retriage.store.contract.errors import stale
from retriage.store.contract.orders import FetchAndLock, FetchTopic
from retriage.store.contract.queries import VariableFilter
from retriage.store.contract.records import LockedExternalTask, VariableValue
from retriage.store.database import now
from retriage.store.queries.conditions import Condition, any_of, json_texts, like, one_of
from retriage.store.queries.external_tasks import record_rows
from retriage.store.queries.variable_filters import EXTERNAL_TASK, variable_conditions
from retriage.store.queries.variables import Place, of_tasks
from retriage.store.tables import ErrorDetails, ExternalTask, ProcessDefinition, ProcessInstance
from retriage.store.tables.external_task import READY
from retriage.store.tables.types import EPOCH, Name, Rows, UtcTime, check_length, col

_T = ExternalTask
_ID = col(_T.id)
AT_ONCE = 400
"""Topics of one compound select."""

SOON = timedelta(seconds=30)
"""Whoever waits for tasks looks again after so long at the latest."""

FEW_TOPICS = 8
"""Up to here a fetch names its topics in its statement without asking which of them have tasks."""

_LOCK = col(_T.lock_expiration_time)


def candidates(fetch: Fetch, at: datetime, *, lock_rows: bool = False) -> Rows:
    """A select of the tasks that a worker would get now, ids first, in its order and not more than it wants.

    Args:
        fetch: what the worker wants.
        at: the moment at which locks are judged.
        lock_rows: keep the rows from other writers, passing over those that another writer keeps (PostgreSQL).
    """
    parts = [_of_topic(fetch, topic, at) for topic in fetch.topics]
    if lock_rows:
        parts = [part.with_for_update(skip_locked=True) for part in parts]
    if len(parts) == 1:
        return parts[0]
    every = _together([select(part.subquery()) for part in parts]).subquery()
    order = _order(fetch, every.c.priority, every.c.create_time)
    return select(every.c.id).order_by(*order).limit(fetch.most)


async def _with_tasks(connection: AsyncConnection, fetch: Fetch, at: datetime) -> Fetch:
    """An order without the topics that have nothing for anybody now.

    A statement grows with its topics, and costs far more to write than to carry out. Whoever asks for hundreds of
    topics mostly waits for all of them.
    """
    if len(fetch.topics) <= FEW_TOPICS:
        return fetch
    asked = json_texts([str(topic.topic_name) for topic in fetch.topics])
    task = exists().where(col(_T.topic_name) == asked.c.value, _ready(at))
    found = set((await connection.execute(select(asked.c.value).where(task))).scalars())
    return replace(fetch, topics=tuple(topic for topic in fetch.topics if topic.topic_name in found))


async def topics_with_tasks(connection: AsyncConnection, topics: Collection[str]) -> frozenset[str]:
    """Those of some topics that have a task which a worker may get now, or when a lock ends within ``SOON``."""
    asked = json_texts(list(topics))
    free = or_(_LOCK.is_(None), now() + SOON >= _LOCK)
    task = exists().where(col(_T.topic_name) == asked.c.value, text(READY), free)
    return frozenset((await connection.execute(select(asked.c.value).where(task))).scalars())


def _together(parts: list[Rows]) -> CompoundSelect[Any]:
    """The rows of all parts. SQLite joins 500 at once."""
    while len(parts) > AT_ONCE:
        slices = [parts[first : first + AT_ONCE] for first in range(0, len(parts), AT_ONCE)]
        parts = [select(union_all(*one).subquery()) for one in slices]
    return union_all(*parts)


def _of_topic(fetch: Fetch, topic: FetchTopic, at: datetime) -> Rows:
    return (
        select(_ID, col(_T.priority), col(_T.create_time))
        .where(col(_T.topic_name) == topic.topic_name, _ready(at), *_filters(topic))
        .order_by(*_order(fetch, col(_T.priority), col(_T.create_time)))
        .limit(fetch.most)
    )


def _ready(at: datetime) -> Condition:
    return and_(text(READY), or_(_LOCK.is_(None), at >= _LOCK))


def _order(fetch: Fetch, priority: ColumnElement[Any], created: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """What comes first. Where nothing is asked for, any order will do: that of the index of fetchable tasks."""
    unsorted = fetch.newest_first is None
    order: list[ColumnElement[Any]] = [priority.desc()] if fetch.by_priority or unsorted else []
    if not unsorted:
        order.append(created.desc() if fetch.newest_first else created.asc())
    return order


def _filters(topic: FetchTopic) -> list[Condition]:
    found: list[Condition] = []
    instance, definition = col(_T.process_instance_id), col(_T.process_definition_id)
    if topic.business_key is not None:
        found.append(
            instance.in_(select(col(ProcessInstance.id)).where(col(ProcessInstance.business_key) == topic.business_key))
        )
    if topic.process_definition_id is not None:
        found.append(definition == topic.process_definition_id)
    if topic.process_definition_id_in:
        found.append(one_of(definition, topic.process_definition_id_in))
    of_definition = _definition_filters(topic)
    if of_definition:
        found.append(definition.in_(select(col(ProcessDefinition.id)).where(*of_definition)))
    if topic.process_variables and (either := any_of(_variable_filters(topic.process_variables))) is not None:
        found.append(either)
    if topic.tenant_id_in:
        found.append(one_of(col(_T.tenant_id), topic.tenant_id_in))
    elif topic.without_tenant_id:
        found.append(col(_T.tenant_id).is_(None))
    return found


def _definition_filters(topic: FetchTopic) -> list[Condition]:
    found: list[Condition] = []
    if topic.process_definition_key is not None:
        found.append(col(ProcessDefinition.key) == topic.process_definition_key)
    if topic.process_definition_key_in:
        found.append(one_of(col(ProcessDefinition.key), topic.process_definition_key_in))
    if topic.process_definition_version_tag is not None:
        found.append(like(col(ProcessDefinition.version_tag))(topic.process_definition_version_tag))
    return found


def _variable_filters(wanted: dict[str, Any]) -> list[Condition]:
    """One condition per variable of the instance; any of them suffices."""
    filters = [VariableFilter(name=name, operator="eq", value=value) for name, value in wanted.items()]
    instance = col(_T.process_instance_id)
    return variable_conditions(
        filters, instance, EXTERNAL_TASK, of_instance_only=True, dates=False, exact=True, either=True
    )


async def any_candidate(connection: AsyncConnection, order: FetchAndLock) -> bool:
    """Whether a worker would get anything now. Locks nothing.

    Raises:
        ContractError: see ``checked``.
    """
    at = now()
    fetch = await _with_tasks(connection, checked(order), at)
    if not fetch.topics or not fetch.most:
        return False
    return (await connection.execute(candidates(fetch, at).limit(1))).first() is not None


async def next_expiry(connection: AsyncConnection, order: FetchAndLock) -> datetime | None:
    """When the first lock ends that still holds a task of the topics of an order; none if no lock does.

    Raises:
        ContractError: see ``checked``.
    """
    topics = [str(topic.topic_name) for topic in checked(order).topics]
    held = and_(one_of(col(_T.topic_name), topics), text(READY), now() < _LOCK)
    return (await connection.execute(select(_LOCK).where(held).order_by(_LOCK).limit(1))).scalar_one_or_none()


async def fetch_and_lock(connection: AsyncConnection, order: FetchAndLock) -> list[LockedExternalTask]:
    """Give a worker tasks and lock them for it.

    Args:
        connection: the caller's transaction; the locks hold once it is committed.
        order: what the worker wants.

    Returns:
        The tasks, in the order that was asked for; by id without one.

    Raises:
        ContractError: see ``checked``; 500, a task that was picked can not be answered. Nothing must be committed then.
    """
    at = now()
    fetch = await _with_tasks(connection, checked(order), at)
    if not fetch.topics or not fetch.most:
        return []
    picked = candidates(fetch, at, lock_rows=True).cte("picked")
    expiry = case(
        *((col(_T.topic_name) == topic.topic_name, _expiry(topic, at)) for topic in fetch.topics),
        else_=_expiry(fetch.topics[0], at),
    )
    locked = await connection.execute(
        update(_T)
        .where(_ID.in_(select(picked.c.id)), _ready(at))
        .values(worker_id=literal(fetch.worker_id, String), lock_expiration_time=expiry)
        .returning(_ID)
    )
    ids = [row.id for row in locked]
    if not ids:
        return []
    check_length(fetch.worker_id, Name.most)  # only now: who gets nothing may have any name
    return await _tasks(connection, fetch, ids)


def _expiry(topic: FetchTopic, at: datetime) -> ColumnElement[datetime]:
    return literal(after(at, topic.lock_duration or 0), UtcTime)


def after(at: datetime, milliseconds: int) -> datetime:
    """A moment so many milliseconds later; the last moment that there is, where that is none."""
    try:
        return at + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=at.tzinfo)


async def _tasks(connection: AsyncConnection, fetch: Fetch, ids: list[str]) -> list[LockedExternalTask]:
    statement = (
        record_rows()
        .add_columns(col(ErrorDetails.details).label("error_details"))
        .outerjoin(ErrorDetails, col(ErrorDetails.external_task_id) == _ID)
        .where(one_of(_ID, ids))
    )
    rows = [row._mapping for row in await connection.execute(statement)]
    if len(rows) != len(ids):
        # The lock of a task that is not answered would hold it for nobody.
        raise stale(f"ExternalTaskEntity[{min(set(ids) - {row['id'] for row in rows})}]")
    topics = {str(topic.topic_name): topic for topic in fetch.topics}
    variables = await _variables(connection, topics, rows)
    tasks = []
    for row in _sorted(fetch, rows):
        topic = topics[row["topic_name"]]
        extensions: dict[str, str] = {}
        if topic.include_extension_properties:
            process = await process_of(connection, row["process_definition_id"])
            extensions = dict(process.nodes[row["activity_id"]].properties)
        values = {**row, "suspended": False, "variables": variables[row["id"]], "extension_properties": extensions}
        tasks.append(LockedExternalTask.model_construct(**values))
    return tasks


def _sorted(fetch: Fetch, rows: list[Any]) -> list[Any]:
    rows.sort(key=lambda row: row["id"])
    if fetch.newest_first is not None:
        rows.sort(key=lambda row: row["create_time"] or EPOCH, reverse=fetch.newest_first)
    if fetch.by_priority:
        rows.sort(key=lambda row: -row["priority"])
    return rows


async def _variables(
    connection: AsyncConnection, topics: dict[str, FetchTopic], rows: Sequence[Any]
) -> dict[str, dict[str, VariableValue]]:
    """The variables that each task's topic wants, by id of the task."""
    wanting = [row for row in rows if topics[row["topic_name"]].variables != []]
    places: list[Place] = [(row["process_instance_id"], row["execution_id"]) for row in wanting]
    lists = [topics[row["topic_name"]].variables for row in wanting]
    names = None if any(names is None for names in lists) else {name for names in lists for name in names or () if name}
    scopes = await of_tasks(connection, places, names)
    found: dict[str, dict[str, VariableValue]] = {row["id"]: {} for row in rows}
    for row, place in zip(wanting, places, strict=True):
        topic = topics[row["topic_name"]]
        of_instance, own = scopes[place]
        seen = own if topic.local_variables else of_instance | own
        if topic.variables is not None:
            seen = {name: value for name, value in seen.items() if name in topic.variables}
        found[row["id"]] = seen
    return found
