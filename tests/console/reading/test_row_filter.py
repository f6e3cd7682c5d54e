"""Rows that are filtered by what they do not tell: one question for a page, and none for what is known."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from retriage.console.causes.open_incidents import OpenIncidents
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import Unreachable
from retriage.console.language import INCIDENTS, parse
from retriage.console.reading.incident_tasks import GONE, NO_TASK, TaskFacts
from retriage.console.reading.pages import pages_by_id
from retriage.console.reading.row_filter import RowFilter
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident
from tests.console.incidents_of import Incidents, incident
from tests.console.tasks_of import Tasks, task
from tests.contract.engine import Engine as ContractEngine
from tests.contract.engine import client
from tests.contract.world import World
from tests.engines import camunda

TOPICS = ("charge-card", "send-mail", "reserve-stock")


def topic_of(number: int) -> str:
    return TOPICS[number % 3]


class Engine:
    """Incidents and their tasks; every fifth incident is one of a job."""

    def __init__(self, number: int) -> None:
        self.incidents = Incidents(
            [incident(at, type="failedJob" if at % 5 == 4 else "failedExternalTask") for at in range(number)]
        )
        self.tasks = Tasks([task(f"t-{at}", topic=topic_of(at)) for at in range(number) if at % 5 != 4])
        self.failing = 0

    async def ask(self, question: Callable[[Any], Awaitable[Any]]) -> Any:
        if self.failing:
            self.failing -= 1
            raise Unreachable("The engine does not answer.")
        return await question(self.tasks)

    def groups(self, text: str, facts: TaskFacts | None = None) -> OpenIncidents:
        """Groups of the incidents that a line finds, read as the screen reads them."""
        parsed = parse(text, INCIDENTS)
        wanted = RowFilter(parsed.conditions, INCIDENTS, facts=facts)

        async def page(query: IncidentQuery, first: int, size: int) -> list[Incident]:
            rows = await self.incidents.read(query, first, size)
            await wanted.learn(rows, self.ask)
            return rows

        finds = wanted.finds(datetime.now(UTC))
        return OpenIncidents(parsed.query, page, self.incidents.count, finds)

    def expected(self, topic: str) -> set[str]:
        numbers = (int(id.removeprefix("i-")) for id in self.incidents.open)
        return {f"i-{at}" for at in numbers if at % 5 != 4 and topic_of(at) == topic}


async def test_incidents_of_a_topic_are_found_with_one_question_for_each_page() -> None:
    engine = Engine(5_000)
    found = engine.groups("topic:send-mail")
    await found.fill(lambda: None)
    assert set(found.groups.ids()) == engine.expected("send-mail")
    assert found.looked == 5_000
    assert found.exact
    assert engine.tasks.pages == len(engine.incidents.asked)
    assert len(engine.incidents.asked) < 5_000 / 500 + 3


async def test_what_came_since_is_asked_for_and_what_is_known_is_not() -> None:
    engine = Engine(1200)
    found = engine.groups("topic:send-mail")
    await found.fill(lambda: None)
    engine.tasks.pages = 0
    for _ in range(20):
        await found.catch_up()
    assert engine.tasks.pages == 0
    engine.incidents.open["i-3001"] = incident(3001)
    engine.tasks.tasks.append(task("t-3001", topic="send-mail"))
    assert await found.catch_up() == 1
    assert engine.tasks.pages == 1
    assert "i-3001" in found.groups


async def test_a_page_whose_tasks_were_not_answered_is_read_again() -> None:
    engine = Engine(1200)
    found = engine.groups("topic:send-mail")
    engine.failing = 1
    with pytest.raises(Unreachable):
        await found.fill(lambda: None)
    assert not found.complete
    await found.fill(lambda: None)
    assert set(found.groups.ids()) == engine.expected("send-mail")
    assert found.exact


async def test_what_has_closed_shows_in_the_count_although_the_console_filters() -> None:
    engine = Engine(600)
    found = engine.groups("topic:send-mail")
    await found.fill(lambda: None)
    for id in engine.expected("send-mail"):
        del engine.incidents.open[id]
    await found.catch_up()
    assert not found.exact
    await found.read_again(lambda: None)
    assert len(found.groups) == 0
    assert found.exact
    assert found.looked == len(engine.incidents.open)


async def test_one_that_came_while_everything_was_read_again_stays_counted() -> None:
    engine = Engine(1200)
    found = engine.groups("topic:send-mail")
    await found.fill(lambda: None)
    reads = engine.incidents.read

    async def and_comes(query: IncidentQuery, first: int, size: int) -> list[Incident]:
        page = await reads(query, first, size)
        if "i-3001" not in engine.incidents.open:
            engine.incidents.open["i-3001"] = incident(3001)
            engine.tasks.tasks.append(task("t-3001", topic="send-mail"))
            await found.catch_up()
        return page

    engine.incidents.read = and_comes  # type: ignore[method-assign]
    await found.read_again(lambda: None)
    assert "i-3001" in found.groups
    assert found.exact


async def test_tasks_that_are_gone_and_incidents_without_a_task_are_told_apart() -> None:
    engine, facts = Engine(10), TaskFacts()
    del engine.tasks.tasks[0]
    called = incident(50, cause="i-1", configuration=None)
    engine.incidents.open[called.id] = called
    assert set((await filled(engine, "gone", facts)).groups.ids()) == {"i-0"}
    assert set((await filled(engine, "-topic retries:-", facts)).groups.ids()) == {"i-0", "i-4", "i-9", "i-50"}
    assert facts.told(engine.incidents.open["i-0"]) is GONE
    assert facts.told(engine.incidents.open["i-4"]) is NO_TASK
    assert facts.told(called) is NO_TASK


async def filled(engine: Engine, text: str, facts: TaskFacts | None = None) -> OpenIncidents:
    found = engine.groups(text, facts)
    await found.fill(lambda: None)
    return found


async def test_what_can_change_is_asked_for_anew_when_all_rows_are_read_anew() -> None:
    engine, facts = Engine(10), TaskFacts()
    before = await filled(engine, "retries:0", facts)
    assert len(before.groups) == 8
    engine.tasks.tasks = [one.model_copy(update={"retries": 2}) for one in engine.tasks.tasks]
    wanted = RowFilter(parse("retries:0", INCIDENTS).conditions, INCIDENTS, facts=facts)
    rows = list(engine.incidents.open.values())
    await wanted.learn(rows, engine.ask)
    finds = wanted.finds(datetime.now(UTC))
    assert any(map(finds, rows)), "what is known is not asked for again"
    wanted.look()
    await wanted.learn(rows, engine.ask)
    assert not any(map(finds, rows))


async def test_what_a_task_keeps_is_asked_for_once_although_all_rows_are_read_anew() -> None:
    engine, facts = Engine(1200), TaskFacts()
    await filled(engine, "topic:send-mail key:ord-*,*", facts)
    asked = engine.tasks.pages
    wanted = RowFilter(parse("topic:reserve-stock", INCIDENTS).conditions, INCIDENTS, facts=facts)
    wanted.look()
    await wanted.learn(engine.incidents.open.values(), engine.ask)
    assert engine.tasks.pages == asked


async def test_what_was_retried_before_is_looked_up_by_the_task() -> None:
    engine = Engine(10)
    asked: list[list[str]] = []

    async def retried(ids: list[str]) -> list[str]:
        asked.append(ids)
        return ["t-3"]

    wanted = RowFilter(parse("again", INCIDENTS).conditions, INCIDENTS, retried)
    rows = list(engine.incidents.open.values())
    await wanted.learn(rows, engine.ask)
    assert asked == [[f"t-{at}" for at in range(10)]]
    assert [row.id for row in rows if wanted.finds(datetime.now(UTC))(row)] == ["i-3"]
    assert engine.tasks.pages == 0


@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [pytest.param(one, id=one.name) for one in (camunda.REFERENCE, camunda.OLD)])
async def test_a_real_engine_s_incidents_are_filtered_by_what_their_tasks_tell(
    kind: camunda.EngineKind, tmp_path: Path
) -> None:
    if missing := camunda.what_is_missing(kind=kind):
        pytest.skip(f"the engine {missing}")
    with camunda.running(tmp_path / "engine.log", kind=kind) as root:
        async with client(root) as http:
            world = World(ContractEngine("camunda", http))
            cards, mails = await world.wide(7), await world.wide(4)
            for one in (*cards.tasks, *mails.tasks):
                await world.fail(one, "HTTP 503 from psp")
            await world.suspend(mails.instances[0])
            console = EngineClient(http)
            worker = (await world.task(cards.tasks[0]))["workerId"]
            for text, expected in (
                (f"topic:{cards.topic}", cards.tasks),
                (f"-topic:{cards.topic} error~psp", mails.tasks),
                (f"topic:{cards.topic},{mails.topic} retries:0", [*cards.tasks, *mails.tasks]),
                (f"topic:{mails.topic} suspended", mails.tasks),
                (f"topic:{mails.topic} -suspended", []),
                (f"worker:{worker}", [cards.tasks[0]]),
                (f"topic:{cards.topic} -key", cards.tasks),
            ):
                parsed = parse(text, INCIDENTS)
                wanted = RowFilter(parsed.conditions, INCIDENTS)
                finds = wanted.finds(datetime.now(UTC))
                found = []
                async for page in pages_by_id(console.incidents, parsed.query, 5):
                    await wanted.learn(page, lambda question: question(console))
                    found += [row.configuration for row in filter(finds, page)]
                assert sorted(map(str, found)) == sorted(expected), text
