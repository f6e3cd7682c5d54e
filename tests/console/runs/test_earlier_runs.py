"""Before a launch the journal tells how the last runs over its causes ended."""

from datetime import timedelta
from pathlib import Path

import httpx

from retriage.console.engine.client import EngineClient
from retriage.console.operations.operation import FreezeRules
from retriage.console.operations.retry import SetRetries
from retriage.console.reading.selection import Everything
from retriage.console.runs.earlier_runs import earlier_runs, record_of
from retriage.console.runs.gate import Gate
from retriage.console.runs.run import RunOrder
from retriage.console.runs.waves import waves_of
from retriage.store.contract.queries import ExternalTaskQuery
from tests.console.runs.a_run import OUTAGE, ROOT, scene

ALL = Everything(ExternalTaskQuery())


async def test_a_run_over_the_same_cause_is_told_with_what_came_of_it(tmp_path: Path) -> None:
    async with scene(tmp_path, 12) as world:
        session = world.console()
        assert await earlier_runs(session, ALL) == ()
        assert record_of(()) == "unknown"
        order = RunOrder("all", SetRetries(1), waves_of("6, rest"), Gate(0.2), 60.0, None, "PSP back")
        run = await world.begin(order, session)
        world.fail_all = OUTAGE
        await world.drive(run)
        (found,) = await earlier_runs(session, ALL)
        assert (found.view.run.id, found.view.word, found.bad, found.good) == (run, "held", True, False)
        assert record_of([found]) == "bad"
        began = found.view.run.began_at
        said = found.said(began + timedelta(hours=3))
        assert said == "run 1, 3h00m ago by ann (PSP back): 12 to 1 in 2 waves: 0 done, 6 failed again (100%), held"
        # A run on another engine, or over other causes, is none of them.
        session.memory.engine_name = "another"
        assert await earlier_runs(session, ALL) == ()


async def test_the_same_words_on_another_topic_are_another_cause(tmp_path: Path) -> None:
    async with scene(tmp_path, 4) as world:
        session = world.console()
        run = await world.begin(RunOrder("all", SetRetries(1), waves_of("rest"), Gate(0.2), 60.0, None, ""), session)
        assert [one.view.run.id for one in await earlier_runs(session, ALL)] == [run]
        world.sql("UPDATE external_task SET topic_name = 'ship'")
        assert await earlier_runs(session, ALL) == ()


async def test_a_run_is_remembered_for_the_causes_of_the_tasks_that_it_took(tmp_path: Path) -> None:
    async with scene(tmp_path, 6) as world:
        ids = await world.ids()
        for id in ids[:4]:
            world.sql("UPDATE external_task SET error_message = 'card expired' WHERE id = ?", id)
        client = EngineClient(httpx.AsyncClient(transport=world.transport, base_url=ROOT))
        taken = await SetRetries(1).freeze(
            client, ALL, client.engine_now(), FreezeRules(wanted=lambda task: task.id not in ids[:4])
        )
        assert sorted(taken.causes.items()) == [(("charge", OUTAGE), 2)]
        oldest = await SetRetries(1).freeze(client, ALL, client.engine_now(), FreezeRules(limit=3))
        assert sorted(oldest.causes.items()) == [(("charge", "card expired"), 3)]


async def test_without_failures_there_is_nothing_to_remember(tmp_path: Path) -> None:
    async with scene(tmp_path, 3) as world:
        session = world.console()
        world.sql("UPDATE external_task SET error_message = NULL")
        assert await earlier_runs(session, ALL) == ()
