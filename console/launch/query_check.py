"""Before a query is launched: does the engine heed all of it?

An engine passes over a filter that it does not know, and then takes more than was meant. So each filter of the order
has to be proven, and the first page of what the engine would take is read and held against the filters: one row that
contradicts one stops the launch. A launch by ids has nothing to check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from retriage.console.engine.capabilities import LISTS, wire_name
from retriage.console.engine.errors import EngineProblem, Forbidden
from retriage.console.nouns import NOUNS
from retriage.console.text.inert import inert
from retriage.console.text.words import short

if TYPE_CHECKING:
    from retriage.console.session.connection import Connection
    from retriage.console.session.session import Session
    from retriage.store.contract.orders import SetExternalTaskRetries
    from retriage.store.contract.queries import Query

PAGE = 100
"""Rows that are held against the filters."""

Fits = Callable[[Any, Any], bool]
"""Whether a record fits the value of a filter. Only what a record tells for certain is looked at: the engine's clock
decides what is locked now, so that a lock is there at all is all that is asked of a locked task."""


async def check_queries(session: Session, order: SetExternalTaskRetries) -> None:
    """Let an order pass whose queries the engine heeds.

    Args:
        session: whose engine is asked.
        order: as it would be sent.

    Raises:
        Forbidden: a filter is ignored, or could not be proven, or a row contradicts it; the sentence says which.
    """
    try:
        why = await why_not_heeded(session, order)
    except EngineProblem as problem:
        raise Forbidden(f"Nothing was sent, for the query could not be checked: {problem.sentence}") from problem
    if why:
        raise Forbidden(f"Nothing was sent. {why}")


async def why_not_heeded(session: Session, order: SetExternalTaskRetries) -> str:
    """One sentence if the engine does not heed a query of an order; empty if it heeds all of them.

    Raises:
        EngineProblem: it could not be asked.
    """
    for subject, query in queries_of(order).items():
        if why := await _why_not(session.connection, subject, query):
            return why
    return ""


async def why_query_not_heeded(session: Session, subject: str, query: Query) -> str:
    """As :func:`why_not_heeded`, of one query: ``subject`` is ``tasks``, ``instances``, ``history`` or ``jobs``.

    Raises:
        EngineProblem: it could not be asked.
    """
    return await _why_not(session.connection, subject, query)


def queries_of(order: SetExternalTaskRetries) -> dict[str, Query]:
    """Subject -> the query of an order over it."""
    queries = {
        "tasks": order.external_task_query,
        "instances": order.process_instance_query,
        "history": order.historic_process_instance_query,
    }
    return {subject: query for subject, query in queries.items() if query is not None}


async def _why_not(connection: Connection, subject: str, query: Query) -> str:
    fields = _used(query)
    if not fields:
        return ""
    known = await connection.prove(subject, fields)
    table = LISTS[subject]
    if ignored := fields & known.unreliable(subject):
        names = ", ".join(wire_name(table.query, name) for name in sorted(ignored))
        return f"This engine would ignore {names}, and take more than was meant."
    if unproven := known.unproven(subject, fields):
        names = ", ".join(wire_name(table.query, name) for name in sorted(unproven))
        return f"It is not known whether this engine heeds {names}; mark the {NOUNS[subject].many} instead."
    for record in await connection.ask(lambda client: _first_page(client, subject, query)):
        if name := contradicted(subject, query, record):
            return (
                f"The engine returned {NOUNS[subject].one} {inert(short(record.id))}, which does not match "
                f"{wire_name(table.query, name)}: it does not do what it is asked."
            )
    return ""


def _used(query: Query) -> set[str]:
    """The filters that a query sets, also inside its ``orQueries``; empty lists and false flags filter nothing."""
    used = {name for name, value in query.chosen().items() if value is not False and value != []}
    for inner in getattr(query, "or_queries", None) or ():
        used |= _used(inner)
    return used


async def _first_page(client: Any, subject: str, query: Query) -> list[Any]:
    return list(await getattr(client, NOUNS[subject].listed)(query, 0, PAGE))


def contradicted(subject: str, query: Query, record: Any) -> str:
    """The first filter of a query that a record of its answer contradicts; empty if it fits as far as it can tell.

    Args:
        subject: what the query is over: ``tasks``, ``instances`` or ``history``.
        query: what was asked.
        record: what was answered.
    """
    for name, fits in _FITS[subject].items():
        value = getattr(query, name)
        if value not in (None, [], False) and not fits(record, value):
            return name
    return ""


def _is(field: str) -> Fits:
    return lambda record, value: getattr(record, field) == value


def _among(field: str) -> Fits:
    return lambda record, value: getattr(record, field) in value


def _key(of: str, many: bool = False, none: bool = False) -> Fits:
    """By the key of the process, which an older record of an instance does not tell: then its definition's id does."""

    def fits(record: Any, value: Any) -> bool:
        key = getattr(record, of, None)
        if not key:
            return True
        return (key in value) != none if many else key == value

    return fits


