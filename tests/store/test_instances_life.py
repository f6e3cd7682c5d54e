"""Instances: from their start to their end, with the rows that they leave behind."""

import asyncio
from typing import Any

import pytest

from retriage.store.commands import instances, workers
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import CompleteTask
from retriage.store.contract.states import ACTIVE, COMPLETED, EXTERNALLY_TERMINATED, SUSPENDED, LogState
from retriage.store.tables import (
    Execution,
    ExternalTask,
    ExternalTaskLog,
    Incident,
    ProcessDefinition,
    ProcessInstance,
    Variable,
)
from tests.store.drawings import CAUGHT, CHOOSING, END, FORKED, ONE_TASK, START, file, flows, process, task
from tests.store.running import Engine, refused

PROPERTIES = "<extensionElements><camunda:properties/></extensionElements>"


async def test_a_start_makes_instance_task_execution_and_log(engine: Engine) -> None:
    definition = await engine.deploy(CHOOSING, tenant_id="blue")
    started = await engine.start(definition, "A-1", rank=7, amount=5)
    assert (started.definition_key, started.ended, started.tenant_id) == ("order", False, "blue")
    instance = await engine.row(ProcessInstance)
    assert (instance.id, instance.state, instance.business_key) == (started.id, ACTIVE, "A-1")
    assert (instance.start_activity_id, instance.end_time, instance.tenant_id) == ("begin", None, "blue")
    made = await engine.row(ExternalTask)
    assert (made.topic_name, made.priority, made.retries, made.worker_id) == ("look", 7, None, None)
    assert (made.tenant_id, made.process_definition_id, made.suspended) == ("blue", definition, False)
    assert made.activity_instance_id.startswith("look:")
    execution = await engine.row(Execution)
    assert (execution.id, execution.activity_id) == (made.execution_id, "look")
    assert made.execution_id != started.id
    entry = await engine.row(ExternalTaskLog)
    assert (entry.external_task_id, entry.state, entry.priority) == (made.id, LogState.CREATED, 7)
    assert {row.name for row in await engine.rows(Variable)} == {"rank", "amount"}


async def test_fork_and_join_to_the_end(engine: Engine) -> None:
    started = await engine.start(await engine.deploy(FORKED))
    first, second = await engine.fetch("pack", "bill")
    await engine.complete(first)
    assert sorted(row.activity_id for row in await engine.rows(Execution)) == sorted([second.activity_id, "join"])
    await engine.complete(second)
    (last,) = await engine.fetch("ship")
    await engine.complete(last)
    assert not await engine.rows(Execution)
    assert not await engine.rows(ExternalTask)
    ended = await engine.row(ProcessInstance, id=started.id)
    assert ended.state == COMPLETED
    assert ended.end_time >= ended.start_time


async def test_both_branches_completed_at_the_same_time_join_once(engine: Engine) -> None:
    definition = await engine.deploy(FORKED)
    for _ in range(5):
        await engine.start(definition)
        first, second = await engine.fetch("pack", "bill")
        await asyncio.gather(engine.complete(first), engine.complete(second))
        (last,) = await engine.fetch("ship")
        await engine.complete(last)
    assert {row.state for row in await engine.rows(ProcessInstance)} == {COMPLETED}


@pytest.mark.parametrize(("amount", "way"), [(100, "large"), (99, "small")])
async def test_an_exclusive_gateway_reads_what_the_worker_wrote(engine: Engine, amount: int, way: str) -> None:
    await engine.start(await engine.deploy(CHOOSING), amount=1)
    (found,) = await engine.fetch("look")
    await engine.complete(found, amount=amount)
    assert (await engine.row(ExternalTask)).topic_name == way


async def test_a_transient_variable_decides_and_is_forgotten(engine: Engine) -> None:
    await engine.start(await engine.deploy(CHOOSING))
    (found,) = await engine.fetch("look")
    order = CompleteTask(worker_id="w", variables={"amount": {"value": 500, "valueInfo": {"transient": True}}})
    async with engine.database.writing() as connection:
        await workers.complete(connection, found.id, order)
    assert (await engine.row(ExternalTask)).topic_name == "large"
    assert not await engine.rows(Variable)


