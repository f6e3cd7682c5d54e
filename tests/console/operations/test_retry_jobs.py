"""Failed jobs retried in waves: which were set, run and failed is read from the store's file, past the console."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from retriage.console.causes.fold import fold
from retriage.console.engine.history_level import what_is_lost
from retriage.console.launch import send
from retriage.console.launch.query_check import why_query_not_heeded
from retriage.console.operations.job_work import JobWork
from retriage.console.operations.known import operation_of
from retriage.console.operations.operation import FreezeRules
from retriage.console.operations.retry_jobs import RetryJobs
from retriage.console.reading.selection import Marked
from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.gate import Gate
from retriage.console.session.connection import Connection
from retriage.store.contract.queries import JobQuery
from retriage.store.journal import Journal
from tests.console.operations.test_suspension import begun, undone
from tests.console.runs.a_run import Scene, scene
from tests.console.runs.test_two_colleagues import stay_open
from tests.store.drawings import JUDGED
from tests.support.fault_proxy import Answer, Drop

NUMBER = 12
MISSING = "Unknown property used in expression: ${ok == 1}. Cause: Cannot resolve identifier 'ok'"
FAILED, DONE, DELETED = 1, 2, 3


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 0) as one:
        one.works = False
        parts = {"deployment-name": (None, "yard"), "data": ("judged.bpmn", JUDGED)}
        assert (await one.http.post("/deployment/create", files=parts)).status_code == 200
        for _ in range(NUMBER):
            assert (await one.http.post("/process-definition/key/judged/start", json={})).status_code == 200
        await one.carry_out()
        assert set(jobs(one).values()) == {0}
        yield one


def jobs(yard: Scene) -> dict[str, int]:
    """Jobs of process instances with their retries, the oldest first."""
    rows = yard.sql("SELECT id, retries FROM job WHERE process_instance_id IS NOT NULL ORDER BY create_time, id")
    return {str(id): int(retries) for id, retries in rows}


def log_of(yard: Scene, state: int) -> Counter[str]:
    """So often each job of an instance was carried out, deleted, or has failed."""
    asked = "SELECT job_id FROM job_log WHERE state = ? AND process_instance_id IS NOT NULL"
    return Counter(str(id) for (id,) in yard.sql(asked, state))


def instance_of(yard: Scene, job: str) -> str:
    return str(yard.sql("SELECT process_instance_id FROM job WHERE id = ?", job)[0][0])


async def mend(yard: Scene, *some: str) -> None:
    """The variable that the gateway asks for is set in the instances of these jobs."""
    for job in some:
        value = {"value": 1, "type": "Integer"}
        answer = await yard.http.put(f"/process-instance/{instance_of(yard, job)}/variables/ok", json=value)
        assert answer.status_code == 204, answer.text


def all_of(yard: Scene) -> Marked:
    return Marked(frozenset(jobs(yard)))


async def run_over(yard: Scene, waves: str = "4, rest", retries: int = 1, **other: Any) -> int:
    other.setdefault("gate", Gate(0.2))
    return await begun(yard, RetryJobs(retries), waves, all_of(yard), **other)


async def test_a_wave_that_helps_lets_the_next_one_go(yard: Scene) -> None:
    everyone = list(jobs(yard))
    await mend(yard, *everyone)
    run = await run_over(yard)
    ended = await yard.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.total) == ("passed", NUMBER, NUMBER)
    assert (jobs(yard), log_of(yard, DONE)) == ({}, dict.fromkeys(everyone, 1))
    assert yard.sql("SELECT total_jobs, type FROM batch ORDER BY start_time, id") == [
        (4, "set-job-retries"), (8, "set-job-retries"),
    ]  # fmt: skip
    assert yard.remembered("SELECT operation, retries, tasks FROM launch ORDER BY id") == [
        ("retry-jobs", 1, 4), ("retry-jobs", 1, 8),
    ]  # fmt: skip


@pytest.mark.parametrize("retries", [1, 3])
async def test_jobs_that_fail_again_hold_the_gate_and_the_rest_is_not_sent(yard: Scene, retries: int) -> None:
    everyone = list(jobs(yard))
    await mend(yard, everyone[0])
    before = log_of(yard, FAILED)
    run = await run_over(yard, retries=retries)
    held = await yard.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.wave, held.counts.done, held.counts.again) == ("failed-again", 1, 1, 3)
    assert held.counts.new_cause == 0
    assert "3 of 4 decided jobs failed again (75.0%, limit 20%)" in held.said
    failed = log_of(yard, FAILED) - before
    assert failed == dict.fromkeys(everyone[1:4], retries)
    # Going on releases the wave; the rest fails too, and a run that went on in spite of that says so.
    await mend(yard, *everyone[4:])
    ended = await yard.drive(run, release=True)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.again) == ("finished", 9, 3)
    assert jobs(yard) == dict.fromkeys(everyone[1:4], 0)


async def test_a_new_run_over_the_same_jobs_begins_when_no_job_of_the_earlier_batch_is_open(yard: Scene) -> None:
    stay_open(yard)
    assert isinstance(await yard.drive(await run_over(yard, "rest")), RunHeld)
    assert set(jobs(yard).values()) == {0}
    ((earlier, closed),) = yard.sql("SELECT id, end_time FROM batch")
    assert closed is None
    everyone = list(jobs(yard))
    await mend(yard, *everyone)
    ended = await yard.drive(await run_over(yard, "rest"))
    assert isinstance(ended, RunEnded)
    assert (jobs(yard), log_of(yard, DONE)) == ({}, dict.fromkeys(everyone, 1))
    assert yard.sql("SELECT total_jobs FROM batch WHERE id != ?", earlier) == [(NUMBER,)]


async def test_one_that_fails_once_before_it_succeeds_has_failed_again(yard: Scene) -> None:
    first = next(iter(jobs(yard)))
    run = await begun(yard, RetryJobs(3), "rest", Marked(frozenset({first})))
    instance = instance_of(yard, first)

    async def turn() -> None:
        if yard.sql("SELECT 1 FROM job WHERE id = ? AND retries = 3", first):
            await yard.http.post(f"/job/{first}/execute")
            value = {"value": 1, "type": "Integer"}
            await yard.http.put(f"/process-instance/{instance}/variables/ok", json=value)
            await yard.http.post(f"/job/{first}/execute")
        elif yard.sql("SELECT 1 FROM job WHERE id = ? AND retries = 0", first):
            await only_batches(yard)

    yard.clock.turned = turn
    held = await yard.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.again, held.counts.done) == ("failed-again", 1, 0)
    assert (log_of(yard, DONE)[first], jobs(yard).get(first)) == (1, None)


async def only_batches(yard: Scene) -> None:
    """The jobs of batches are carried out, one by one, and no other."""
    for _ in range(60):
        rows = yard.sql("SELECT id FROM job WHERE batch_id IS NOT NULL AND retries > 0 ORDER BY id LIMIT 1")
        if not rows:
            break
        await yard.http.post(f"/job/{rows[0][0]}/execute")


async def test_a_new_error_is_told_apart(yard: Scene) -> None:
    everyone = list(jobs(yard))
    for job in everyone[:4]:
        value = {"value": 7, "type": "Integer"}
        await yard.http.put(f"/process-instance/{instance_of(yard, job)}/variables/ok", json=value)
    run = await run_over(yard, gate=Gate(1.0, new_cause=True))
    held = await yard.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.again, held.counts.new_cause) == ("new-cause", 4, 4)
    assert yard.sql("SELECT DISTINCT exception_message FROM job WHERE id = ?", everyone[0]) != [(MISSING,)]


async def test_what_changed_since_it_was_frozen_is_left_out(yard: Scene) -> None:
    everyone = list(jobs(yard))
    run = await run_over(yard, "rest")
    await mend(yard, *everyone)
    gone, raised, again = everyone[:3]
    await yard.http.delete(f"/job/{gone}")
    await yard.http.put(f"/job/{raised}/retries", json={"retries": 2})
    value = {"value": 7, "type": "Integer"}
    await yard.http.put(f"/process-instance/{instance_of(yard, again)}/variables/ok", json=value)
    await yard.http.put(f"/job/{again}/retries", json={"retries": 1})
    await yard.http.post(f"/job/{again}/execute")
    assert jobs(yard)[again] == 0
    ended = await yard.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.counts.done, ended.counts.total) == (NUMBER - 3, NUMBER - 3)
    left = dict(yard.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> ''"))
    assert left == {gone: "gone", raised: "raised", again: "newer-incident"}
    assert again not in {id for (id,) in yard.remembered("SELECT task_id FROM launch_task")}


async def test_the_same_error_once_more_is_a_newer_incident(yard: Scene) -> None:
    """Only the log, or the time of the incident, tells it from the old one."""
    one = next(iter(jobs(yard)))
    run = await run_over(yard, "rest")
    await yard.http.put(f"/job/{one}/retries", json={"retries": 1})
    await yard.http.post(f"/job/{one}/execute")
    await yard.drive(run)
    assert yard.remembered("SELECT task_id, left_out FROM run_task WHERE left_out <> ''") == [(one, "newer-incident")]


async def test_what_somebody_else_does_meanwhile_is_told_apart(yard: Scene) -> None:
    """One instance is cancelled, one job gets more retries, one is set to none again, before they could run."""
    everyone = list(jobs(yard))
    await mend(yard, *everyone)
    run = await run_over(yard, "rest", gate=Gate(1.0))
    cancelled, raised, lowered = everyone[:3]
    instance, first = instance_of(yard, cancelled), True

    async def turn() -> None:
        nonlocal first
        if first and yard.sql("SELECT 1 FROM batch"):
            first = False
            for id in (cancelled, raised, lowered):
                await yard.http.put(f"/job/{id}/suspended", json={"suspended": True})
            await yard.carry_out()
            assert (jobs(yard)[raised], jobs(yard)[lowered]) == (1, 1)
            await yard.http.delete(f"/process-instance/{instance}")
            await yard.http.put(f"/job/{raised}/retries", json={"retries": 5})
            await yard.http.put(f"/job/{lowered}/retries", json={"retries": 0})
        await yard.carry_out()

    yard.clock.turned = turn
    ended = await yard.drive(run)
    assert isinstance(ended, RunEnded)
    counts = ended.counts
    assert (counts.done, counts.cancelled, counts.changed, counts.open) == (NUMBER - 3, 1, 2, 0)
    assert log_of(yard, DELETED)[cancelled] == 1


async def test_open_jobs_hold_the_gate_with_what_keeps_them(yard: Scene) -> None:
    """Nobody runs jobs; then an executor holds one; then all rest with their instances."""
    everyone = list(jobs(yard))
    run = await run_over(yard, "2, rest")
    yard.clock.turned = lambda: only_batches(yard)
    held = await yard.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.waiting, held.counts.open) == ("nobody-works", 2, 2)
    assert held.said.startswith("The job executor is off, or busy elsewhere: after 20 s no job was taken.")
    yard.sql("UPDATE job SET lock_expiration_time = 4000000000000 WHERE id = ?", everyone[0])
    held = await yard.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.locked, held.counts.waiting) == ("still-locked", 1, 1)
    yard.sql("UPDATE job SET lock_expiration_time = NULL")
    for one in everyone[:2]:
        await yard.http.put(f"/job/{one}/suspended", json={"suspended": True})
    held = await yard.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.suspended) == ("instances-suspended", 2)


async def test_an_undo_takes_retries_only_from_jobs_that_have_not_run(yard: Scene) -> None:
    everyone = list(jobs(yard))
    await mend(yard, everyone[0])
    run = await run_over(yard, "rest", retries=2)
    for id in everyone[2:]:
        await yard.http.put(f"/job/{id}/suspended", json={"suspended": True})
    await yard.drive(run)
    await yard.http.put(f"/job/{everyone[2]}/retries", json={"retries": 4})
    yard.sql("UPDATE job SET lock_expiration_time = 4000000000000 WHERE id = ?", everyone[3])
    assert list(jobs(yard).values()) == [0, 4, *[2] * (NUMBER - 3)]
    undo, sent = await undone(yard, run)
    assert (undo.count, dict(undo.left_alone)) == (NUMBER - 4, {"gone": 1, "again": 1, "changed": 1, "locked": 1})
    assert undo.sentences()[0] == f"{NUMBER - 4} jobs get back 0 retries."
    assert any("the job executor leaves them alone" in one for one in undo.sentences())
    assert len(sent) == 1
    assert list(jobs(yard).values()) == [0, 4, 2, *[0] * (NUMBER - 4)]
    again, _ = await undone(yard, run)
    assert (again.count, again.left_alone["undone"]) == (0, NUMBER - 4)


async def test_an_undo_of_half_a_batch_takes_back_what_its_jobs_had_set(yard: Scene) -> None:
    """The batch is deleted after three of its jobs; the incidents that those closed prove which they are."""
    everyone = list(jobs(yard))
    for id in everyone:
        await yard.http.put(f"/job/{id}/suspended", json={"suspended": True})
    run = await run_over(yard, "rest")

    async def turn() -> None:
        for (batch,) in yard.sql("SELECT id FROM batch WHERE end_time IS NULL"):
            of_batch = "SELECT id FROM job WHERE batch_id = ? AND job_type = ? ORDER BY id LIMIT 3"
            for kind in ("batch-seed-job", "set-job-retries"):
                for (job,) in yard.sql(of_batch, batch, kind):
                    assert (await yard.http.post(f"/job/{job}/execute")).status_code == 204
            await yard.http.delete(f"/batch/{batch}")

    yard.clock.turned = turn
    held = await yard.drive(run)
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.waiting, held.counts.not_set) == ("batch-deleted", 3, NUMBER - 3)
    undo, _ = await undone(yard, run)
    assert (undo.count, dict(undo.left_alone)) == (3, {"before": NUMBER - 3})


async def test_a_run_over_jobs_is_handed_over(yard: Scene, tmp_path: Path) -> None:
    run = await run_over(yard, retries=2)
    other = await Journal.open(tmp_path / "other.db")
    taken = await other.runs.take_over([line async for line in yard.journal.runs.lines_of(run, "e")])
    found = await other.runs.run(taken)
    await other.close()
    assert found is not None
    assert (operation_of(found), found.listed) == (RetryJobs(2), NUMBER)


async def test_an_engine_that_lists_jobs_with_retries_is_not_believed(yard: Scene) -> None:
    session, query = yard.console(), JobQuery(no_retries_left=True)
    assert await why_query_not_heeded(session, "jobs", query) == ""
    await yard.http.put(f"/job/{next(iter(jobs(yard)))}/retries", json={"retries": 2})
    page = (await yard.http.post("/job", json={})).content
    yard.faults.play(Answer(200, page, "application/json"), r"POST /engine-rest/job\?")
    assert "does not match noRetriesLeft" in await why_query_not_heeded(session, "jobs", query)


async def test_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(
    yard: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody logged in: what proves whose the batch is are its jobs, which have retries, or have failed since."""

    async def pause(seconds: float) -> None:
        await yard.carry_out()

    monkeypatch.setattr(send, "asyncio", SimpleNamespace(sleep=pause))
    yard.faults.play(Drop(passed_on=True), on="^POST .*/job/retries")
    run = await run_over(yard, "rest", gate=Gate(1.0))
    ended = await yard.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.again) == ("passed", NUMBER)
    assert yard.sql("SELECT total_jobs FROM batch") == [(NUMBER,)]
    assert yard.remembered("SELECT state, probable FROM launch") == [("launched", 0)]


