"""Lists of batches: running, with statistics, historic."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import moment, refused, wire
from tests.contract.batches import Launched, Record, launch, stuck
from tests.contract.engine import Engine
from tests.contract.world import World, tick

RUNNING, STATISTICS, HISTORIC = "/batch", "/batch/statistics", "/history/batch"
TYPE = "set-external-task-retries"


@dataclass
class Gallery:
    """Batches by name."""

    batches: dict[str, Launched]

    def id_of(self, word: str) -> str:
        """The id of a batch."""
        return self.batches[word].id

    def named(self, records: list[Record]) -> set[str]:
        """The names of those of these batches that are ours."""
        words = {batch.id: word for word, batch in self.batches.items()}
        return {words[record["id"]] for record in records if record["id"] in words}

    def near(self, word: str, milliseconds: int = 0) -> str:
        """A moment near the start of a batch."""
        started = moment(self.batches[word].answer["startTime"])
        return wire(started + timedelta(milliseconds=milliseconds))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> AsyncIterator[Gallery]:
    """Five batches, each after the one before: failing, healthy (its job waits), suspended, ended, deleted."""
    world = World(engine)
    batches: dict[str, Launched] = {"failing": await stuck(engine, [])}
    await tick()
    batches["healthy"] = healthy = await stuck(engine, [])
    far = {"retries": 1, "dueDate": "2099-01-01T00:00:00.000+0000"}
    await engine.order("PUT", f"/job/{(await healthy.jobs())[0]['id']}/retries", far)
    await tick()
    batches["suspended"] = await stuck(engine, [])
    await batches["suspended"].suspend()
    await tick()
    batches["ended"] = await launch(engine, 1, (await world.scene(1)).tasks)
    await batches["ended"].ended()
    await tick()
    batches["deleted"] = await stuck(engine, [])
    await batches["deleted"].delete()
    yield Gallery(batches)
    for word in ALIVE:
        await batches[word].delete()


ALIVE = {"failing", "healthy", "suspended"}
GONE = {"ended", "deleted"}
ALL = ALIVE | GONE

Filter = Callable[[Gallery], dict[str, Any]]

BOTH: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALIVE),
    "batchId": (lambda g: {"batchId": g.id_of("failing")}, {"failing"}),
    "batchId-gone": (lambda g: {"batchId": g.id_of("ended")}, set()),
    "type": (lambda g: {"type": TYPE}, ALIVE),
    "type-other": (lambda g: {"type": "instance-deletion"}, set()),
    "tenantIdIn": (lambda g: {"tenantIdIn": ["none"]}, set()),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALIVE),
    "tenantIdIn-withoutTenantId": (lambda g: {"withoutTenantId": True, "tenantIdIn": ["none"]}, set()),
    "suspended": (lambda g: {"suspended": True}, {"suspended"}),
    "suspended-false": (lambda g: {"suspended": False}, ALIVE - {"suspended"}),
}
ONLY_STATISTICS: dict[str, tuple[Filter, set[str]]] = {
    "createdBy": (lambda g: {"createdBy": "nobody"}, set()),
    "startedBefore": (lambda g: {"startedBefore": g.near("healthy")}, {"failing", "healthy"}),
    "startedBefore-exclusive": (lambda g: {"startedBefore": g.near("healthy", -1)}, {"failing"}),
    "startedAfter": (lambda g: {"startedAfter": g.near("healthy")}, {"healthy", "suspended"}),
    "startedAfter-exclusive": (lambda g: {"startedAfter": g.near("healthy", 1)}, {"suspended"}),
    "withFailures": (lambda g: {"withFailures": True}, ALIVE - {"healthy"}),
    "withoutFailures": (lambda g: {"withoutFailures": True}, {"healthy"}),
    "with-and-without-failures": (lambda g: {"withFailures": True, "withoutFailures": True}, {"healthy"}),
    "withFailures-false": (lambda g: {"withFailures": False, "withoutFailures": False}, ALIVE),
    "two-filters": (lambda g: {"withFailures": True, "suspended": True}, {"suspended"}),
}
HISTORY: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "batchId": (lambda g: {"batchId": g.id_of("ended")}, {"ended"}),
    "type": (lambda g: {"type": TYPE}, ALL),
    "type-other": (lambda g: {"type": "instance-deletion"}, set()),
    "completed": (lambda g: {"completed": True}, GONE),
    "completed-false": (lambda g: {"completed": False}, ALIVE),
    "tenantIdIn": (lambda g: {"tenantIdIn": ["none"]}, set()),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALL),
    "tenantIdIn-withoutTenantId": (lambda g: {"withoutTenantId": True, "tenantIdIn": ["none"]}, set()),
}
CASES = [
    *((RUNNING, name, *case) for name, case in BOTH.items()),
    *((STATISTICS, name, *case) for name, case in {**BOTH, **ONLY_STATISTICS}.items()),
    *((HISTORIC, name, *case) for name, case in HISTORY.items()),
]


@pytest.mark.parametrize(
    ("path", "filters", "expected"),
    [pytest.param(path, filters, expected, id=f"{path}-{name}") for path, name, filters, expected in CASES],
)
async def test_filters(engine: Engine, gallery: Gallery, path: str, filters: Filter, expected: set[str]) -> None:
    query = filters(gallery)
    records = await engine.get(path, **query)
    assert gallery.named(records) == expected
    if len(records) <= 1:
        assert await engine.get(f"{path}/count", **query) == {"count": len(records)}


@pytest.mark.parametrize("path", [RUNNING, STATISTICS])
async def test_counts(engine: Engine, gallery: Gallery, path: str) -> None:
    for word in sorted(ALL):
        expected = 1 if word in ALIVE else 0
        assert await engine.get(f"{path}/count", batchId=gallery.id_of(word)) == {"count": expected}
    assert (await engine.get(f"{path}/count"))["count"] >= len(ALIVE)


async def test_counts_of_history(engine: Engine, gallery: Gallery) -> None:
    for word in sorted(ALL):
        query = {"batchId": gallery.id_of(word), "completed": word in GONE}
        assert await engine.get(f"{HISTORIC}/count", **query) == {"count": 1}


@pytest.mark.parametrize("path", [RUNNING, STATISTICS, HISTORIC])
async def test_there_is_no_post(engine: Engine, path: str) -> None:
    for each in (path, f"{path}/count"):
        response = await engine.http.post(each, json={})
        refused(response, 405, "NotAllowedException", "HTTP 405 Method Not Allowed")


@pytest.mark.parametrize(
    ("path", "key", "field"),
    [
        (RUNNING, "batchId", "id"),
        (STATISTICS, "batchId", "id"),
        (STATISTICS, "startTime", "startTime"),
        (HISTORIC, "batchId", "id"),
        (HISTORIC, "startTime", "startTime"),
        (HISTORIC, "endTime", "endTime"),
    ],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_sort_keys(engine: Engine, gallery: Gallery, path: str, key: str, field: str, order: str) -> None:
    records = await engine.get(path, sortBy=key, sortOrder=order)
    assert len(gallery.named(records)) >= len(ALIVE)
    values = [record[field] for record in records if record[field] is not None]
    assert values == sorted(values, reverse=order == "desc")


@pytest.mark.parametrize("path", [RUNNING, STATISTICS, HISTORIC])
async def test_sort_by_tenant(engine: Engine, gallery: Gallery, path: str) -> None:
    records = await engine.get(path, sortBy="tenantId", sortOrder="asc")
    assert gallery.named(records) >= ALIVE


@pytest.mark.parametrize("path", [RUNNING, STATISTICS, HISTORIC])
@pytest.mark.usefixtures("gallery")
async def test_pages(engine: Engine, path: str) -> None:
    whole = [record["id"] for record in await engine.get(path)]
    assert whole == sorted(whole)
    first = await engine.get(path, maxResults=2)
    assert [record["id"] for record in first] == whole[:2]
    second = await engine.get(path, firstResult=1, maxResults=2)
    assert [record["id"] for record in second] == whole[1:3]
    assert await engine.get(path, maxResults=0) == []


@pytest.mark.parametrize(("path", "key"), [(RUNNING, "startTime"), (STATISTICS, "endTime"), (HISTORIC, "type")])
async def test_what_is_no_sort_key(engine: Engine, path: str, key: str) -> None:
    response = await engine.http.get(path, params={"sortBy": key, "sortOrder": "asc"})
    refused(response, 400, "InvalidRequestException", f"Cannot set query parameter 'sortBy' to value '{key}'")
