"""``GET /metrics`` of a server: its requests and its runner, against what was sent and what the job log holds."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from retriage.store.api.users import User
from retriage.store.demo_store import fill
from retriage.store.embedded import embedded_app
from retriage.store.server.metrics import add_metrics
from retriage.store.tables.log import FAILED
from tests.faults.served import Served, server

QUERY = {"noRetriesLeft": True, "topicName": "charge-card"}


def figures(text: str) -> dict[tuple[str, ...], float]:
    """Name of a figure with the values of its labels -> the figure."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(served: Served) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{served.port}/metrics", trust_env=False, timeout=30)


@pytest.mark.long
def test_requests_and_jobs_are_counted(tmp_path: Path) -> None:
    fill(str(tmp_path / "store.db"), 300, 7, lambda done: None, batches=False)
    settings = {"invocations_per_batch_job": 1, "batch_jobs_per_seed": 50}
    with server(tmp_path, settings=settings) as served, httpx.Client(base_url=served.root, trust_env=False) as http:
        before = figures(scraped(served).text)
        for number in range(7):
            assert http.get(f"/external-task/nobody-{number}").status_code == 404
        http.get("/no/such/path")
        tasks = [one["id"] for one in http.post("/external-task", json=QUERY).json()][:20]
        order = {"retries": 1, "externalTaskIds": [*tasks, "nobody"]}
        batch = http.post("/external-task/retries-async", json=order).json()["id"]
        http.get("/batch/statistics", params={"batchId": batch}).raise_for_status()
        while (now := figures(scraped(served).text))[("retriage_runner_jobs_total", "done")] < len(tasks) or not now[
            ("retriage_runner_jobs_total", "failed")
        ]:
            pass
        connection = sqlite3.connect(tmp_path / "store.db")
        failures = f"SELECT count(*) FROM job_log WHERE batch_id = ? AND {FAILED}"
        failed = connection.execute(failures, (batch,)).fetchone()[0]
        connection.close()
    assert before[("retriage_runner_jobs_total", "done")] == before[("retriage_runner_jobs_total", "failed")] == 0
    assert now[("retriage_runner_jobs_total", "done")] == len(tasks)
    assert 1 <= now[("retriage_runner_jobs_total", "failed")] <= failed
    assert now[("retriage_server_requests_total", "GET", "/external-task/{id}", "404")] == 7
    assert now[("retriage_server_requests_total", "POST", "/external-task/retries-async", "200")] == 1
    assert now[("retriage_server_requests_under_way",)] == 1  # the scrape itself
    assert now[("retriage_server_connections",)] >= 2
    assert now[("retriage_runner_turns_total",)] > 0
    assert not [labels for labels in now if any("nobody" in label or "such" in label for label in labels)]


@asynccontextmanager
async def opened(folder: Path, users: Sequence[User] = ()) -> AsyncIterator[httpx.AsyncClient]:
    app = embedded_app(str(folder / "store.db"), users=users)
    add_metrics(app, lambda: 0)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engine.test") as http,
    ):
        yield http


async def test_methods_that_a_stranger_makes_up_are_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as http:
        for number in range(20):
            await http.request(f"MADE{number}", f"/engine-rest/up-{number}")
        now = figures((await http.get("/metrics")).text)
    made_up = {
        labels: number
        for labels, number in now.items()
        if labels[0].endswith("requests_total") and labels[1] == "(other)"
    }
    assert sum(made_up.values()) == 20
    assert len(made_up) <= 2


async def test_where_there_are_users_a_scrape_names_one(tmp_path: Path) -> None:
    async with opened(tmp_path, [User("prometheus", "secret", read_only=True)]) as http:
        assert (await http.get("/metrics")).status_code == 401
        assert (await http.get("/metrics", auth=("prometheus", "wrong"))).status_code == 401
        assert (await http.get("/metrics", auth=("prometheus", "secret"))).status_code == 200