@pytest.mark.parametrize("which", [1, 2, 3])
async def test_one_empty_answer_makes_no_job_gone(yard: Scene, which: int) -> None:
    """The first list of jobs, and of the log, that the run reads is empty."""
    await mend(yard, *jobs(yard))
    path = r"POST /engine-rest/history/job-log\?" if which == 3 else r"POST /engine-rest/job\?"
    run = await run_over(yard, "rest")
    yard.faults.play(Answer(200, b"[]", "application/json"), path, times=1)
    if which == 2:
        yard.faults.play(Drop(), path, times=1)
    ended = await yard.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.total) == ("passed", NUMBER, NUMBER)


class Killed(BaseException):
    """The console is gone in the midst of a request: it never heard of the answer."""


class Mortal(httpx.AsyncBaseTransport):
    """Passes requests on. Nobody hears the answer to the nth request to ``path``, or to any later one."""

    def __init__(self, inner: httpx.AsyncBaseTransport, path: str, nth: int) -> None:
        self._inner, self._path, self._left = inner, path, nth

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        self._left -= request.url.path.endswith(self._path)
        if self._left <= 0:
            raise Killed
        return answer


@pytest.mark.parametrize(
    ("path", "nth"),
    [
        ("/engine-rest/job", 1),  # they are looked at again
        ("/batch", 1),  # is somebody else at it
        ("/job/retries", 1),
        ("/batch/statistics", 3),
        ("/engine-rest/job", 2),  # the first look
        ("/history/job-log", 2),
        ("/history/job-log", 3),
        ("/job/retries", 2),
        ("/history/job-log", 5),
    ],
)
async def test_a_console_that_is_killed_between_two_steps_neither_doubles_nor_forgets(
    yard: Scene, path: str, nth: int
) -> None:
    everyone = list(jobs(yard))
    await mend(yard, *everyone)
    run = await run_over(yard)
    living, yard.transport = yard.transport, Mortal(yard.transport, path, nth)  # type: ignore[assignment]
    with pytest.raises(Killed):
        await yard.drive(run)
    yard.transport = living
    yard.forget_driver(run)
    ended = await yard.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.done, ended.counts.total) == ("passed", NUMBER, NUMBER)
    assert (jobs(yard), log_of(yard, DONE)) == ({}, dict.fromkeys(everyone, 1))
    assert yard.sql("SELECT sum(total_jobs), count(*) FROM batch") == [(NUMBER, 2)]


