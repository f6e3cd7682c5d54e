"""Variables of tasks that hide what is set in their instances: left out and counted, or set too, a request each. What
workers see, and what executions have, is read over HTTP and with SQL, past the console."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.launch import one_by_one
from retriage.console.operations.fix_and_retry import FixAndRetry
from retriage.console.operations.operation import FrozenUnits
from retriage.console.operations.set_variables import SetVariables
from retriage.console.operations.variable_values import typed
from retriage.console.reading.selection import Instances
from retriage.console.runs import variables_first
from retriage.console.runs.driver import RunDriven
from retriage.console.runs.driver_name import driver_name
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.gate import Gate
from retriage.console.runs.hold import NOT_SET
from retriage.console.runs.run import RunOrder, write_down
from retriage.console.runs.waves import waves_of
from retriage.store.contract.queries import ProcessInstanceQuery
from tests.console.operations.test_set_variables import has, put
from tests.console.operations.test_suspension import instances, undone
from tests.console.runs.a_run import Scene, scene
from tests.console.runs.test_fix_and_retry import RIGHT, Crew, jobs_of
from tests.support.fault_proxy import engine_error

NUMBER = 8
HIDING = (1, 4, 6)
"""Places of the instances whose task has an amount of its own."""
CHANGE = re.compile(r"/execution/([^/]+)/localVariables$")


@pytest.fixture
async def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(one_by_one, "EVERY", 0.0)
    async with scene(tmp_path, NUMBER) as one:
        for place, id in enumerate(instances(one)):
            await put(one, id, "amount", -1 - place, "Integer")
        for place in HIDING:
            await hide(one, await execution(one, place), -100 - place)
        yield one


async def execution(night: Scene, place: int) -> str:
    params = {"processInstanceId": instances(night)[place]}
    (task,) = (await night.http.get("/external-task", params=params)).json()
    return str(task["executionId"])


async def hide(night: Scene, id: str, value: int) -> None:
    path, body = f"/execution/{id}/localVariables/amount", {"value": value, "type": "Integer"}
    assert (await night.http.put(path, json=body)).status_code == 204


async def local(night: Scene) -> dict[str, Any]:
    """Execution -> the amount that it has itself."""
    found: dict[str, Any] = {}
    for (id,) in night.sql("SELECT execution_id FROM external_task ORDER BY execution_id"):
        answer = (await night.http.get(f"/execution/{id}/localVariables")).json()
        found |= {id: answer["amount"]["value"]} if "amount" in answer else {}
    return found


def order(value: str, local: bool, waves: str) -> RunOrder:
    fix = SetVariables(given=(typed(value),), local=local)
    return RunOrder("all", FixAndRetry(1, fix), waves_of(waves), Gate(0.2), watch=20.0)


async def begun(night: Scene, value: str, *, waves: str = "3, rest", local: bool = True) -> tuple[int, FrozenUnits]:
    session, chosen = night.console(), order(value, local, waves)
    frozen = await night.frozen(session, chosen)
    assert frozen.operation is not None
    resolved = RunOrder("all", frozen.operation, chosen.waves, chosen.gate, watch=20.0)
    run = await write_down(session, resolved, frozen, driver_name())
    night.forget_driver(run)
    return run, frozen


async def test_tasks_that_hide_the_new_value_are_left_out_and_counted(night: Scene) -> None:
    before, crew = await local(night), Crew(night)
    run, frozen = await begun(night, f"amount={RIGHT}", local=False)
    assert (dict(frozen.left_out), len(frozen.tasks)) == ({"local": 3}, NUMBER - 3)
    assert "hides the new value" in FixAndRetry.why_left_out["local"]
    # One more task gets such a variable before its wave.
    everyone = instances(night)
    late = next(place for place in range(NUMBER) if place not in HIDING)
    await hide(night, await execution(night, late), -7)
    night.clock.turned = crew.turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.counts.done == NUMBER - 4
    left = night.remembered("SELECT process_instance, left_out FROM run_task WHERE left_out <> ''")
    assert left == [(everyone[late], "local")]
    assert {value for _, value in crew.seen} == {RIGHT}
    assert before.items() <= (await local(night)).items()


async def test_workers_see_the_new_value_where_it_was_hidden_and_an_undo_gives_it_back(night: Scene) -> None:
    before, amounts, crew = await local(night), await has(night), Crew(night)
    assert len(before) == 3
    run, frozen = await begun(night, "amount=7")
    assert (dict(frozen.left_out), frozen.also["local"], len(frozen.tasks)) == ({}, 3, NUMBER)
    assert night.sql("SELECT count(*) FROM batch") == [(0,)]
    kept = "".join(was for (was,) in night.remembered("SELECT was FROM run_task"))
    assert all(f'"{id}": {{"amount": ["Integer", "{value}"]}}' in kept for id, value in before.items())
    night.clock.turned = crew.turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, {value for _, value in crew.seen}, len(crew.seen)) == ("failed-again", {7}, 3)
    changed = {id for id, value in (await local(night)).items() if value != before[id]}
    assert len(changed) == len({instances(night)[place] for place in HIDING} & {id for id, _ in crew.seen}) > 0
    undo, _ = await undone(night, run)
    assert (await local(night), await has(night)) == (before, amounts)
    assert undo.units == f"3 instances and {len(changed)} execution{'' if len(changed) == 1 else 's'}"
    crew.seen.clear()
    run, _ = await begun(night, f"amount={RIGHT}")
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done, done.counts.again) == ("passed", NUMBER, 0)
    assert {value for _, value in crew.seen} == {RIGHT}
    assert jobs_of(night)["set-variables"] == 3 + 3 + NUMBER


async def test_a_value_that_is_changed_before_its_wave_is_left_alone(night: Scene) -> None:
    run, _ = await begun(night, f"amount={RIGHT}")
    theirs = await execution(night, HIDING[1])
    await hide(night, theirs, 5)
    night.clock.turned = Crew(night).turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.counts.done == NUMBER - 1
    left = night.remembered("SELECT process_instance, left_out FROM run_task WHERE left_out <> ''")
    assert (left, await local(night)) == ([(instances(night)[HIDING[1]], "changed")], {theirs: 5})


async def test_what_the_engine_refuses_holds_the_wave_without_retries(night: Scene) -> None:
    before = await local(night)
    night.faults.play(engine_error(403, "AuthorizationException"), on="^POST .*/localVariables$")
    run, _ = await begun(night, f"amount={RIGHT}", waves="rest")
    crew = Crew(night)
    night.clock.turned = crew.turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, crew.seen, await local(night)) == (NOT_SET, [], before)
    assert held.said.startswith("3 executions of this wave not showing the new amount")
    night.faults.clear()
    done = await night.drive(run, release=True)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", NUMBER)


async def test_set_sets_them_too_and_gives_them_back(night: Scene) -> None:
    before, amounts = await local(night), await has(night)
    session = night.console()
    client = await session.connection.opened()
    chosen = SetVariables(given=(typed(f"amount={RIGHT}"),), local=True)
    frozen = await chosen.freeze(client, Instances(query=ProcessInstanceQuery()), client.engine_now())
    assert (dict(frozen.also), len(frozen.tasks)) == ({"local": 3}, NUMBER)
    assert frozen.operation is not None
    run = await write_down(session, RunOrder("all", frozen.operation, waves_of("2, rest"), watch=20.0), frozen, "me")
    night.forget_driver(run)
    night.clock.turned = night.carry_out
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", NUMBER)
    assert set((await local(night)).values()) == {RIGHT}
    undo, _ = await undone(night, run)
    assert (undo.units, dict(undo.left_alone)) == (f"{NUMBER} instances and 3 executions", {})
    assert (await local(night), await has(night)) == (before, amounts)


class Killed(BaseException):
    """The console is gone in the midst of a request."""


class Mortal(httpx.AsyncBaseTransport):
    """Passes requests on until so many executions were sent one; counts those that were changed."""

    def __init__(self, inner: httpx.AsyncBaseTransport, until: int, carried_out: bool) -> None:
        self._inner, self._until, self._carried_out = inner, until, carried_out
        self._sent = 0
        self.changed: Counter[str] = Counter()
        self.dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.dead:
            raise Killed
        found = CHANGE.search(request.url.path) if request.method == "POST" else None
        if found is None:
            return await self._inner.handle_async_request(request)
        self._sent += 1
        self.dead = self._sent > self._until
        if not self.dead or self._carried_out:
            answer = await self._inner.handle_async_request(request)
            self.changed[found[1]] += answer.status_code == 204
        if self.dead:
            raise Killed
        return answer


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("until", [0, 1, 2])
async def test_a_console_that_is_killed_between_two_requests_goes_on(
    night: Scene, monkeypatch: pytest.MonkeyPatch, until: int, carried_out: bool
) -> None:
    monkeypatch.setattr(one_by_one, "AT_ONCE", 1)
    before, crew = await local(night), Crew(night)
    run, _ = await begun(night, f"amount={RIGHT}", waves="rest")
    night.clock.turned = crew.turn
    living = night.transport
    night.transport = first = Mortal(living, until, carried_out)  # type: ignore[assignment]
    with pytest.raises(Killed):
        await night.drive(run)
    night.transport = living
    night.forget_driver(run)
    assert (first.changed.total(), crew.seen) == (until + carried_out, [])
    assert night.remembered("SELECT count(*) FROM launch WHERE ended_at IS NULL") == [(1,)]
    night.transport = second = Mortal(living, 99, True)  # type: ignore[assignment]
    done = await night.drive(run)
    night.transport = living
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done, done.counts.again) == ("passed", NUMBER, 0)
    assert first.changed + second.changed == dict.fromkeys(before, 1)
    assert {value for _, value in crew.seen} == {RIGHT}
    assert night.remembered("SELECT count(*) FROM launch WHERE ended_at IS NULL") == [(0,)]
    (cut,) = night.remembered("SELECT state, jobs, said FROM launch WHERE said LIKE 'It was cut short%'")
    assert cut[0] == "launched"


async def test_a_run_that_is_stopped_after_such_an_end_gives_back_what_was_set(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_by_one, "AT_ONCE", 1)
    before, amounts = await local(night), await has(night)
    run, _ = await begun(night, f"amount={RIGHT}", waves="rest")
    night.clock.turned = Crew(night).turn
    living = night.transport
    night.transport = Mortal(living, 1, True)  # type: ignore[assignment]
    with pytest.raises(Killed):
        await night.drive(run)
    night.transport = living
    night.forget_driver(run)
    undo, _ = await undone(night, run)
    assert undo.units == "8 instances and 2 executions"
    assert (await local(night), await has(night)) == (before, amounts)


class TakenOver(httpx.AsyncBaseTransport):
    """Another console takes the run over while the first execution is sent its request."""

    def __init__(self, night: Scene, run: int) -> None:
        self._night, self._inner, self._run = night, night.transport, run
        self.changed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if request.method == "POST" and CHANGE.search(request.url.path):
            self.changed += 1
            self._night.forget_driver(self._run)
            journal = self._night.console().memory.journal
            assert journal is not None
            await journal.runs.take(self._run, "another console")
        return answer


async def test_nothing_more_is_sent_when_another_console_drives_the_run(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variables_first, "SENT_AT_ONCE", 1)
    run, _ = await begun(night, f"amount={RIGHT}", waves="rest")
    night.clock.turned = Crew(night).turn
    night.transport = theirs = TakenOver(night, run)  # type: ignore[assignment]
    with pytest.raises(RunDriven):
        await night.drive(run)
    assert theirs.changed == 1
    states = night.remembered("SELECT state FROM launch WHERE operation = 'set-local' ORDER BY id")
    assert states == [("launched",), ("preparing",)]
