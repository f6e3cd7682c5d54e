"""Cancelling instances in waves: which are gone is read from the store's file, past the console."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from retriage.console.launch import send
from retriage.console.launch.undo import undo_of_run
from retriage.console.operations.cancel import Cancel
from retriage.console.operations.known import operation_of
from retriage.console.reading.selection import Instances
from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.run_form import RunForm
from retriage.console.session.connection import Connection
from retriage.store.contract.queries import ProcessInstanceQuery
from tests.console.operations.test_suspension import begun, instances, put
from tests.console.runs.a_run import Scene, scene
from tests.support.fault_proxy import Drop

WHY = Cancel("INC-7: ordered twice")


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 20) as one:
        one.works = False
        yield one


def ended(night: Scene) -> dict[str, tuple[str, str | None]]:
    """How instances ended, by the store's file."""
    asked = "SELECT id, state, delete_reason FROM process_instance WHERE end_time IS NOT NULL"
    return {str(id): (str(state), reason) for id, state, reason in night.sql(asked)}


def running(night: Scene) -> list[str]:
    return [str(id) for (id,) in night.sql("SELECT id FROM process_instance WHERE end_time IS NULL ORDER BY id")]


async def test_waves_cancel_exactly_what_was_taken_and_keep_the_reason(night: Scene) -> None:
    everyone = instances(night)
    await put(night, everyone[0], True)
    meant = everyone[:12]
    run = await begun(night, WHY, "2, rest", Instances(frozenset(meant)), reason=WHY.reason)
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done, done.counts.total) == ("passed", 12, 12)
    assert ended(night) == dict.fromkeys(meant, ("EXTERNALLY_TERMINATED", WHY.reason))
    assert running(night) == everyone[12:]
    assert night.sql("SELECT total_jobs, type FROM batch ORDER BY start_time, id") == [
        (2, "instance-deletion"), (10, "instance-deletion"),
    ]  # fmt: skip


async def test_its_arguments_come_back_from_the_journal(night: Scene) -> None:
    operation = RunForm("rest", skip="called, listeners").order("t", Cancel(), " twice ").operation
    assert operation == Cancel("twice", ("listeners", "called"))
    assert operation.request(["a"]).value == {
        "processInstanceIds": ["a"], "deleteReason": "twice", "skipCustomListeners": True, "skipSubprocesses": True,
    }  # fmt: skip
    assert Cancel().request(["a"]).value == {"processInstanceIds": ["a"]}
    run = await begun(night, operation, reason="twice")
    found = await night.journal.runs.run(run)
    assert found is not None
    assert operation_of(found) == operation


async def test_an_undo_is_refused_with_a_sentence(night: Scene) -> None:
    run = await begun(night, WHY, "rest", reason=WHY.reason)
    await night.drive(run)
    found = await night.journal.runs.run(run)
    assert found is not None
    undo = await undo_of_run(night.console(), found)
    assert (undo.count, undo.why_not) == (0, Cancel.no_way_back)


async def test_what_ended_meanwhile_is_left_out(night: Scene) -> None:
    run = await begun(night, WHY, "rest", reason=WHY.reason)
    one = instances(night)[0]
    assert (await night.http.delete(f"/process-instance/{one}")).status_code == 204
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert done.counts.done == 19
    assert night.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> ''") == [(one, "gone")]
    assert ended(night)[one] == ("EXTERNALLY_TERMINATED", None)