_TASKS: Mapping[str, Fits] = {
    "external_task_id": _is("id"),
    "external_task_id_in": _among("id"),
    "worker_id": _is("worker_id"),
    "lock_expiration_before": lambda task, at: (
        task.lock_expiration_time is not None and task.lock_expiration_time <= at
    ),
    "lock_expiration_after": lambda task, at: task.lock_expiration_time is not None and task.lock_expiration_time >= at,
    "topic_name": _is("topic_name"),
    "locked": lambda task, _: task.lock_expiration_time is not None,
    "execution_id": _is("execution_id"),
    "process_instance_id": _is("process_instance_id"),
    "process_instance_id_in": _among("process_instance_id"),
    "process_definition_id": _is("process_definition_id"),
    "process_definition_key": _key("process_definition_key"),
    "process_definition_key_in": _key("process_definition_key", many=True),
    "activity_id": _is("activity_id"),
    "activity_id_in": _among("activity_id"),
    "no_retries_left": lambda task, _: task.retries == 0,
    "suspended": lambda task, _: task.suspended,
    "priority_higher_than_or_equals": lambda task, least: task.priority >= least,
    "priority_lower_than_or_equals": lambda task, most: task.priority <= most,
    "tenant_id_in": _among("tenant_id"),
}
_INSTANCES: Mapping[str, Fits] = {
    "process_instance_ids": _among("id"),
    "business_key": _is("business_key"),
    "process_definition_id": _is("definition_id"),
    "process_definition_key": _key("definition_key"),
    "process_definition_key_in": _key("definition_key", many=True),
    "process_definition_key_not_in": _key("definition_key", many=True, none=True),
    "suspended": lambda instance, _: instance.suspended,
    "tenant_id_in": _among("tenant_id"),
    "without_tenant_id": lambda instance, _: instance.tenant_id is None,
}
_HISTORY: Mapping[str, Fits] = {
    "process_instance_id": _is("id"),
    "process_instance_ids": _among("id"),
    "process_instance_id_not_in": lambda instance, ids: instance.id not in ids,
    "process_definition_id": _is("process_definition_id"),
    "process_definition_key": _key("process_definition_key"),
    "process_definition_key_in": _key("process_definition_key", many=True),
    "process_instance_business_key": _is("business_key"),
    "process_instance_business_key_in": _among("business_key"),
    "finished": lambda instance, _: instance.end_time is not None,
    "unfinished": lambda instance, _: instance.end_time is None,
    "started_by": _is("start_user_id"),
    "tenant_id_in": _among("tenant_id"),
    "without_tenant_id": lambda instance, _: instance.tenant_id is None,
}
_JOBS: Mapping[str, Fits] = {
    "job_id": _is("id"),
    "job_ids": _among("id"),
    "job_definition_id": _is("job_definition_id"),
    "process_instance_id": _is("process_instance_id"),
    "process_instance_ids": _among("process_instance_id"),
    "process_definition_key": _is("process_definition_key"),
    "process_definition_id": _is("process_definition_id"),
    "failed_activity_id": _is("failed_activity_id"),
    "no_retries_left": lambda job, _: job.retries == 0,
}
_FITS: Mapping[str, Mapping[str, Fits]] = {
    "tasks": _TASKS, "instances": _INSTANCES, "history": _HISTORY, "jobs": _JOBS,
}  # fmt: skip
"""Subject -> filter -> what a record must be. Filters of flags that win over each other (``withRetriesLeft``,
``active``, ``notLocked``) are left out, and so is what no record tells: these are proven, not looked at."""