async def test_without_a_log_jobs_are_judged_by_what_is_there(yard: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome of those that are gone is not kept; a newer incident shows those that have failed again."""
    monkeypatch.setattr(Connection, "job_history", "unreadable")
    yard.faults.play(Answer(200, b"[]", "application/json"), r"POST /engine-rest/history/job-log\?")
    everyone = list(jobs(yard))
    await mend(yard, *everyone[1:])
    run = await run_over(yard, "4, rest", gate=Gate(0.25))
    ended = await yard.drive(run)
    assert isinstance(ended, RunEnded)
    assert (ended.state, ended.counts.unknown, ended.counts.again) == ("passed", NUMBER - 1, 1)
    assert jobs(yard) == {everyone[0]: 0}


@pytest.mark.parametrize("undone", [False, True])
async def test_without_a_log_what_an_undo_took_back_has_not_failed_again(yard: Scene, undone: bool) -> None:
    """Its new incident is that of the undo."""
    yard.faults.play(Answer(200, b"[]", "application/json"), r"POST /engine-rest/history/job-log\?")
    one = next(iter(jobs(yard)))
    client = await yard.console().connection.opened()
    work = JobWork(RetryJobs(1), client.engine_now())
    for retries in (1, 0):
        await yard.http.put(f"/job/{one}/retries", json={"retries": retries})
    work.add([(0, one, 0)])
    work.setting_back([one] if undone else [])
    counts = await work.look(client)
    assert (counts.again, counts.changed) == ((0, 1) if undone else (1, 0))


async def test_with_no_word_about_the_history_a_gone_job_is_not_taken_for_done(yard: Scene) -> None:
    yard.faults.play(Answer(200, b"[]", "application/json"), r"POST /engine-rest/history/job-log\?")
    await mend(yard, *jobs(yard))
    held = await yard.drive(await run_over(yard))
    assert isinstance(held, RunHeld)
    assert (held.cause, held.counts.untold, held.counts.done) == ("undecided", 4, 0)
    assert "Nothing shows how 4 jobs ended." in held.said


async def test_what_is_lost_is_said_of_jobs(yard: Scene) -> None:
    connection = yard.console().connection
    await connection.learn_rights()
    assert (connection.history_level, connection.job_history) == ("full", "kept")
    assert what_is_lost("full", unit="job") == ""
    assert "how a job ended" in what_is_lost("activity or audit", unit="job")
    assert "only the jobs that are still there" in what_is_lost("none", unit="job")


async def test_only_jobs_without_retries_are_frozen_the_oldest_first(yard: Scene) -> None:
    everyone = list(jobs(yard))
    await yard.http.put(f"/job/{everyone[3]}/retries", json={"retries": 2})
    client = await yard.console().connection.opened()
    chosen = Marked(frozenset({*everyone, "no-such-job"}))
    frozen = await RetryJobs(1).freeze(client, chosen, client.engine_now())
    assert [one.task_id for one in frozen.tasks] == everyone[:3] + everyone[4:]
    assert dict(frozen.left_out) == {"gone": 1, "retries-left": 1}
    assert frozen.causes == {("judged", fold(MISSING)): NUMBER - 1}
    few = await RetryJobs(1).freeze(client, chosen, client.engine_now(), FreezeRules(limit=2))
    assert [one.task_id for one in few.tasks] == everyone[:2]


async def test_its_words_and_its_arguments_come_back_from_the_journal(yard: Scene) -> None:
    run = await run_over(yard, "rest", retries=2)
    found = await yard.journal.runs.run(run)
    assert found is not None
    assert operation_of(found) == RetryJobs(2)
    assert RetryJobs(2).request(["a"]).value == {"jobIds": ["a"], "retries": 2}
    await yard.drive(run)
    assert text_of(yard.told[0]).startswith("wave 1  ")