async def test_what_ends_otherwise_after_it_was_sent_is_told_apart(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the history may be read: a worker completes one, and somebody else cancels another, before the batch."""
    monkeypatch.setattr(Connection, "history", "kept")
    run = await begun(night, WHY, "rest", reason=WHY.reason)
    completed, cancelled = instances(night)[:2]
    first = True

    async def turn() -> None:
        nonlocal first
        if first:
            first = False
            night.sql("UPDATE process_instance SET state = 'COMPLETED', end_time = start_time WHERE id = ?", completed)
            await night.http.delete(f"/process-instance/{cancelled}")
        await night.carry_out()

    night.clock.turned = turn
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.counts.done, done.counts.gone, done.counts.cancelled, done.counts.open) == (18, 1, 1, 0)


async def test_a_batch_that_is_deleted_holds_the_next_wave(night: Scene) -> None:
    run = await begun(night, WHY, reason=WHY.reason)

    async def turn() -> None:
        for (id,) in night.sql("SELECT id FROM batch WHERE end_time IS NULL"):
            await night.http.delete(f"/batch/{id}")

    night.clock.turned = turn
    held = await night.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave, len(running(night))) == ("batch-deleted", 1, 20)


async def test_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody logged in: what proves whose the batch is are its instances, which ended since with this reason."""

    async def pause(seconds: float) -> None:
        await night.carry_out()

    monkeypatch.setattr(send, "asyncio", SimpleNamespace(sleep=pause))
    night.faults.play(Drop(passed_on=True), on="^POST .*/process-instance/delete")
    run = await begun(night, WHY, "rest", reason=WHY.reason)
    done = await night.drive(run)
    assert isinstance(done, RunEnded)
    assert (done.state, done.counts.done) == ("passed", 20)
    assert night.sql("SELECT total_jobs FROM batch") == [(20,)]
    assert night.remembered("SELECT state, probable FROM launch") == [("launched", 0)]


async def test_what_ends_with_them_is_counted_before(night: Scene) -> None:
    client = await night.console().connection.opened()
    await night.http.put("/external-task/retries", json={"retries": 3, "externalTaskIds": (await night.ids())[:5]})
    frozen = await WHY.freeze(client, Instances(query=ProcessInstanceQuery()), client.engine_now())
    stuck = night.sql("SELECT count(DISTINCT process_instance_id) FROM incident WHERE end_time IS NULL")[0][0]
    assert dict(frozen.also) == {"tasks": 20, "incidents": stuck}
    order = RunForm("rest").order("all", WHY)
    told = text_of(order.plan(frozen)).splitlines()
    assert "20 external tasks end with them, locked or not" in told[2]
    assert told[-1].strip() == Cancel.no_way_back


class Family:
    """An engine of which only calls between instances are asked; each is written caller -> called."""

    def __init__(self, *calls: tuple[str, str]) -> None:
        self.calls = calls

    async def count_external_tasks(self, query: Any) -> int:
        return 0

    async def count_process_instances(self, query: Any) -> int:
        return 0

    async def process_instances(self, query: ProcessInstanceQuery, first: int, size: int) -> list[Any]:
        if query.sub_process_instance:
            found = {caller for caller, called in self.calls if called == query.sub_process_instance}
        elif query.super_process_instance:
            found = {called for caller, called in self.calls if caller == query.super_process_instance}
        else:
            found = set(query.process_instance_ids or ())  # type: ignore[arg-type]
            if query.root_process_instances:
                met = {id for call in self.calls for id in call}
                found -= met
        return [SimpleNamespace(id=id, suspended=False) for id in sorted(found)][first : first + size]


async def test_callers_are_counted_to_the_top_and_called_ones_to_the_last() -> None:
    """A sibling is called by a caller of the chosen one, and goes on with it."""
    calls = ("top", "middle"), ("middle", "chosen"), ("chosen", "child"), ("child", "grandchild"), ("top", "sibling")
    engine: Any = Family(*calls)
    at = datetime.now(UTC)
    frozen = await WHY.freeze(engine, Instances(frozenset({"chosen", "alone"})), at)
    assert ([task.task_id for task in frozen.tasks], dict(frozen.also)) == (
        ["alone", "chosen"], {"calling": 2, "called": 2},
    )  # fmt: skip
    both = await WHY.freeze(engine, Instances(frozenset({"chosen", "top"})), at)
    assert dict(both.also) == {"calling": 1, "called": 3}


async def test_of_very_many_callers_the_rest_is_said_not_to_be_counted() -> None:
    engine: Any = Family(*((f"caller{n:03}", f"called{n:03}") for n in range(150)))
    chosen = Instances(frozenset(f"called{n:03}" for n in range(150)))
    frozen = await WHY.freeze(engine, chosen, datetime.now(UTC))
    assert dict(frozen.also) == {"calling": 100, "unread": 150}
