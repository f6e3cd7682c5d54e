"""Skipping and repeating an activity in waves: where instances are is read from the store's file, past the console."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from retriage.console.launch import send
from retriage.console.launch.undo import undo_of_run
from retriage.console.operations.known import operation_of
from retriage.console.operations.modification import Modification, Repeat, Skip
from retriage.console.operations.operation import FrozenUnits
from retriage.console.reading.selection import Instances
from retriage.console.runs.driver_name import driver_name
from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded, RunHeld, WaveOutcome
from retriage.console.runs.run import RunOrder, write_down
from retriage.console.runs.run_form import RunForm
from retriage.console.runs.waves import waves_of
from retriage.console.session.connection import Connection
from retriage.store.contract.queries import ProcessInstanceQuery
from tests.console.operations.test_suspension import instances, put
from tests.console.runs.a_run import Scene, scene
from tests.store.drawings import END, START, file, flows, process, task
from tests.support.fault_proxy import Answer, Drop, Slow

ALL = Instances(query=ProcessInstanceQuery())
SHIPS = file(process(START, task("charge"), task("ship"), END, flows("begin>charge", "charge>ship", "ship>done")))
"""A second version, in which an instance goes on behind the charge."""
SKIP, REPEAT = Skip("charge"), Repeat("charge")


@pytest.fixture
async def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """20 instances of one version whose task has failed for good, and 10 of a second one whose task is new."""
    monkeypatch.setattr(Connection, "history", "kept")
    async with scene(tmp_path, 20) as one:
        one.works = False
        await deployed(one, SHIPS, 10)
        yield one


async def deployed(night: Scene, xml: bytes, number: int) -> None:
    """One more version of the process, and instances of it."""
    parts = {"deployment-name": (None, "more"), "data": ("order.bpmn", xml)}
    answer = await night.http.post("/deployment/create", files=parts)
    assert answer.status_code == 200, answer.text
    for _ in range(number):
        assert (await night.http.post("/process-definition/key/order/start", json={})).status_code == 200


def versions(night: Scene) -> list[list[str]]:
    """Ids of the instances of each version."""
    asked = "SELECT process_definition_id, id FROM process_instance ORDER BY id"
    found: dict[str, list[str]] = {}
    for definition, id in night.sql(asked):
        found.setdefault(str(definition).split(":")[1], []).append(str(id))
    return [found[version] for version in sorted(found)]


def tasks(night: Scene) -> dict[str, list[tuple[str, int | None]]]:
    """Where each instance is: the activities of its tasks with their retries."""
    found: dict[str, list[tuple[str, int | None]]] = {}
    for id, activity, retries in night.sql(
        "SELECT process_instance_id, activity_id, retries FROM external_task ORDER BY activity_id"
    ):
        found.setdefault(str(id), []).append((activity, retries))
    return found


async def frozen(night: Scene, operation: Modification, selection: Instances = ALL) -> FrozenUnits:
    client = await night.console().connection.opened()
    return await operation.freeze(client, selection, client.engine_now())


async def begun(night: Scene, operation: Modification, waves: str = "rest", selection: Instances = ALL) -> int:
    session, found = night.console(), await frozen(night, operation, selection)
    order = RunOrder("all of them", found.operation or operation, waves_of(waves), watch=20.0, reason=operation.reason)
    run = await write_down(session, order, found, driver_name())
    night.forget_driver(run)
    return run


async def second_token(night: Scene, id: str) -> None:
    start = {"instructions": [{"type": "startBeforeActivity", "activityId": "charge"}]}
    assert (await night.http.post(f"/process-instance/{id}/modification", json=start)).status_code == 204


async def worked(night: Scene, id: str, *, complete: bool) -> None:
    """A worker takes the task of an instance, and completes it or holds it."""
    ((task_id,),) = night.sql("SELECT id FROM external_task WHERE process_instance_id = ?", id)
    lock = {"workerId": "w", "lockDuration": 600_000}
    assert (await night.http.post(f"/external-task/{task_id}/lock", json=lock)).status_code == 204
    if complete:
        answer = await night.http.post(f"/external-task/{task_id}/complete", json={"workerId": "w"})
        assert answer.status_code == 204


async def test_each_version_of_a_wave_is_a_batch_and_its_instances_go_on_behind(night: Scene) -> None:
    old, new = versions(night)
    run = await begun(night, SKIP, "15, rest")
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done, done.counts.total) == ("passed", 30, 30)
    assert tasks(night) == {id: [("ship", None)] for id in new}
    assert dict(night.sql("SELECT id, state FROM process_instance WHERE end_time IS NOT NULL")) == dict.fromkeys(
        old, "COMPLETED"
    )
    # The second wave takes what is left of the first version, and all of the second.
    assert night.sql("SELECT total_jobs, type FROM batch ORDER BY start_time, id") == [
        (15, "instance-modification"), (5, "instance-modification"), (10, "instance-modification"),
    ]  # fmt: skip
    assert night.remembered("SELECT wave, tasks FROM launch ORDER BY id") == [(1, 15), (2, 5), (2, 10)]


async def test_a_paced_wave_sends_a_part_of_one_version_at_a_time(night: Scene) -> None:
    session, found = night.console(), await frozen(night, SKIP)
    order = RunOrder("all", found.operation or SKIP, waves_of("rest"), watch=20.0, pace=60.0)
    run = await write_down(session, order, found, driver_name())
    night.forget_driver(run)
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.counts.done == 30
    assert [number for (number,) in night.sql("SELECT total_jobs FROM batch ORDER BY start_time, id")] == [15, 5, 10]


async def test_a_repeated_activity_has_a_new_task_with_all_retries(night: Scene) -> None:
    before = {str(id) for (id,) in night.sql("SELECT id FROM external_task")}
    done = await night.drive(await begun(night, REPEAT))
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", 30)
    assert tasks(night) == {id: [("charge", None)] for id in instances(night)}
    assert not before & {str(id) for (id,) in night.sql("SELECT id FROM external_task")}


async def test_the_request_cancels_first_and_names_the_version(night: Scene) -> None:
    operation = RunForm("rest", skip="mappings, listeners").order("t", SKIP, " INC-7 ").operation
    assert isinstance(operation, Modification)
    assert replace(operation, definition="order:2:a").request(["x", "y"]).value == {
        "processDefinitionId": "order:2:a", "processInstanceIds": ["x", "y"],
        "instructions": [
            {"type": "cancel", "activityId": "charge"}, {"type": "startAfterActivity", "activityId": "charge"},
        ],
        "skipCustomListeners": True, "skipIoMappings": True, "annotation": "INC-7",
    }  # fmt: skip
    assert [one["type"] for one in REPEAT.request(["x"]).value["instructions"]] == ["cancel", "startBeforeActivity"]
    assert "annotation" not in REPEAT.request(["x"]).value


@pytest.mark.parametrize(
    "operation", [Skip("charge", all_tokens=True), Repeat("charge", locked=True, skip=("mappings",))]
)
async def test_its_arguments_come_back_from_the_journal(night: Scene, operation: Modification) -> None:
    found = await night.journal.runs.run(await begun(night, operation))
    assert found is not None
    told = operation_of(found)
    assert isinstance(told, Modification)
    assert told.definition in {str(id) for (id,) in night.sql("SELECT id FROM process_definition")}
    assert replace(told, definition="") == operation


async def test_what_a_file_of_a_run_may_hold_is_no_activity(night: Scene) -> None:
    assert SKIP.told({"activity": 7, "definition": ["a"], "allTokens": "yes", "locked": 1}) == Skip("")


async def test_what_cannot_be_done_is_left_out_with_its_reason(night: Scene) -> None:
    old, new = versions(night)
    await put(night, old[0], True)
    await second_token(night, old[1])
    await worked(night, new[0], complete=False)
    await worked(night, new[1], complete=True)  # is at the next activity
    found = await frozen(night, SKIP, Instances(frozenset([*old, *new, "nobody"])))
    assert dict(found.left_out) == {"suspended": 1, "several": 1, "held": 1, "elsewhere": 1, "gone": 1}
    assert {one.task_id for one in found.tasks} == {*old[2:], *new[2:]}
    both = await frozen(night, Skip("charge", all_tokens=True, locked=True))
    assert (dict(both.left_out), len(both.tasks)) == ({"suspended": 1, "elsewhere": 1}, 28)
    assert dict(both.also) == {"tokens": 1, "free": 10}  # the second token is new, and so are nine tasks of the others


async def test_a_retry_time_is_no_lock(night: Scene) -> None:
    one = versions(night)[1][0]
    ((task_id,),) = night.sql("SELECT id FROM external_task WHERE process_instance_id = ?", one)
    failure = {"workerId": "w", "errorMessage": "503", "retries": 0, "retryTimeout": 3_600_000}
    await worked(night, one, complete=False)
    assert (await night.http.post(f"/external-task/{task_id}/failure", json=failure)).status_code == 204
    assert dict((await frozen(night, SKIP)).left_out) == {}


async def test_the_race_that_remains_is_said_with_its_number(night: Scene) -> None:
    found = await frozen(night, SKIP)
    text = text_of(RunForm("rest").order("all", found.operation or SKIP).plan(found))
    assert "10 tasks a worker may take first their instances go on TWICE then" in text
    assert text.endswith(Skip.no_way_back)
    assert found.told == ["2 process versions: each wave sends a batch for each."]


async def test_other_tasks_of_the_instances_are_counted(night: Scene) -> None:
    await deployed(night, FORK, 3)
    mine = Instances(frozenset(versions(night)[2]))
    assert dict((await frozen(night, Skip("pack"), mine)).also) == {"free": 3, "others": 3}
    done = await night.drive(await begun(night, Skip("pack"), selection=mine))
    assert isinstance(done, RunEnded)
    assert done.counts.done == 3
    assert [tasks(night)[id] for id in versions(night)[2]] == [[("bill", None)]] * 3


FORK = file(
    process(
        START, '<parallelGateway id="split"/>', task("pack"), task("bill"), '<parallelGateway id="join"/>', END,
        flows("begin>split", "split>pack", "split>bill", "pack>join", "bill>join", "join>done"),
    )
)  # fmt: skip


async def test_tokens_that_are_all_meant_become_one(night: Scene) -> None:
    one = versions(night)[1][0]
    await second_token(night, one)
    run = await begun(night, Skip("charge", all_tokens=True), selection=Instances(frozenset({one})))
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.counts.done, tasks(night)[one]) == (1, [("ship", None)])


async def test_what_moved_since_it_was_frozen_is_left_out(night: Scene) -> None:
    run = await begun(night, SKIP)
    old, new = versions(night)
    await put(night, old[0], True)
    assert (await night.http.delete(f"/process-instance/{old[1]}")).status_code == 204
    await worked(night, new[0], complete=True)
    again = {
        "instructions": [
            {"type": "cancel", "activityId": "charge"},
            {"type": "startBeforeActivity", "activityId": "charge"},
        ]
    }
    assert (await night.http.post(f"/process-instance/{new[1]}/modification", json=again)).status_code == 204
    await worked(night, new[2], complete=False)
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.counts.done == 25
    assert dict(night.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> ''")) == {
        old[0]: "suspended", old[1]: "gone", new[0]: "elsewhere", new[1]: "changed", new[2]: "held",
    }  # fmt: skip


@pytest.mark.parametrize("which", [2, 3])
async def test_one_empty_answer_makes_no_instance_leave(
    night: Scene, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    """The first question for tasks is about the clock, the second the check before they are sent, the third the first
    look, while no job was run; no history is there to say more."""
    monkeypatch.setattr(Connection, "history", "unreadable")
    run = await begun(night, SKIP)
    night.faults.play(Answer(200, b"[]", "application/json"), r"POST /engine-rest/external-task\?", times=1)
    night.faults.play(Slow(0), r"POST /engine-rest/external-task\?", times=which - 1)  # played last, it comes first
    looked: list[int] = []

    async def turn() -> None:
        looked.append(sum(one.counts.done for one in night.told if isinstance(one, WaveOutcome)))
        await night.carry_out()

    night.clock.turned = turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.counts.done, looked[0]) == (30, 0)


async def test_what_a_worker_completed_before_the_batch_is_not_counted_as_skipped(night: Scene) -> None:
    """Such an instance has a second token then: the batch starts one behind the activity all the same."""
    one = versions(night)[1][0]
    run = await begun(night, SKIP, selection=Instances(frozenset(versions(night)[1])))
    first = True

    async def turn() -> None:
        nonlocal first
        if first:
            first = False
            await worked(night, one, complete=True)
        await night.carry_out()

    night.clock.turned = turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.counts.done, done.counts.changed, done.counts.open) == (9, 1, 0)
    assert tasks(night)[one] == [("ship", None), ("ship", None)]


async def test_an_instance_that_ended_before_the_batch_is_not_waited_for(night: Scene) -> None:
    """A worker completed its last task: its job fails, and nothing was done to it."""
    one = versions(night)[0][0]
    run = await begun(night, SKIP, "5, rest")
    first = True

    async def turn() -> None:
        nonlocal first
        if first:
            first = False
            await worked(night, one, complete=True)
        await night.carry_out()

    night.clock.turned = turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done, done.counts.gone) == ("passed", 29, 1)


async def test_without_a_history_what_has_left_is_done(night: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "history", "unreadable")
    night.faults.play(Answer(403, b"", "text/plain"), r"history/activity-instance")
    done = await night.drive(await begun(night, SKIP))
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", 30)


async def test_jobs_that_fail_hold_the_wave(night: Scene) -> None:
    """Suspended between the look and the batch: the engine does not modify it, and its job fails."""
    one = versions(night)[0][0]
    run = await begun(night, SKIP, "5, rest")
    first = True

    async def turn() -> None:
        nonlocal first
        if first:
            first = False
            await put(night, one, True)
        await night.carry_out()
        night.sql("UPDATE job SET due_date = NULL WHERE retries > 0")

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave, held.counts.done, held.counts.not_set) == ("jobs-failed", 1, 4, 1)
    assert "1 job of its batch failed" in held.said


async def test_a_batch_that_is_deleted_holds_the_next_wave(night: Scene) -> None:
    run = await begun(night, SKIP, "5, rest")

    async def turn() -> None:
        for (id,) in night.sql("SELECT id FROM batch WHERE end_time IS NULL"):
            await night.http.delete(f"/batch/{id}")

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave) == ("batch-deleted", 1)
    assert tasks(night).keys() == set(instances(night))
    assert {place for found in tasks(night).values() for place, _ in found} == {"charge"}


@pytest.mark.parametrize("operation", [SKIP, REPEAT])
async def test_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(
    night: Scene, monkeypatch: pytest.MonkeyPatch, operation: Modification
) -> None:
    """Nobody logged in: what proves whose the batch is are the activities that were cancelled since."""

    async def pause(seconds: float) -> None:
        await night.carry_out()

    monkeypatch.setattr(send, "asyncio", SimpleNamespace(sleep=pause))
    night.faults.play(Drop(passed_on=True), on="^POST .*/modification/executeAsync", times=1)
    done = await night.drive(await begun(night, operation))
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", 30)
    assert sorted(night.sql("SELECT total_jobs FROM batch")) == [(10,), (20,)]
    assert night.remembered("SELECT state, probable FROM launch") == [("launched", 0), ("launched", 0)]


async def test_a_driver_that_begins_anew_knows_where_they_were(night: Scene) -> None:
    """The activity instances come from the journal then."""
    run = await begun(night, SKIP)

    async def nothing() -> None: ...

    night.clock.turned = nothing
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert held.cause == "jobs-left"
    night.clock.turned = night.turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.counts.done, done.counts.unknown) == (30, 0)


async def test_an_engine_without_the_order_says_so(night: Scene) -> None:
    run = await begun(night, SKIP)
    missing = json.dumps({"type": "NotFoundException", "message": "HTTP 404 Not Found"}).encode()
    night.faults.play(Answer(404, missing, "application/json"), r"POST .*/modification/executeAsync")
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, "404" in held.said) == ("refused", True)


async def test_an_undo_is_refused_with_a_sentence(night: Scene) -> None:
    run = await begun(night, REPEAT)
    await night.drive(run)
    found = await night.journal.runs.run(run)
    assert found is not None
    undo = await undo_of_run(night.console(), found)
    assert (undo.count, undo.why_not) == (0, Repeat.no_way_back)


async def test_a_version_whose_file_forbids_it_is_left_out(night: Scene) -> None:
    """Of the second version the engine shows a file in which two sequence flows leave the activity."""
    xml = SHIPS.decode().replace("</process>", '<sequenceFlow id="x" sourceRef="charge" targetRef="done"/></process>')
    answer = json.dumps({"id": "x", "bpmn20Xml": xml}).encode()
    night.faults.play(Answer(200, answer, "application/json"), r"GET .*/process-definition/order%3A2%3A.*/xml")
    found = await frozen(night, SKIP)
    assert (len(found.tasks), dict(found.left_out)) == (20, {"branches": 10})
    assert dict((await frozen(night, REPEAT)).left_out) == {}