async def test_when_it_can_not_go_on_everything_stays(engine: Engine) -> None:
    await engine.start(await engine.deploy(CHOOSING))
    (found,) = await engine.fetch("look")
    before = await engine.rows(ExternalTask), await engine.rows(ExternalTaskLog), await engine.rows(Execution)
    async with refused(
        500, "Unknown property used in expression: ${amount >= 100}. Cause: Cannot resolve identifier 'amount'"
    ):
        await engine.complete(found, other=1)
    assert before == (await engine.rows(ExternalTask), await engine.rows(ExternalTaskLog), await engine.rows(Execution))
    assert not await engine.rows(Variable)


async def test_a_process_without_tasks_ends_in_its_start(engine: Engine) -> None:
    started = await engine.start(await engine.deploy(file(process(START, END, flows("begin>done")))))
    assert started.ended
    assert (await engine.row(ProcessInstance)).state == COMPLETED


async def test_starts_that_are_refused(engine: Engine) -> None:
    message = "no deployed process definition found with id 'x:1:y': processDefinition is null"
    async with refused(500, message, "NullValueException"):
        await engine.start("x:1:y")
    definition = await engine.deploy(CHOOSING)
    async with refused(500, ": Priority value is not an Integer"):
        await engine.start(definition, rank="high")
    assert not await engine.rows(ProcessInstance)
    async with engine.database.writing() as connection:
        await connection.execute(ProcessDefinition.__table__.update().values(suspended=True))  # type: ignore[attr-defined]
    async with refused(400, f"ENGINE-03043 Process Definition with id '{definition}' is suspended."):
        await engine.start(definition)


async def test_an_error_that_is_caught(engine: Engine) -> None:
    await engine.start(await engine.deploy(CAUGHT))
    (found,) = await engine.fetch("charge")
    await engine.fail(found, 0, error_message="no answer")
    await engine.bpmn_error(found, "DECLINED", error_message="no money", variables={"limit": {"value": 3}})
    (went_on,) = await engine.fetch("call")
    assert {name: value.value for name, value in went_on.variables.items()} == {
        "code": "DECLINED",
        "why": "no money",
        "limit": 3,
    }
    states = [row.state for row in await engine.rows(ExternalTaskLog, external_task_id=found.id)]
    assert states == [LogState.CREATED, LogState.FAILED, LogState.DELETED]
    assert (await engine.row(Incident)).state == "deleted"


async def test_an_error_without_message_leaves_a_null(engine: Engine) -> None:
    await engine.start(await engine.deploy(CAUGHT))
    (found,) = await engine.fetch("charge")
    await engine.bpmn_error(found, "DECLINED")
    (went_on,) = await engine.fetch("call")
    assert went_on.variables["why"].model_dump() == {"type": "Null", "value": None, "value_info": {}}


async def test_an_error_that_nobody_catches_ends_its_token(engine: Engine) -> None:
    await engine.start(await engine.deploy(FORKED))
    first, second = await engine.fetch("pack", "bill")
    await engine.bpmn_error(first, "UNKNOWN")
    assert (await engine.row(ProcessInstance)).state == ACTIVE
    await engine.bpmn_error(second, "UNKNOWN")
    assert (await engine.row(ProcessInstance)).state == COMPLETED
    assert not await engine.rows(Execution)


