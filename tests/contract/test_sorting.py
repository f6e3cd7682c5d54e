"""Sort orders that are refused, on every list."""

from typing import Any

import pytest

from tests.contract.answers import malformed, refused
from tests.contract.engine import Engine

GET_LISTS = {
    "/external-task": "id",
    "/process-instance": "instanceId",
    "/history/process-instance": "instanceId",
    "/incident": "incidentId",
    "/history/incident": "incidentId",
    "/history/job-log": "jobId",
    "/history/external-task-log": "externalTaskId",
    "/batch": "batchId",
    "/batch/statistics": "batchId",
    "/history/batch": "batchId",
    "/job": "jobId",
    "/job-definition": "jobDefinitionId",
}
POST_LISTS = [
    "/external-task",
    "/process-instance",
    "/history/process-instance",
    "/job",
    "/job-definition",
    "/history/job-log",
    "/history/external-task-log",
]
ONE_OF_TWO = "Only a single sorting parameter specified. sortBy and sortOrder required"
NO_KEY = (
    "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty is null"
)
TWICE = (
    "Invalid query: can specify only one direction desc() or asc() for an ordering constraint: direction is not null"
)
NO_DIRECTION = "Invalid query: call asc() or desc() after using orderByXX(): direction is null"


@pytest.mark.parametrize("path", GET_LISTS)
@pytest.mark.parametrize("tail", ["", "/count"])
async def test_by_get(engine: Engine, path: str, tail: str) -> None:
    key = GET_LISTS[path]
    for params, message in (
        ({"sortBy": "x", "sortOrder": "asc"}, "Cannot set query parameter 'sortBy' to value 'x'"),
        ({"sortBy": key, "sortOrder": "up"}, "Cannot set query parameter 'sortOrder' to value 'up'"),
        ({"sortBy": key, "sortOrder": "ASC"}, "Cannot set query parameter 'sortOrder' to value 'ASC'"),
        ({"sortBy": key}, ONE_OF_TWO),
        ({"sortOrder": "asc"}, ONE_OF_TWO),
    ):
        refused(await engine.http.get(path + tail, params=params), 400, "InvalidRequestException", message)


@pytest.mark.parametrize("path", POST_LISTS)
async def test_at_the_top_of_a_body(engine: Engine, path: str) -> None:
    key = GET_LISTS[path]
    for body in ({"sortBy": key}, {"sortOrder": "asc"}):
        refused(await engine.http.post(path, json=body), 400, "InvalidRequestException", ONE_OF_TWO)
    for body in ({"sortBy": "x", "sortOrder": "asc"}, {"sortBy": key, "sortOrder": "up"}):
        malformed(await engine.http.post(path, json=body), engine)


@pytest.mark.parametrize("path", POST_LISTS)
@pytest.mark.parametrize("tail", ["", "/count"])
async def test_in_the_list_of_a_body(engine: Engine, path: str, tail: str) -> None:
    good = {"sortBy": GET_LISTS[path], "sortOrder": "asc"}
    cases: list[tuple[list[dict[str, Any]], str]] = [
        ([{"sortBy": "x", "sortOrder": "asc"}], NO_KEY),
        ([{"sortBy": None, "sortOrder": "asc"}], NO_KEY),
        ([good, {"sortBy": "x", "sortOrder": "asc"}], TWICE),
        ([{"sortBy": GET_LISTS[path]}], NO_DIRECTION),
        ([{"sortBy": GET_LISTS[path], "sortOrder": "up"}], NO_DIRECTION),
    ]
    for sorting, message in cases:
        response = await engine.http.post(path + tail, json={"sorting": sorting})
        refused(response, 400, "NotValidException", message, 0)


@pytest.mark.parametrize("path", POST_LISTS)
async def test_no_sorting_at_all(engine: Engine, path: str) -> None:
    bodies: list[dict[str, Any]] = [{"sorting": []}, {"sorting": None}]
    for body in bodies:
        # Batches of other tests may end between two requests: only a count that stood still says anything.
        for _ in range(20):
            before = await engine.get(f"{path}/count")
            counted = await engine.post(f"{path}/count", body)
            if before == await engine.get(f"{path}/count"):
                break
        assert counted == before
