"""Building a world over REST: processes, instances, tasks that failed, were locked, were suspended.

Everything is named afresh, so that tests sharing an engine never meet.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.contract.answers import ids
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine


def fresh(word: str) -> str:
    """A name that nothing else has; good as a process key, a topic or a worker."""
    return f"{word}{uuid4().hex[:10]}"


@dataclass(frozen=True)
class Deployment:
    """What a deployment made: process definition ids by key."""

    id: str
    definitions: Mapping[str, str]


@dataclass(frozen=True)
class Scene:
    """A process with instances that wait: ``tasks[i]`` is the external task of ``instances[i]``.

    In a wide scene there is one instance, and all the tasks are its own.
    """

    key: str
    topic: str
    deployment: str
    definition: str
    instances: list[str]
    tasks: list[str]


class World:
    """The builder. Every method is a request of the contract, or a few."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def deploy(self, *drawings: Drawing, tenant: str | None = None, name: str | None = None) -> Deployment:
        """Deploy the drawings together."""
        reserved = {"deployment-name": name or fresh("deployment"), **({"tenant-id": tenant} if tenant else {})}
        parts: list[tuple[str, Any]] = [(field, (None, value)) for field, value in reserved.items()]
        parts += [(one.key, (one.resource, one.xml(), "application/octet-stream")) for one in drawings]
        response = await self.engine.http.post("/deployment/create", files=parts)
        assert response.status_code == 200, response.text
        answer = response.json()
        made = answer["deployedProcessDefinitions"].values()
        return Deployment(answer["id"], {definition["key"]: definition["id"] for definition in made})

    async def start(
        self, definition: str, business_key: str | None = None, variables: Mapping[str, Any] | None = None
    ) -> str:
        """Start an instance of a definition (by id); gives the instance's id."""
        body: dict[str, Any] = {"variables": {name: typed(value) for name, value in (variables or {}).items()}}
        if business_key is not None:
            body["businessKey"] = business_key
        started = await self.engine.post(f"/process-definition/{definition}/start", body)
        identity: str = started["id"]
        return identity

    async def scene(
        self,
        size: int = 1,
        *,
        business_keys: Iterable[str] | None = None,
        variables: Mapping[str, Any] | None = None,
        tenant: str | None = None,
        name: str | None = None,
        version_tag: str | None = None,
        priority: int | None = None,
    ) -> Scene:
        """A fresh process with ``size`` instances, each at its one task."""
        key, topic = fresh("order"), fresh("charge")
        drawing = Drawing(key, [Step("Charge", topic, priority)], name=name, version_tag=version_tag)
        deployed = await self.deploy(drawing, tenant=tenant)
        keys = list(business_keys) if business_keys is not None else [None] * size
        instances = [await self.start(deployed.definitions[key], one, variables) for one in keys]
        found = await self.engine.post("/external-task", {"topicName": topic})
        by_instance = {task["processInstanceId"]: task["id"] for task in found}
        tasks = [by_instance[instance] for instance in instances]
        return Scene(key, topic, deployed.id, deployed.definitions[key], instances, tasks)

    async def wide(self, size: int) -> Scene:
        """One instance of a fresh process, at ``size`` tasks side by side: many tasks for one request."""
        key, topic = fresh("wide"), fresh("branch")
        steps = [Step(f"Branch{number:04d}", topic) for number in range(size)]
        deployed = await self.deploy(Drawing(key, steps, side_by_side=True))
        instance = await self.start(deployed.definitions[key])
        found = await self.engine.post("/external-task", {"topicName": topic})
        tasks = ids(sorted(found, key=lambda task: str(task["activityId"])))
        assert len(tasks) == size
        return Scene(key, topic, deployed.id, deployed.definitions[key], [instance], tasks)

    async def task(self, task_id: str) -> dict[str, Any]:
        """The task as it is now."""
        found: dict[str, Any] = await self.engine.get(f"/external-task/{task_id}")
        return found

    async def retries(self, tasks: Iterable[str]) -> list[int | None]:
        """The retries of these tasks, in their order."""
        wanted = list(tasks)
        found = await self.engine.post("/external-task", {"externalTaskIdIn": wanted})
        by_id = {task["id"]: task["retries"] for task in found}
        return [by_id[task] for task in wanted]

    async def set_retries(self, retries: int, *tasks: str) -> None:
        """Set the retries of some tasks at once."""
        await self.engine.order("PUT", "/external-task/retries", {"retries": retries, "externalTaskIds": list(tasks)})

    async def lock(self, task_id: str, worker: str, milliseconds: int = 3_600_000) -> None:
        """Lock one task for a worker."""
        await self.engine.order(
            "POST", f"/external-task/{task_id}/lock", {"workerId": worker, "lockDuration": milliseconds}
        )

    async def fail(
        self, task_id: str, message: str | None = "boom", *, retries: int = 0, details: str | None = None
    ) -> None:
        """Let a worker lock the task and report a failure; the lock is over at once."""
        worker = fresh("worker")
        await self.lock(task_id, worker)
        body = {"workerId": worker, "errorMessage": message, "errorDetails": details, "retries": retries}
        await self.engine.order("POST", f"/external-task/{task_id}/failure", body)

    async def complete(self, task_id: str) -> None:
        """Let a worker lock and complete the task."""
        worker = fresh("worker")
        await self.lock(task_id, worker)
        await self.engine.order("POST", f"/external-task/{task_id}/complete", {"workerId": worker})

    async def suspend(self, instance: str, suspended: bool = True) -> None:
        """Suspend or activate an instance."""
        await self.engine.order("PUT", f"/process-instance/{instance}/suspended", {"suspended": suspended})

    async def cancel(self, instance: str) -> None:
        """Delete a running instance."""
        await self.engine.order("DELETE", f"/process-instance/{instance}")

    async def incident(self, configuration: str) -> dict[str, Any]:
        """The one open incident of a task or job."""
        found = await self.engine.get("/incident", configuration=configuration)
        assert len(found) == 1, found
        only: dict[str, Any] = found[0]
        return only


def typed(value: Any) -> dict[str, Any]:
    """A variable value; a dict is taken as one already."""
    return value if isinstance(value, dict) else {"value": value}


async def tick() -> None:
    """Let the engine's clock move on by at least one millisecond, the resolution of its times."""
    await asyncio.sleep(0.005)
