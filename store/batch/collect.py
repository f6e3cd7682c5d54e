"""Collect the ids of a batch: the union of its sources, each id once, grouped by deployment."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Text, func, insert, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import BatchType, Target
from retriage.store.tables import BatchElement, BatchGroup
from retriage.store.tables.types import Rows, col

_AFTER_EXPLICIT = 1 << 40


def collected(connection: AsyncConnection, batch_type: BatchType, explicit: list[str], sources: list[Rows]) -> Rows:
    """A select of the ids of a new batch with the deployment of each, in the order of their ordinals.

    Groups are ordered by deployment id ignoring case, ids without a deployment (unknown ones) last; inside a group
    the explicit ids come first in their order, then those that the queries found by id.

    Args:
        connection: where it will be asked.
        batch_type: what the ids name, and whether those that name nothing are left out.
        explicit: ids that were given one by one, each once, existing or not.
        sources: selects of ids. One of both is needed.
    """
    candidates = _candidates(connection, explicit, sources).subquery("candidate")
    target = batch_type.target
    rows = select(candidates.c.id, target.deployment.label("deployment_id")).select_from(candidates)
    return _taken(batch_type, rows, candidates.c.id).order_by(*_order(target, candidates))


async def collect(
    connection: AsyncConnection, batch_id: str, batch_type: BatchType, explicit: list[str], sources: list[Rows]
) -> int:
    """Write the elements and groups of a new batch by one statement each; see ``collected``.

    Returns:
        How many ids were collected.
    """
    if not explicit and not sources:
        return 0
    candidates = _candidates(connection, explicit, sources).subquery("candidate")
    place = func.row_number().over(order_by=_order(batch_type.target, candidates))
    numbered = select(literal(batch_id), place - 1, candidates.c.id).select_from(candidates)
    rows = _taken(batch_type, numbered, candidates.c.id)
    written = await connection.execute(
        insert(BatchElement).from_select(["batch_id", "ordinal", "element_id"], rows),
        execution_options={"preserve_rowcount": True},  # kept without asking only after UPDATE and DELETE
    )
    await _group(connection, batch_id, batch_type.target)
    return written.rowcount


def _taken(batch_type: BatchType, rows: Rows, identity: ColumnElement[Any]) -> Rows:
    """Candidates with what they name; without those that name nothing, where the type leaves them out."""
    joined = batch_type.target.join(rows, identity)
    return joined.where(batch_type.target.key.is_not(None)) if batch_type.known_only else joined


def _order(target: Target, candidates: Any) -> tuple[ColumnElement[Any], ...]:
    deployment = target.deployment
    return deployment.is_(None), func.lower(deployment), deployment, candidates.c.position, candidates.c.id


async def add_elements(connection: AsyncConnection, batch_id: str, first: int, ids: list[str]) -> None:
    """Write some of the elements of a new batch (SQLite).

    Args:
        connection: the caller's transaction.
        batch_id: the new batch.
        first: ordinal of the first of them.
        ids: what they name.
    """
    given = _numbered(connection, ids)
    place = given.c.key + literal(first)
    rows = select(literal(batch_id), place, given.c.value)
    await connection.execute(insert(BatchElement).from_select(["batch_id", "ordinal", "element_id"], rows))


def _candidates(connection: AsyncConnection, explicit: list[str], sources: list[Rows]) -> Any:
    queries = []
    for source in sources:
        found = source.subquery()
        queries.append(select(found.c.id, literal(_AFTER_EXPLICIT).label("position")))
    if not explicit and len(queries) == 1:
        return queries[0]
    if explicit:
        given = _numbered(connection, explicit)
        queries.append(select(given.c.value.label("id"), given.c.key.label("position")))
    every = union_all(*queries).subquery("every")
    return select(every.c.id, func.min(every.c.position).label("position")).group_by(every.c.id)


def _numbered(connection: AsyncConnection, values: list[str]) -> Any:
    """A list of texts as a table with the columns ``value`` and ``key``, its place."""
    texts = literal(json.dumps(values, ensure_ascii=False), Text)
    if connection.dialect.name == "sqlite":
        return func.json_each(texts).table_valued("value", "key")
    elements = func.json_array_elements_text(func.cast(texts, _json()))
    return elements.table_valued("value", with_ordinality="key").render_derived()


def _json() -> Any:
    from sqlalchemy.dialects.postgresql import JSON

    return JSON


async def _group(connection: AsyncConnection, batch_id: str, target: Target) -> None:
    """Write down which ordinals belong to which deployment."""
    ordinal = col(BatchElement.ordinal)
    group = select(literal(batch_id), func.min(ordinal), func.max(ordinal) + 1, target.deployment)
    rows = (
        target.join(group.select_from(BatchElement), col(BatchElement.element_id))
        .where(col(BatchElement.batch_id) == batch_id)
        .group_by(target.deployment)
    )
    await connection.execute(insert(BatchGroup).from_select(["batch_id", "first", "past", "deployment_id"], rows))
