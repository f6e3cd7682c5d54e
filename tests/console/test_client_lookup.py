"""Was it launched? The batch of an unanswered launch is looked up, and never a wrong one taken for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from console.engine.client import EngineClient
from store.contract.orders import SetExternalTaskRetries
from store.contract.queries import ExternalTaskQuery
from store.contract.values import format_moment
from tests.console.test_client import BATCH

SINCE = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
IDS = SetExternalTaskRetries(retries=3, external_task_ids=["a", "b", "b"])
QUERY = SetExternalTaskRetries(retries=3, external_task_query=ExternalTaskQuery(topic_name="x"))


def batch(id: str, jobs: int, after: float, **more: Any) -> dict[str, Any]:
    start = format_moment(SINCE + timedelta(seconds=after))
    return {**BATCH, "id": id, "totalJobs": jobs, "startTime": start, **more}


def running(id: str, jobs: int, after: float, **more: Any) -> dict[str, Any]:
    return {**batch(id, jobs, after, **more), "remainingJobs": jobs, "completedJobs": 0, "failedJobs": 0}


class Engine:
    def __init__(self, now: list[dict[str, Any]], ever: list[dict[str, Any]], sorts: bool = True) -> None:
        self._now, self._ever, self._sorts = now, ever, sorts

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/engine-rest/history/batch":
            return httpx.Response(200, json=self._ever)
        assert request.url.path == "/engine-rest/batch/statistics"
        assert request.url.params["type"] == "set-external-task-retries"
        if "sortBy" in request.url.params and not self._sorts:
            return httpx.Response(400, json={"type": "InvalidRequestException", "message": "sortBy"})
        return httpx.Response(200, json=self._now)

    def client(self, user: str = "") -> EngineClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://e/engine-rest")
        return EngineClient(http, user=user)


async def test_the_running_batch_with_the_right_number_of_jobs_is_found() -> None:
    engine = Engine([running("older", 2, -60), running("other", 9, 1), running("mine", 2, 2)], [])
    found = await engine.client().find_launch(IDS, SINCE)
    assert found is not None
    assert (found.id, found.remaining_jobs) == ("mine", 2)


async def test_a_batch_that_has_ended_meanwhile_is_found_in_history() -> None:
    ended = batch("mine", 2, 1, endTime=format_moment(SINCE + timedelta(seconds=5)))
    found = await Engine([], [ended]).client().find_launch(IDS, SINCE)
    assert found is not None
    assert (found.id, found.completed_jobs, found.remaining_jobs) == ("mine", 2, 0)


async def test_ids_are_exact_so_another_batch_is_not_taken_for_it() -> None:
    assert await Engine([running("other", 3, 1)], []).client().find_launch(IDS, SINCE) is None


async def test_a_query_may_match_a_few_more_so_an_only_batch_may_be_it_and_somebody_has_to_say() -> None:
    found = await Engine([running("mine", 98, 1)], []).client().trace_launch(QUERY, SINCE, tasks=100)
    assert found.it is None
    assert [batch.id for batch in found.perhaps] == ["mine"]


async def test_the_likeliest_comes_first() -> None:
    engine = Engine([running("far", 7, 1), running("near", 98, 2), running("later", 101, 3)], [])
    found = await engine.client().trace_launch(QUERY, SINCE, tasks=100)
    assert [batch.id for batch in found.perhaps] == ["later", "near", "far"]


async def test_of_two_with_the_exact_number_none_is_it_for_certain() -> None:
    engine = Engine([running("one", 2, 1), running("two", 2, 2), running("other", 3, 3)], [])
    found = await engine.client().trace_launch(IDS, SINCE)
    assert found.it is None
    assert [batch.id for batch in found.perhaps] == ["one", "two"]


async def test_what_somebody_else_created_is_his() -> None:
    engine = Engine([running("his", 2, 1, createUserId="bob"), running("mine", 2, 2, createUserId="Ann")], [])
    found = await engine.client("ann").trace_launch(IDS, SINCE)
    assert found.it is not None
    assert found.it.id == "mine"
    assert (await engine.client().trace_launch(IDS, SINCE)).it is None


async def test_a_batch_of_another_order_is_not_it() -> None:
    engine = Engine([running("earlier launch", 2, 1), running("mine", 2, 2)], [])
    found = await engine.client().trace_launch(IDS, SINCE, known=frozenset({"earlier launch"}))
    assert found.it is not None
    assert found.it.id == "mine"


async def test_a_batch_of_another_type_or_of_much_later_is_not_it() -> None:
    engine = Engine([running("jobs", 2, 1, type="set-job-retries"), running("next hour", 2, 3600)], [])
    found = await engine.client().trace_launch(IDS, SINCE)
    assert (found.it, found.perhaps) == (None, ())


async def test_two_batches_that_both_could_be_it_are_neither() -> None:
    engine = Engine([running("one", 98, 1), running("two", 97, 2)], [])
    assert await engine.client().find_launch(QUERY, SINCE, tasks=100) is None


async def test_of_two_batches_the_one_with_the_counted_jobs_is_it() -> None:
    engine = Engine([running("one", 98, 1), running("two", 100, 2)], [])
    found = await engine.client().find_launch(QUERY, SINCE, tasks=100)
    assert found is not None
    assert found.id == "two"


async def test_jobs_of_several_tasks_are_reckoned() -> None:
    engine = Engine(
        [running("mine", 10, 1, invocationsPerBatchJob=10), running("other", 100, 0, invocationsPerBatchJob=10)], []
    )
    found = await engine.client().find_launch(QUERY, SINCE, tasks=95)
    assert found is not None
    assert found.id == "mine"


async def test_a_start_in_the_same_second_counts_and_an_earlier_one_does_not() -> None:
    assert await Engine([running("mine", 2, -0.9)], []).client().find_launch(IDS, SINCE) is not None
    assert await Engine([running("older", 2, -5)], []).client().find_launch(IDS, SINCE) is None


async def test_an_engine_before_7_20_tells_the_start_in_history_only() -> None:
    now = running("mine", 2, 0)
    del now["startTime"]
    found = await Engine([now], [batch("mine", 2, 1)], sorts=False).client().find_launch(IDS, SINCE)
    assert found is not None
    assert (found.id, found.remaining_jobs) == ("mine", 2)


async def test_nothing_launched_is_none() -> None:
    assert await Engine([], []).client().find_launch(QUERY, SINCE) is None
