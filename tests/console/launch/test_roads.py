"""On every road to a launch what has no need of it is left out, and the counts shown are what then happens.

The embedded engine carries the launches out; what they have done is read from its file with SQL, by nothing of the
console.
"""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from retriage.console.engine.connect import connect
from retriage.console.engine.target import Embedded
from retriage.console.launch.preparation import LaunchPreparation
from retriage.console.operations.preview import BY_HAND, Kind
from retriage.console.reading.selection import Composed, Everything, Marked, Selection
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery, HistoricProcessInstanceQuery, ProcessInstanceQuery
from retriage.store.demo_store import fill

TOPIC = "charge-card"
PATIENCE = 60.0

Retries = dict[str, int | None]
Rows = list[tuple[str, str, str]]
"""Id, topic and process instance of tasks."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose tasks have failed for good, have 1, 2 or 3 retries left, or never failed: some of each."""
    file = tmp_path_factory.mktemp("world") / "world.db"
    fill(str(file), 150, 7, lambda done: None)
    store = sqlite3.connect(file)
    healthy = [row[0] for row in store.execute("SELECT id FROM external_task WHERE retries = 0 ORDER BY id")]
    for at, id in enumerate(healthy):
        if at % 3 == 0:
            store.execute("UPDATE external_task SET retries = ? WHERE id = ?", [(None, 1, 2, 3)[at // 3 % 4], id])
    store.commit()
    store.close()
    return file


def asked(file: Path, question: str, *values: object) -> list[tuple[object, ...]]:
    store = sqlite3.connect(file, timeout=30)
    try:
        return store.execute(question, values).fetchall()
    finally:
        store.close()


def retries_in(file: Path) -> Retries:
    return {str(id): has for id, has in asked(file, "SELECT id, retries FROM external_task")}  # type: ignore[misc]


def everything(rows: Rows) -> tuple[Selection, set[str]]:
    return Everything(ExternalTaskQuery(topic_name=TOPIC)), {id for id, topic, _ in rows if topic == TOPIC}


def failed(rows: Rows) -> tuple[Selection, set[str]]:
    query = ExternalTaskQuery(topic_name=TOPIC, no_retries_left=True)
    return Everything(query), {id for id, topic, _ in rows if topic == TOPIC}


def every_task(rows: Rows) -> tuple[Selection, set[str]]:
    return Everything(ExternalTaskQuery()), {id for id, _, _ in rows}


def all_but_some(rows: Rows) -> tuple[Selection, set[str]]:
    chosen = sorted(id for id, topic, _ in rows if topic == TOPIC)
    return Everything(ExternalTaskQuery(topic_name=TOPIC), frozenset(chosen[:2])), set(chosen[2:])


def marks(rows: Rows) -> tuple[Selection, set[str]]:
    chosen = {id for id, _, _ in rows[::3]}
    return Marked(frozenset(chosen)), chosen


def ids_with_one_that_is_gone(rows: Rows) -> tuple[Selection, set[str]]:
    chosen = {id for id, _, _ in rows[::5]}
    return Marked(frozenset({*chosen, "never-was"})), chosen


def instances_of(rows: Rows) -> list[str]:
    return sorted({instance for _, _, instance in rows})[::2]


def composed_ids(rows: Rows) -> tuple[Selection, set[str]]:
    chosen = {id for id, _, _ in rows[::4]}
    return Composed(SetExternalTaskRetries(external_task_ids=sorted(chosen))), chosen


def composed_query(rows: Rows) -> tuple[Selection, set[str]]:
    sources = SetExternalTaskRetries(external_task_query=ExternalTaskQuery(topic_name=TOPIC))
    return Composed(sources), {id for id, topic, _ in rows if topic == TOPIC}


def composed_instances(rows: Rows) -> tuple[Selection, set[str]]:
    instances = instances_of(rows)
    chosen = {id for id, _, instance in rows if instance in instances}
    return Composed(SetExternalTaskRetries(process_instance_ids=instances)), chosen


def composed_instance_query(rows: Rows) -> tuple[Selection, set[str]]:
    instances = instances_of(rows)
    query = ProcessInstanceQuery(process_instance_ids=instances)
    chosen = {id for id, _, instance in rows if instance in instances}
    return Composed(SetExternalTaskRetries(process_instance_query=query)), chosen


def composed_history(rows: Rows) -> tuple[Selection, set[str]]:
    instances = instances_of(rows)
    query = HistoricProcessInstanceQuery(process_instance_ids=instances)
    chosen = {id for id, _, instance in rows if instance in instances}
    return Composed(SetExternalTaskRetries(historic_process_instance_query=query)), chosen


def composed_union(rows: Rows) -> tuple[Selection, set[str]]:
    ids = {id for id, _, _ in rows[::4]}
    sources = SetExternalTaskRetries(
        external_task_ids=sorted(ids),
        external_task_query=ExternalTaskQuery(topic_name=TOPIC),
        process_instance_ids=instances_of(rows)[:5],
    )
    instances = instances_of(rows)[:5]
    return Composed(sources), ids | {id for id, topic, at in rows if topic == TOPIC or at in instances}


ROADS = [
    everything, failed, every_task, all_but_some, marks, ids_with_one_that_is_gone, composed_ids, composed_query,
    composed_instances, composed_instance_query, composed_history, composed_union,
]  # fmt: skip


def meant(has: int | None, value: int, included: frozenset[Kind]) -> bool:
    """The rule, written down once more."""
    if has is None:
        return "never_failed" in included
    if has == value:
        return "unchanged" in included
    return has < value or value == 0 or "lowered" in included


@pytest.mark.parametrize(
    ("value", "included"),
    [(2, frozenset()), (0, frozenset()), (1, frozenset({"never_failed"})), (2, frozenset(BY_HAND) - {"gone"})],
    ids=["to 2", "to 0", "to 1 with those that never failed", "to 2 with all"],
)
@pytest.mark.parametrize("road", ROADS, ids=lambda road: str(road.__name__))
async def test_the_counts_that_are_shown_are_what_happens(
    world: Path,
    tmp_path: Path,
    road: Callable[[Rows], tuple[Selection, set[str]]],
    value: int,
    included: frozenset[Kind],
) -> None:
    file = tmp_path / "store.db"
    shutil.copy(world, file)
    rows = [
        (str(id), str(topic), str(instance))
        for id, topic, instance in asked(
            file, "SELECT id, topic_name, process_instance_id FROM external_task ORDER BY id"
        )
    ]
    before = retries_in(file)
    selection, named = road(rows)
    if road is failed:
        named = {id for id in named if before[id] == 0}
    expected = {id for id in named if meant(before[id], value, included)}
    session = Session(ConnectionIdentity("TEST"))
    async with connect(Embedded(str(file))) as client:
        session.connection.open(client)
        preparation = LaunchPreparation(session, selection, retries=value)
        for kind in included:
            preparation.include(kind, True)
        await preparation.ask()
        preparation.mean_every_task()
        plan = preparation.plan
        assert plan is not None
        assert plan.count == len(expected)
        assert plan.left_out == len(named) - len(expected) + (road is ids_with_one_that_is_gone)
        told = sum(one.count for one in plan.preview() if not one.overlaps)
        told += sum(one.count for kind in plan.included if (one := plan.class_by_hand(kind)) is not None)
        assert told == len(expected), "what the lines say does not add up to the total"
        if not expected:
            assert preparation.confirm("", "") is None
            return
        order = preparation.confirm("", "")
        assert order is not None
        batch = await client.launch_batch(order.plan.prepared)
        assert batch.total_jobs == len(expected)
        deadline = time.monotonic() + PATIENCE
        while asked(file, "SELECT 1 FROM batch WHERE end_time IS NULL"):
            assert time.monotonic() < deadline, "the batch does not end"
            await asyncio.sleep(0.02)
    after = retries_in(file)
    assert {id for id in before if after[id] != before[id]} == {id for id in expected if before[id] != value}
    assert {after[id] for id in expected} == {value}
