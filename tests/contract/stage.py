"""A drawing that is deployed, and what its instances do."""

from collections.abc import Mapping
from typing import Any

import httpx

from tests.contract.engine import Engine
from tests.contract.world import fresh, typed

Record = dict[str, Any]

WORKER = "worker"


class Stage:
    """One deployed file; its topics stay those of the drawing, so only its own tasks are looked at."""

    def __init__(self, engine: Engine, definitions: Mapping[str, Any]) -> None:
        self.engine = engine
        self.definitions = definitions

    async def start(self, key: str, **variables: Any) -> httpx.Response:
        """Start an instance."""
        definition = next(one["id"] for one in self.definitions.values() if one["key"] == key)
        body = {"variables": {name: typed(value) for name, value in variables.items()}}
        return await self.engine.http.post(f"/process-definition/{definition}/start", json=body)

    async def started(self, key: str, **variables: Any) -> str:
        """Start an instance, which must begin; gives its id."""
        response = await self.start(key, **variables)
        assert response.status_code == 200, response.text
        identity: str = response.json()["id"]
        return identity

    async def tasks(self, instance: str) -> dict[str, dict[str, Any]]:
        """The tasks of an instance by their activity."""
        found = await self.engine.post("/external-task", {"processInstanceId": instance})
        return {one["activityId"]: one for one in found}

    async def work(self, instance: str, activity: str, verb: str, **body: Any) -> None:
        """A worker takes a task and reports."""
        path = f"/external-task/{(await self.tasks(instance))[activity]['id']}"
        await self.engine.order("POST", f"{path}/lock", {"workerId": WORKER, "lockDuration": 60_000})
        await self.engine.order("POST", f"{path}/{verb}", {"workerId": WORKER, **body})

    async def variables(self, instance: str) -> dict[str, Any]:
        """The values of an instance's variables."""
        found = await self.engine.get(f"/process-instance/{instance}/variables")
        return {name: value["value"] for name, value in found.items()}

    async def state(self, instance: str) -> str:
        """What history says of an instance."""
        state: str = (await self.engine.get(f"/history/process-instance/{instance}"))["state"]
        return state

    async def ends(self, instance: str) -> list[str]:
        """How the tasks of an instance have ended, by the log."""
        log = await self.engine.get(
            "/history/external-task-log", processInstanceId=instance, sortBy="timestamp", sortOrder="asc"
        )
        kinds = ("successLog", "deletionLog")
        return [f"{one['activityId']} {kind}" for one in log for kind in kinds if one[kind]]

    async def jobs(self, instance: str, **query: Any) -> list[Record]:
        """The jobs of an instance, the oldest first."""
        body = {"processInstanceId": instance, "sorting": [{"sortBy": "jobId", "sortOrder": "asc"}], **query}
        found: list[Record] = await self.engine.post("/job", body)
        return found

    async def job(self, instance: str) -> Record:
        """The one job of an instance."""
        (only,) = await self.jobs(instance)
        return only

    async def execute(self, instance: str, job: Record | None = None) -> None:
        """Carry out a job of an instance by hand; its only one if none is given."""
        await self.engine.order("POST", f"/job/{(job or await self.job(instance))['id']}/execute")

    async def tree(self, instance: str) -> Record:
        """Where the tokens of an instance are."""
        found: Record = await self.engine.get(f"/process-instance/{instance}/activity-instances")
        return found

    async def places(self, instance: str) -> list[str]:
        """Activities where tokens are, those that wait for a job before or after them in brackets."""
        found = await self.tree(instance)
        inside = [one["activityId"] for one in found["childActivityInstances"]]
        return sorted([*inside, *(f"({one['activityId']})" for one in found["childTransitionInstances"])])

    async def freeze(self) -> None:
        """Suspend all job definitions, so that later jobs are born so, and nobody carries them out but these tests."""
        for definition in self.definitions:
            for one in await self.engine.get("/job-definition", processDefinitionId=definition):
                await self.engine.order("PUT", f"/job-definition/{one['id']}/suspended", {"suspended": True})


async def deploy(engine: Engine, drawing: bytes) -> httpx.Response:
    """Deploy a file under a name of its own."""
    parts = {"deployment-name": (None, fresh("deployment")), "data": ("order.bpmn", drawing)}
    return await engine.http.post("/deployment/create", files=parts)


async def stage(engine: Engine, drawing: bytes) -> Stage:
    """Deploy a file, which must be understood."""
    response = await deploy(engine, drawing)
    assert response.status_code == 200, response.text
    return Stage(engine, response.json()["deployedProcessDefinitions"])


async def frozen(engine: Engine, drawing: bytes) -> Stage:
    """Deploy a file whose jobs are carried out by hand only."""
    made = await stage(engine, drawing)
    await made.freeze()
    return made
