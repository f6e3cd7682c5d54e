"""`retriage metrics`: figures against the books of the store, read by the parser of the Prometheus library."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner, Result

from retriage.console.cli import app
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import SaidOnStderr
from retriage.console.cli.headless_metrics import MOST_LABELS, EngineFigures, MetricsReading, Tally
from retriage.console.engine.client import EngineClient
from retriage.console.journal import journal_at
from retriage.console.reading.page_limit import PageLimit
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.console.snapshots.questions import PAGE_EVERY, PacedQuestions
from retriage.store.contract.records import BatchStatistics, ExternalTask, Incident
from retriage.store.demo_store import fill
from retriage.store.embedded import embedded_app
from retriage.store.journal import FrozenTask, NewRun
from tests.console.fake import FakeEngine
from tests.faults.served import server
from tests.support.fault_proxy import FaultProxy, FaultTransport, engine_error, page

HOSTILE = 'a"b\\c\n# TYPE evil gauge\nevil 1\n\x1b[2J\u202e{}' + "x" * 300


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    file = tmp_path / "store.db"
    fill(str(file), 400, 7, lambda done: None)
    return file


def rows(file: Path, question: str) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(file, timeout=30)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def change(file: Path, order: str, *values: str) -> None:
    with sqlite3.connect(file, timeout=30) as connection:
        connection.execute(order, values)
    connection.close()


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, ["metrics", *(str(word) for word in words)])


def figures(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Name -> values of its labels, without the engine -> figure."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for name, value in sample.labels.items() if name != "engine")
            assert labels not in found.setdefault(sample.name, {}), f"{sample.name}{labels} stands twice"
            found[sample.name][labels] = sample.value
    return found


@asynccontextmanager
async def reading_of(store: Path) -> AsyncIterator[tuple[EngineFigures, FaultTransport]]:
    """The figures of an engine in this process, with what may stand before it."""
    served = embedded_app(str(store))
    async with served.router.lifespan_context(served):
        transport = FaultTransport(httpx.ASGITransport(served, raise_app_exceptions=False))
        async with httpx.AsyncClient(transport=transport, base_url="http://engine.test/engine-rest") as http:
            session = Session(ConnectionIdentity("TEST", "http://engine.test/engine-rest", name="bpm"))
            session.news = SaidOnStderr()
            session.connection.open(EngineClient(http))
            yield EngineFigures(session, PacedQuestions(session, polite=False)), transport


def test_the_figures_are_those_of_the_store(store: Path) -> None:
    result = typed("--store", store)
    assert result.exit_code == ExitCode.DONE, result.stderr
    told = figures(result.stdout)
    failed = "FROM external_task t WHERE retries = 0"
    joined = failed.replace("WHERE", "JOIN process_definition d ON d.id = t.process_definition_id WHERE")
    by_topic = rows(store, f"SELECT d.key, topic_name, count(*) {joined} GROUP BY 1, 2")
    assert by_topic
    assert told["retriage_tasks_without_retries_by_topic"] == {row[:2]: row[2] for row in by_topic}
    assert told["retriage_tasks_without_retries"] == {(): rows(store, f"SELECT count(*) {failed}")[0][0]}
    oldest = rows(store, f"SELECT min(t.create_time) {failed}")[0][0]
    first = min(told["retriage_oldest_task_without_retries_timestamp_seconds"].values())
    assert first == pytest.approx(int(oldest) / 1000, abs=0.01)
    opened = rows(store, "SELECT count(*) FROM incident WHERE state = 'open'")[0][0]
    assert told["retriage_open_incidents"] == {(): opened}
    assert sum(told["retriage_open_incidents_by_type"].values()) == opened
    assert told["retriage_running_batches"] == {(): rows(store, "SELECT count(*) FROM batch")[0][0]}
    assert told["retriage_part_complete"] == {("tasks",): 1, ("incidents",): 1, ("batches",): 1, ("runs",): 1}
    assert told["retriage_engine_up"] == {(): 1}


def test_runs_are_those_of_this_engine(store: Path, tmp_path: Path) -> None:
    async def begin() -> None:
        async with journal_at(tmp_path / "home" / "journal.db") as journal:
            for engine in (str(store), str(store), "another"):
                new = NewRun(engine, "", "ann", "t", "", 1, 0.05, False, 60, datetime.now(UTC))
                await journal.runs.begin(new, "me", [(1, [FrozenTask("a", 0)])])

    asyncio.run(begin())
    told = figures(typed("--store", store).stdout)["retriage_runs"]
    assert told.pop(("running",)) == 2
    assert set(told) == {("preparing",), ("held",), ("passed",), ("finished",), ("stopped",)}
    assert not any(told.values())


def test_hostile_names_are_inert(store: Path) -> None:
    change(store, "UPDATE external_task SET topic_name = ? WHERE topic_name = 'charge-card'", HOSTILE)
    result = typed("--store", store)
    told = figures(result.stdout)
    number = rows(store, "SELECT count(*) FROM external_task WHERE retries = 0 AND topic_name LIKE 'a\"b%'")[0][0]
    hostile = [labels for labels in told["retriage_tasks_without_retries_by_topic"] if labels[1].startswith('a"b\\c')]
    assert sum(told["retriage_tasks_without_retries_by_topic"][labels] for labels in hostile) == number > 0
    assert "evil" not in told
    assert all(len(value) <= 100 for labels in hostile for value in labels)
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout


def test_labels_are_bounded_and_nothing_is_lost() -> None:
    tally = Tally()
    for number in range(5_000):
        tally.add((f"process {number}", "topic"), datetime(2026, 1, 1 + number % 9, tzinfo=UTC), number=number + 1)
    bounded = tally.bounded()
    assert len(bounded.numbers) == len(bounded.oldest) == MOST_LABELS + 1
    assert bounded.all == tally.all
    assert ("process 4999", "topic") in bounded.numbers
    assert bounded.oldest["(other)", "(other)"] == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("part", ["incident", "batch/statistics", "external-task"])
async def test_a_part_that_is_refused_is_no_zero(part: str, store: Path) -> None:
    name = {"incident": "incidents", "batch/statistics": "batches", "external-task": "tasks"}[part]
    async with reading_of(store) as (engine, transport):
        transport.faults.play(engine_error(403, "AuthorizationException", "not for you"), on=rf"/{part}\b")
        reading = await engine.read()
    told = figures(reading.text)
    assert told["retriage_part_complete"][name,] == 0
    assert sum(told["retriage_part_complete"].values()) == 2  # runs need a journal, which this session has not
    assert any(sentence.startswith(f"{name}: ") and "not for you" in sentence for sentence in reading.said)
    absent = {"incidents": "open_incidents", "batches": "running_batches", "tasks": "tasks_without_retries"}[name]
    assert not [figure for figure in told if absent.removeprefix("open_") in figure]


@pytest.mark.parametrize(
    "fault", [page(503), engine_error(403, "AuthorizationException", "no")], ids=["503", "all refused"]
)
async def test_an_engine_that_does_not_answer_has_no_figures(
    fault: object, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(seconds: float) -> None:
        pass

    async with reading_of(store) as (engine, transport):
        engine._questions._sleep = at_once  # type: ignore[attr-defined]
        transport.faults.play(fault)  # type: ignore[arg-type]
        reading = await engine.read()
    assert reading.problem
    assert figures(reading.text) == {"retriage_engine_up": {(): 0}}


class ManyIncidents(FakeEngine):
    """20,000 open incidents, in the order of their ids."""

    def __init__(self) -> None:
        super().__init__(1)
        self.pages = 0
        told = dict.fromkeys(Incident.model_fields, None) | {"incident_type": "failedExternalTask"}
        self.many = [
            Incident.model_construct(
                **told | {"id": f"{number:05}", "process_definition_id": f"order:{number % 3}:x",
                          "incident_timestamp": datetime(2026, 1, 1, tzinfo=UTC)}
            )
            for number in range(20_000)
        ]  # fmt: skip

    async def external_tasks(self, query: Any, first: int, size: int) -> list[ExternalTask]:
        self.pages += 1
        return await super().external_tasks(query, first, size)

    async def incidents(self, query: Any, first: int, size: int) -> list[Incident]:
        self.pages += 1
        return self.many[first : first + size]

    async def batches(self, query: Any, first: int, size: int) -> list[BatchStatistics]:
        self.pages += 1
        return []


async def test_20_000_incidents_cost_a_page_a_second() -> None:
    engine, clock = ManyIncidents(), SimpleNamespace(now=0.0)

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    session = Session(ConnectionIdentity("TEST", "http://engine.test/engine-rest", name="bpm"))
    session.news = SaidOnStderr()
    session.connection.open(engine)  # type: ignore[arg-type]
    questions = PacedQuestions(session, polite=True, sleep=sleep)
    questions._pages = PageLimit(lambda: clock.now, sleep, PAGE_EVERY)
    for number in (1, 2):  # as with --serve
        told = figures((await EngineFigures(session, questions).read()).text)
        assert told["retriage_open_incidents"] == {(): 20_000}
        assert told["retriage_open_incidents_by_type"] == {("order", "failedExternalTask"): 20_000}
        assert engine.pages > number * 40
        assert clock.now >= engine.pages - 1


@pytest.mark.long
def test_many_scrapes_are_one_reading(tmp_path: Path) -> None:
    with server(tmp_path, "--demo", "600") as served, FaultProxy(("127.0.0.1", served.port)) as proxy:
        command = [sys.executable, "-m", "retriage.console", "metrics", "--engine", proxy.root, "--serve", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
            try:
                assert program.stderr is not None
                line = next(line for line in program.stderr if line.startswith("Serving "))
                address = line.split()[1]
                with httpx.Client(trust_env=False, timeout=30) as http:
                    while "retriage_reading_timestamp_seconds" not in http.get(address).text:
                        time.sleep(0.1)
                    asked = len(proxy.faults.asked)
                    texts = {http.get(address, headers={"Accept": "text/plain"}).text for _ in range(50)}
                    assert len(texts) == 1
                    assert len(proxy.faults.asked) == asked
                    assert figures(texts.pop())["retriage_engine_up"][()] == 1
                    assert http.get(address, headers={"Host": "evil.example"}).status_code == 403
                    assert http.post(address).status_code == 405
            finally:
                program.terminate()
            assert program.wait(30) == ExitCode.DONE
        lists = {"external-task", "process-instance", "job", "history/process-instance"}
        for one in proxy.faults.asked:
            listed = one.path.partition("?")[0].partition("/engine-rest/")[2].removesuffix("/count")
            assert one.method == "GET" or (one.method == "POST" and listed in lists)


def test_an_engine_that_is_not_there_prints_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path))
    result = typed("--engine", "http://127.0.0.1:9/engine-rest")
    assert result.exit_code == ExitCode.ENGINE
    assert result.stdout == ""


def test_an_engine_is_named_on_every_figure() -> None:
    reading = MetricsReading('bpm"prod')
    reading.add("x", "X.", {(): 1})
    engines = {
        sample.labels["engine"] for family in text_string_to_metric_families(reading.text) for sample in family.samples
    }
    assert engines == {'bpm"prod'}
