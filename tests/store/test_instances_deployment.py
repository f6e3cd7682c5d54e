"""Deployment: versions, duplicates, refusals that store nothing."""

import asyncio

import pytest

from retriage.store.commands import processes
from retriage.store.commands.deployments import Deployed, deploy
from retriage.store.commands.processes import process_of
from retriage.store.commands.removals import remove_deployment
from retriage.store.contract.errors import ContractError
from retriage.store.tables import Deployment, DeploymentResource, ProcessDefinition, ProcessInstance, Variable
from tests.store.drawings import CAUGHT, END, FORKED, ONE_TASK, START, file, flows, process
from tests.store.running import Engine, refused


async def deployed(engine: Engine, files: dict[str, bytes], name: str | None = "n", **how: object) -> Deployed:
    async with engine.database.writing() as connection:
        return await deploy(connection, name, files, **how)  # type: ignore[arg-type]


async def test_versions_count_per_key_and_tenant(engine: Engine) -> None:
    first = await engine.deploy(ONE_TASK)
    second = await engine.deploy(FORKED)
    other = await engine.deploy(ONE_TASK, tenant_id="blue")
    assert [name.rpartition(":")[0] for name in (first, second, other)] == ["order:1", "order:2", "order:1"]
    rows = {row.id: row for row in await engine.rows(ProcessDefinition)}
    assert (rows[other].tenant_id, rows[other].category, rows[other].history_time_to_live) == (
        "blue",
        "http://shop",
        30,
    )


async def test_versions_of_deployments_at_the_same_time(engine: Engine) -> None:
    made = await asyncio.gather(*(engine.deploy(ONE_TASK) for _ in range(5)))
    assert sorted(name.split(":")[1] for name in made) == ["1", "2", "3", "4", "5"]


async def test_other_files_are_kept_and_not_read(engine: Engine) -> None:
    made = await deployed(engine, {"notes.txt": b"<hello", "order.bpmn20.xml": ONE_TASK})
    assert [definition.resource for definition in made.definitions] == ["order.bpmn20.xml"]
    assert len(await engine.rows(DeploymentResource)) == 2


async def test_duplicates(engine: Engine) -> None:
    first = await deployed(engine, {"a.bpmn": ONE_TASK}, source="ci")
    same = await deployed(engine, {"a.bpmn": ONE_TASK}, filter_duplicates=True, source="ci")
    assert (same.deployment.id, same.definitions) == (first.deployment.id, [])
    for different in (
        await deployed(engine, {"a.bpmn": ONE_TASK}, filter_duplicates=True, source="hand"),
        await deployed(engine, {"a.bpmn": ONE_TASK}, filter_duplicates=True, tenant_id="blue"),
        await deployed(engine, {"a.bpmn": ONE_TASK}, "another", filter_duplicates=True),
        await deployed(engine, {"a.bpmn": FORKED}, filter_duplicates=True),
        await deployed(engine, {"a.bpmn": ONE_TASK}),
    ):
        assert len(different.definitions) == 1


async def test_a_file_back_at_an_older_content_is_a_change(engine: Engine) -> None:
    for content in (ONE_TASK, FORKED, ONE_TASK):
        made = await deployed(engine, {"a.bpmn": content}, filter_duplicates=True)
        assert len(made.definitions) == 1


async def test_one_changed_file_deploys_all_or_only_itself(engine: Engine) -> None:
    other = ONE_TASK.replace(b'process id="order"', b'process id="other"')
    await deployed(engine, {"a.bpmn": ONE_TASK, "b.bpmn": other})
    changed = {"a.bpmn": FORKED, "b.bpmn": other}
    only = await deployed(engine, changed, changed_only=True)
    assert [definition.key for definition in only.definitions] == ["order"]
    every = await deployed(engine, {"a.bpmn": CAUGHT, "b.bpmn": other}, filter_duplicates=True)
    assert [definition.key for definition in every.definitions] == ["order", "other"]


async def test_a_refusal_names_all_files_and_stores_nothing(engine: Engine) -> None:
    wrong = file(process(START, '<userTask id="ask"/>', flows("begin>ask")))
    with pytest.raises(ContractError) as caught:
        await deployed(engine, {"good.bpmn": ONE_TASK, "wrong.bpmn": wrong, "worse.bpmn": b"<"})
    body = caught.value.body.model_dump(by_alias=True)
    assert (caught.value.status, body["type"], body["code"]) == (400, "ParseException", 0)
    assert body["message"].startswith(
        "ENGINE-09005 Could not parse BPMN process. Errors: \n"
        "* Element 'userTask' is not supported. | resource wrong.bpmn | line 5 | column 1\n* "
    )
    assert body["details"]["wrong.bpmn"] == {
        "errors": [
            {
                "message": "Element 'userTask' is not supported.",
                "line": 5,
                "column": 1,
                "mainElementId": "ask",
                "elementIds": ["ask"],
            }
        ],
        "warnings": [],
    }
    assert set(body["details"]) == {"wrong.bpmn", "worse.bpmn"}
    assert not await engine.rows(Deployment)
    assert not await engine.rows(ProcessDefinition)


async def test_a_key_may_stand_in_one_file_only(engine: Engine) -> None:
    with pytest.raises(ContractError, match="same key 'order'"):
        await deployed(engine, {"a.bpmn": ONE_TASK, "b.bpmn": FORKED})


async def test_a_forgotten_process_is_read_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = await engine.deploy(
        file(process(START, END, flows("begin>done")), process('<startEvent id="go"/>', key="b"))
    )
    monkeypatch.setattr(processes, "_parsed", type(processes._parsed)())
    async with engine.database.reading() as connection:
        assert set((await process_of(connection, definition)).nodes) == {"begin", "done"}
    assert list(processes._parsed) == [definition]


async def test_only_the_latest_used_processes_stay_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_parsed", type(processes._parsed)())
    monkeypatch.setattr(processes, "KEPT", 2)
    for name in ("a", "b", "c"):
        processes.remember(name, None)  # type: ignore[arg-type]
    assert list(processes._parsed) == ["b", "c"]


async def test_a_deployment_with_running_instances_stays(engine: Engine) -> None:
    definition = await engine.deploy(ONE_TASK)
    await engine.start(definition, amount=1)
    deployment = (await engine.row(Deployment)).id
    message = (
        "ENGINE-03076 Deletion of process definition without cascading failed. Process definition with id: "
        f"{definition} can't be deleted, because there are 1 dependent process instances."
    )
    async with refused(500, message), engine.database.writing() as connection:
        await remove_deployment(connection, deployment)
    async with engine.database.writing() as connection:
        await remove_deployment(connection, deployment, cascade=True)
    for table in (Deployment, DeploymentResource, ProcessDefinition, ProcessInstance, Variable):
        assert not await engine.rows(table)
