"""Suspending and activating instances in waves: which were changed is read from the store's file, past the console."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retriage.console.launch import send
from retriage.console.launch.send import Sent, send_launch, send_launches
from retriage.console.launch.undo import undo_of_run
from retriage.console.operations.operation import Operation
from retriage.console.operations.suspension import Activate, Suspend
from retriage.console.reading.selection import Instances, Marked
from retriage.console.runs.driver_name import driver_name
from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded, RunHeld, WaveStep
from retriage.console.runs.run import RunOrder, write_down
from retriage.console.runs.waves import waves_of
from retriage.console.session.session import Session
from retriage.store.contract.queries import ProcessInstanceQuery
from tests.console.runs.a_run import Scene, scene
from tests.support.fault_proxy import Answer, Drop, Slow

ALL = Instances(query=ProcessInstanceQuery())


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 20) as one:
        one.works = False
        yield one


def instances(night: Scene) -> list[str]:
    return [str(row[0]) for row in night.sql("SELECT id FROM process_instance ORDER BY id")]


def suspended(night: Scene) -> set[str]:
    return {str(row[0]) for row in night.sql("SELECT id FROM process_instance WHERE state = 'SUSPENDED'")}


async def put(night: Scene, id: str, suspended: bool) -> None:
    """Somebody else suspends or activates one."""
    answer = await night.http.put(f"/process-instance/{id}/suspended", json={"suspended": suspended})
    assert answer.status_code == 204, answer.text


async def begun(
    night: Scene,
    operation: Operation,
    waves: str = "5, rest",
    selection: Instances | Marked = ALL,
    *,
    watch: float = 20.0,
    **other: Any,
) -> int:
    session = night.console()
    client = await session.connection.opened()
    order = RunOrder("all of them", operation, waves_of(waves), watch=watch, **other)
    frozen = await operation.freeze(client, selection, client.engine_now())
    run = await write_down(session, order, frozen, driver_name())
    night.forget_driver(run)
    return run


async def undone(night: Scene, run: int) -> tuple[Any, list[Sent]]:
    session: Session = night.console()
    found = await night.journal.runs.run(run)
    assert found is not None
    undo = await undo_of_run(session, found)

    async def sending(order: Any) -> Sent:
        return Sent(order, await send_launch(session, order, lambda event: None), [])

    sent = await send_launches(session, undo.launches(), sending)
    await night.carry_out()
    return undo, sent


async def test_waves_suspend_exactly_the_instances_that_were_active(night: Scene) -> None:
    everyone = instances(night)
    before = set(everyone[:3])
    for id in before:
        await put(night, id, True)
    run = await begun(night, Suspend())
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.total) == ("passed", 17, 17)
    assert suspended(night) == set(everyone)
    jobs = night.sql("SELECT total_jobs, type FROM batch ORDER BY start_time, id")
    assert jobs == [(5, "instance-update-suspension-state"), (12, "instance-update-suspension-state")]
    assert night.remembered("SELECT operation, retries, tasks FROM launch ORDER BY id") == [
        ("suspend", None, 5), ("suspend", None, 12),
    ]  # fmt: skip
    sent = [text_of(one) for one in night.told if isinstance(one, WaveStep) and one.state == "sent"]
    assert sent[0].startswith("wave 1  5 instances sent as batch")


@pytest.mark.parametrize("which", [1, 2])
async def test_one_empty_answer_makes_no_instance_gone(night: Scene, which: int) -> None:
    """The first question for instances is that of the check before they are sent, the second that of the first look."""
    everyone = instances(night)
    run = await begun(night, Suspend(), "rest")
    night.faults.play(Answer(200, b"[]", "application/json"), r"POST /engine-rest/process-instance\?", times=1)
    if which == 2:  # what is played last comes first
        night.faults.play(Slow(0), r"POST /engine-rest/process-instance\?", times=1)
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.gone) == ("passed", 20, 0)
    assert suspended(night) == set(everyone)


async def test_undo_activates_those_that_it_suspended_and_no_other(night: Scene) -> None:
    everyone = instances(night)
    before, freed = set(everyone[:3]), everyone[10]
    for id in before:
        await put(night, id, True)
    run = await begun(night, Suspend(), "rest")
    await night.drive(run)
    await put(night, freed, False)
    undo, sent = await undone(night, run)
    assert (undo.count, dict(undo.left_alone), len(sent)) == (16, {"changed": 1}, 1)
    assert undo.sentences()[0] == "16 instances are activated again."
    assert suspended(night) == before


async def test_undo_of_an_activation_suspends_again(night: Scene) -> None:
    everyone = instances(night)
    for id in everyone[:4]:
        await put(night, id, True)
    run = await begun(night, Activate(), "rest", Instances(frozenset(everyone)))
    await night.drive(run)
    assert suspended(night) == set()
    undo, _ = await undone(night, run)
    assert undo.count == 4
    assert suspended(night) == set(everyone[:4])


async def test_what_a_later_run_has_suspended_again_is_left_alone(night: Scene) -> None:
    first = await begun(night, Suspend(), "rest")
    await night.drive(first)
    one = instances(night)[0]
    await put(night, one, False)
    second = await begun(night, Suspend(), "rest")
    await night.drive(second)
    undo, _ = await undone(night, first)
    assert (undo.count, dict(undo.left_alone)) == (19, {"later": 1})
    assert suspended(night) == {one}


async def test_what_has_changed_since_it_was_frozen_is_left_out(night: Scene) -> None:
    run = await begun(night, Suspend(), "rest")
    everyone = instances(night)
    await put(night, everyone[0], True)
    assert (await night.http.delete(f"/process-instance/{everyone[1]}")).status_code == 204
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    assert ended.counts.done == 18
    left = night.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> '' ORDER BY task_id")
    assert left == [(everyone[0], "already"), (everyone[1], "gone")]


async def test_a_batch_that_is_deleted_holds_the_next_wave(night: Scene) -> None:
    run = await begun(night, Suspend())

    async def turn() -> None:
        for (id,) in night.sql("SELECT id FROM batch WHERE end_time IS NULL"):
            await night.http.delete(f"/batch/{id}")

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave) == ("batch-deleted", 1)
    assert "5 instances are not set, and will not be" in held.said
    assert suspended(night) == set()


async def test_a_wave_that_stands_still_is_held_by_its_jobs(night: Scene) -> None:
    run = await begun(night, Suspend())

    async def nothing() -> None: ...

    night.clock.turned = nothing
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert held.cause == "jobs-left"
    assert "5 instances are not set" in held.said
    night.clock.turned = night.turn
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done) == ("passed", 20)
    assert suspended(night) == set(instances(night))


async def test_instances_that_somebody_sets_otherwise_meanwhile_are_told_apart(night: Scene) -> None:
    run = await begun(night, Suspend(), "rest")
    everyone = instances(night)

    async def turn() -> None:
        await night.carry_out()
        await put(night, everyone[0], False)
        await night.http.delete(f"/process-instance/{everyone[1]}")

    night.clock.turned = turn
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    counts = ended.counts
    assert (counts.done, counts.changed, counts.gone, counts.open) == (18, 1, 1, 0)


async def test_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody logged in here: what proves whose the batch is are its instances, which are suspended since."""
    pauses = 0

    async def pause(seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        await night.carry_out()

    monkeypatch.setattr(send, "asyncio", SimpleNamespace(sleep=pause))
    night.faults.play(Drop(passed_on=True), on="^POST .*/suspended-async")
    run = await begun(night, Suspend(), "rest")
    ended = await night.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, pauses > 0) == ("passed", 20, True)
    assert night.sql("SELECT total_jobs FROM batch") == [(20,)]
    assert night.remembered("SELECT state, probable FROM launch") == [("launched", 0)]