async def test_delete(engine: Engine) -> None:
    definition = await engine.deploy(FORKED)
    started, other = await engine.start(definition, amount=1), await engine.start(definition)
    failing = next(one for one in await engine.fetch("pack") if one.process_instance_id == started.id)
    await engine.fail(failing, 0, error_message="boom", error_details="deep", local_variables={"here": {"value": 1}})
    async with engine.database.writing() as connection:
        await instances.delete_instance(connection, started.id)
    ended = await engine.row(ProcessInstance, id=started.id)
    assert (ended.state, ended.delete_reason) == (EXTERNALLY_TERMINATED, None)
    assert ended.end_time is not None
    assert {row.process_instance_id for row in await engine.rows(ExternalTask)} == {other.id}
    assert {row.process_instance_id for row in await engine.rows(Execution)} == {other.id}
    gone = await engine.rows(ExternalTaskLog, process_instance_id=started.id, state=LogState.DELETED)
    assert {(row.activity_id, row.worker_id, row.retries) for row in gone} == {("pack", "w", 0), ("bill", None, None)}
    incident = await engine.row(Incident)
    assert (incident.state, incident.end_time) == ("deleted", ended.end_time)
    left = {row.name: row.deleted for row in await engine.rows(Variable)}
    assert left == {"amount": False, "here": True}, "the history has both, the instance one"


async def test_delete_what_does_not_run(engine: Engine) -> None:
    async with (
        refused(404, "No process instance found for id 'x': processInstance is null"),
        engine.database.writing() as connection,
    ):
        await instances.delete_instance(connection, "x")
    async with engine.database.writing() as connection:
        await instances.delete_instance(connection, "x", fail_if_not_exists=False)


async def suspend(engine: Engine, **order: Any) -> int:
    async with engine.database.writing() as connection:
        wanted = SetInstancesSuspended.model_validate({"suspended": True, **order})
        return await instances.set_suspended_in_bulk(connection, wanted)


async def suspended(engine: Engine) -> set[str]:
    """Ids of suspended instances; their tasks must say the same."""
    by_instances = {row.id for row in await engine.rows(ProcessInstance, state=SUSPENDED)}
    by_tasks = {row.process_instance_id for row in await engine.rows(ExternalTask, suspended=True)}
    assert by_instances == by_tasks
    return by_instances


async def test_suspend_and_activate_in_bulk(engine: Engine) -> None:
    first = await engine.deploy(ONE_TASK)
    a, b = [(await engine.start(first, name)).id for name in ("A-1", "B-1")]
    second = await engine.deploy(ONE_TASK)
    c = (await engine.start(second, "A-2")).id
    assert await suspend(engine, processDefinitionId=first) == 2
    assert await suspended(engine) == {a, b}
    assert await suspend(engine, processDefinitionKey="order") == 1
    assert await suspended(engine) == {a, b, c}
    assert await suspend(engine, processInstanceIds=[a, "unknown"], suspended=False) == 1
    query = {"processInstanceQuery": {"suspended": True}, "historicProcessInstanceQuery": {"suspended": True}}
    assert await suspend(engine, **query, suspended=False) == 2
    assert await suspended(engine) == set()
    assert await suspend(engine, processInstanceQuery={"businessKeyLike": "A-%"}) == 2
    assert await suspended(engine) == {a, c}


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({}, "Either processDefinitionId or processDefinitionKey should be set"),
        ({"processDefinitionId": "a", "processDefinitionKey": "b"}, "Only one of processDefinitionId or"),
        ({"processDefinitionKey": "b", "processInstanceIds": ["a"]}, "Choose either a single processInstance"),
        ({"processInstanceIds": []}, "No process instance ids given: Process Instance ids is empty"),
        ({"processInstanceQuery": {"businessKey": "none"}}, "No process instance ids given"),
    ],
)
async def test_bulk_orders_that_are_refused(engine: Engine, order: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError, match=sentence) as caught:
        await suspend(engine, **order)
    assert caught.value.status == 400


async def test_a_loop_through_tasks_goes_round(engine: Engine) -> None:
    drawn = file(process(START, task("a", inside=PROPERTIES), task("b"), flows("begin>a", "a>b", "b>a")))
    await engine.start(await engine.deploy(drawn))
    for topic in ("a", "b", "a"):
        (found,) = await engine.fetch(topic)
        await engine.complete(found)
    assert (await engine.row(ExternalTask)).topic_name == "b"
    assert len(await engine.rows(Execution)) == 1
