"""Setting variables of instances in waves, and giving back what they had: read over HTTP, one instance at a time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retriage.console.launch import send
from retriage.console.operations.known import operation_of
from retriage.console.operations.operation import FreezeRules
from retriage.console.operations.set_variables import SetVariables
from retriage.console.operations.variable_values import VariableMistake, typed
from retriage.console.reading.selection import Instances
from retriage.console.runs.driver_name import driver_name
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.run import RunOrder, write_down
from retriage.console.runs.waves import waves_of
from retriage.store.contract.queries import ProcessInstanceQuery
from tests.console.operations.test_suspension import instances, undone
from tests.console.runs.a_run import Scene, scene
from tests.support.fault_proxy import Drop

ALL = Instances(query=ProcessInstanceQuery())


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 12) as one:
        one.works = False
        yield one


async def put(night: Scene, id: str, name: str, value: Any, type: str) -> None:
    answer = await night.http.put(f"/process-instance/{id}/variables/{name}", json={"value": value, "type": type})
    assert answer.status_code == 204, answer.text


async def has(night: Scene, name: str = "amount") -> dict[str, Any]:
    """What each instance has: type and value; ``None`` where it has no such variable."""
    found: dict[str, Any] = {}
    for id in instances(night):
        answer = (await night.http.get(f"/process-instance/{id}/variables")).json()
        found[id] = (answer[name]["type"], answer[name]["value"]) if name in answer else None
    return found


async def given(night: Scene) -> dict[str, Any]:
    """Every instance has an amount below zero, three of them the same one."""
    for place, id in enumerate(instances(night)):
        await put(night, id, "amount", -max(place, 2), "Integer")
    return await has(night)


def operation(*values: str, only_if: tuple[str, ...] = (), new: bool = False) -> SetVariables:
    return SetVariables(given=tuple(map(typed, values)), only_if=tuple(map(typed, only_if)), new=new)


async def begun(night: Scene, chosen: SetVariables, waves: str = "rest") -> int:
    session = night.console()
    client = await session.connection.opened()
    frozen = await chosen.freeze(client, ALL, client.engine_now())
    order = RunOrder("all of them", frozen.operation or chosen, waves_of(waves), watch=20.0)
    run = await write_down(session, order, frozen, driver_name())
    night.forget_driver(run)
    return run


async def test_waves_set_the_value_and_keep_the_type(night: Scene) -> None:
    await given(night)
    run = await begun(night, operation("amount=130"), "5, rest")
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", 12)
    assert set((await has(night)).values()) == {("Integer", 130)}
    assert night.sql("SELECT total_jobs, type FROM batch ORDER BY start_time, id") == [
        (5, "set-variables"), (7, "set-variables"),
    ]  # fmt: skip


async def test_what_they_had_is_written_down_before_anything_is_sent(night: Scene) -> None:
    before = await given(night)
    run = await begun(night, operation("amount=130"))
    assert night.sql("SELECT count(*) FROM batch") == [(0,)]
    kept = dict(night.remembered("SELECT task_id, was FROM run_task"))
    assert kept == {id: f'{{"amount": ["Integer", "{value}"]}}' for id, (_, value) in before.items()}
    found = await night.journal.runs.run(run)
    assert found is not None
    assert operation_of(found).request(["a"]).value == {
        "processInstanceIds": ["a"], "variables": {"amount": {"value": 130, "type": "Integer"}},
    }  # fmt: skip
    lines = [line async for line in night.journal.runs.lines_of(run, "a")]
    assert '"was"' not in "".join(lines)


async def test_an_undo_gives_each_its_own_value_where_it_is_still_ours(night: Scene) -> None:
    before = await given(night)
    run = await begun(night, operation("amount=130"), "5, rest")
    await night.drive(run)
    changed = instances(night)[4]
    await put(night, changed, "amount", 7, "Integer")
    undo, sent = await undone(night, run)
    assert (undo.count, dict(undo.left_alone), len(sent)) == (11, {"changed": 1}, 9)
    assert await has(night) == before | {changed: ("Integer", 7)}


async def test_what_no_batch_can_give_back_is_counted_before_and_given_back(night: Scene) -> None:
    await given(night)
    first = instances(night)[0]
    assert (await night.http.delete(f"/process-instance/{first}/variables/amount")).status_code == 204
    before = await has(night)
    client = await night.console().connection.opened()
    frozen = await operation("amount:Integer=1").freeze(client, ALL, client.engine_now())
    assert frozen.one_by_one == 1
    run = await begun(night, operation("amount:Integer=1"))
    await night.drive(run)
    undo, _ = await undone(night, run)
    assert (undo.count, dict(undo.left_alone)) == (12, {})
    assert await has(night) == before


async def test_what_is_so_already_or_not_meant_is_left_out(night: Scene) -> None:
    await given(night)
    everyone = instances(night)
    await put(night, everyone[0], "amount", 130, "Integer")
    await night.http.put(
        f"/process-instance/{everyone[1]}/variables/amount",
        json={"type": "File", "value": "YQ==", "valueInfo": {"filename": "a.txt"}},
    )
    client = await night.console().connection.opened()
    frozen = await operation("amount:Integer=130").freeze(client, ALL, client.engine_now(), FreezeRules(limit=4))
    assert (dict(frozen.left_out), len(frozen.tasks)) == ({"already": 1, "unreadable": 1}, 4)
    guarded = operation("amount:Integer=130", only_if=("amount:=-2",))
    frozen = await guarded.freeze(client, Instances(frozenset(everyone[2:])), client.engine_now())
    assert ([task.task_id for task in frozen.tasks], dict(frozen.left_out)) == (everyone[2:3], {"otherwise": 9})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("amuont=1",), "no instance has amuont."),
        (("amount=x",), "the value of amount is no Integer"),
        (("mixed=1",), "mixed has several types, Integer, String: name one"),
    ],
)
async def test_a_name_or_value_that_cannot_be_meant_is_refused(
    night: Scene, values: tuple[str, ...], said: str
) -> None:
    await given(night)
    for place, id in enumerate(instances(night)[:2]):
        await put(night, id, "mixed", "1" if place else 1, "String" if place else "Integer")
    client = await night.console().connection.opened()
    with pytest.raises(VariableMistake, match=said):
        await operation(*values).freeze(client, ALL, client.engine_now())


async def test_a_new_name_is_set_where_it_was_said_to_be_new(night: Scene) -> None:
    run = await begun(night, operation("note=by hand", new=True))
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert set((await has(night, "note")).values()) == {("String", "by hand")}


async def test_what_somebody_changed_before_its_wave_is_left_out(night: Scene) -> None:
    await given(night)
    run = await begun(night, operation("amount=130"))
    everyone = instances(night)
    await put(night, everyone[3], "amount", 5, "Integer")
    assert (await night.http.delete(f"/process-instance/{everyone[4]}")).status_code == 204
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.counts.done == 10
    left = night.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> '' ORDER BY task_id")
    assert left == [(everyone[3], "changed"), (everyone[4], "gone")]
    assert (await has(night))[everyone[3]] == ("Integer", 5)


async def test_a_run_without_its_former_values_sets_nothing(night: Scene) -> None:
    """As one that was taken over from a file, which does not hold them."""
    before = await given(night)
    session, chosen = night.console(), operation("amount=130")
    client = await session.connection.opened()
    frozen = await chosen.freeze(client, ALL, client.engine_now())
    frozen.tasks = [task._replace(was="") for task in frozen.tasks]
    order = RunOrder("all", frozen.operation or chosen, waves_of("rest"), watch=20.0)
    run = await write_down(session, order, frozen, driver_name())
    night.forget_driver(run)
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.said.startswith("Nothing was sent: 12 taken over from a file")
    assert await has(night) == before


async def test_a_value_that_somebody_sets_over_it_is_told_apart(night: Scene) -> None:
    await given(night)
    run = await begun(night, operation("amount=130"), "2, rest")
    stubborn = instances(night)[0]

    async def turn() -> None:
        await night.carry_out()
        await put(night, stubborn, "amount", -1, "Integer")

    night.clock.turned = turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.counts.done, done.counts.changed) == (11, 1)


async def test_jobs_that_do_not_run_hold_the_wave(night: Scene) -> None:
    before = await given(night)
    run = await begun(night, operation("amount=130"), "2, rest")

    async def nothing() -> None: ...

    night.clock.turned = nothing
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave) == ("jobs-left", 1)
    assert await has(night) == before


async def test_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given(night)

    async def pause(seconds: float) -> None:
        await night.carry_out()

    monkeypatch.setattr(send, "asyncio", SimpleNamespace(sleep=pause))
    night.faults.play(Drop(passed_on=True), on="^POST .*/variables-async")
    run = await begun(night, operation("amount=130"))
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", 12)
    assert night.sql("SELECT total_jobs FROM batch") == [(12,)]


def test_no_value_stands_in_a_sentence_or_an_event() -> None:
    chosen = replace(operation("amount:Integer=4711"), only_if=())
    words = (chosen.aim, chosen.each, chosen.state, chosen.mark, chosen.back_said(2))
    assert all("4711" not in one for one in words)
    assert chosen.variables == ("amount",)
