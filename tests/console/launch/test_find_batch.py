"""Which batch is that of a launch that was not answered: probably, certainly, or none, and what proves it."""

from typing import Any

import pytest

from retriage.console.engine.errors import Refused
from retriage.console.launch.find_batch import Finding, look_for
from tests.console.lost_launches import NAMES, SENT, LostLaunchEngine, seconds, sought

QUERY = {"exact": False, "tasks": 100}
LATER = SENT + seconds(601)


async def found(engine: LostLaunchEngine, known: tuple[str, ...] = (), **launch: Any) -> Finding:
    return await look_for(engine, sought(**launch), known)  # type: ignore[arg-type]


def told(finding: Finding) -> tuple[str | None, bool]:
    return finding.batch.id if finding.batch is not None else None, finding.certain


# -- which one can be meant


async def test_the_only_batch_with_the_right_number_of_jobs_is_probably_it() -> None:
    engine = LostLaunchEngine()
    engine.run("older", after=-60)
    engine.run("other", 9)
    engine.run("mine", after=2)
    assert told(await found(engine)) == ("mine", False)


async def test_a_batch_that_has_ended_meanwhile_is_found_in_history() -> None:
    engine = LostLaunchEngine()
    engine.end("mine")
    engine.retries.clear()  # they are done
    finding = await found(engine)
    assert told(finding) == ("mine", False)
    assert finding.batch is not None
    assert (finding.batch.completed_jobs, finding.batch.remaining_jobs) == (3, 0)


async def test_an_engine_before_7_20_tells_the_start_in_history_only() -> None:
    engine = LostLaunchEngine(sorts=False)
    engine.run("mine")
    engine.run("older", after=-60)
    assert told(await found(engine)) == ("mine", False)


async def test_of_named_tasks_a_batch_with_another_number_of_jobs_is_none_of_theirs() -> None:
    engine = LostLaunchEngine()
    engine.run("other", 4)
    finding = await found(engine)
    assert (finding.batch, finding.perhaps) == (None, ())


async def test_a_query_may_match_a_few_more_so_one_with_another_number_may_be_it_the_likeliest_first() -> None:
    engine = LostLaunchEngine()
    for id, jobs in (("far", 7), ("near", 98), ("nearest", 101)):
        engine.run(id, jobs)
    finding = await found(engine, **QUERY)
    assert finding.batch is None
    assert [batch.id for batch in finding.perhaps] == ["nearest", "near", "far"]
    engine.run("counted", 100)
    assert told(await found(engine, **QUERY)) == ("counted", False)


async def test_jobs_of_several_tasks_are_reckoned() -> None:
    engine = LostLaunchEngine()
    engine.run("mine", 10, invocations_per_batch_job=10)
    engine.run("other", 100, invocations_per_batch_job=10)
    assert told(await found(engine, exact=False, tasks=95)) == ("mine", False)


async def test_of_two_with_the_right_number_none_is_it() -> None:
    engine = LostLaunchEngine()
    engine.run("one")
    engine.run("two", after=2)
    finding = await found(engine)
    assert finding.batch is None
    assert {batch.id for batch in finding.perhaps} == {"one", "two"}


async def test_what_another_launch_made_is_not_it() -> None:
    engine = LostLaunchEngine()
    engine.run("one")
    engine.run("two", after=2)
    assert told(await found(engine, ("one",))) == ("two", False)


@pytest.mark.parametrize(("after", "there"), [(-5, False), (-0.9, True), (599, True), (3600, False)])
async def test_it_began_when_the_launch_was_sent_or_in_the_ten_minutes_after(after: float, there: bool) -> None:
    engine = LostLaunchEngine()
    engine.run("mine", after=after)
    assert ((await found(engine)).batch is not None) is there


@pytest.mark.parametrize("hours", [-2, 2])
async def test_a_clock_that_nothing_bounds_hides_no_batch_that_was_not_there_before(hours: int) -> None:
    """A proxy dates the answers: by the engine's own records the batch began hours before it was sent, or after."""
    engine = LostLaunchEngine(LATER)
    engine.end("his", after=hours * 3600 - 9.877)
    engine.run("mine", after=hours * 3600)
    before = SENT + seconds(hours * 3600 - 9.877)
    assert told(await found(engine, newest_before=before)) == ("mine", False)
    engine.running.clear()
    engine.end("mine", after=hours * 3600)
    engine.retries[NAMES[1]] = 3
    assert told(await found(engine, newest_before=before)) == ("mine", True)
    engine.ended.pop()
    finding = await found(engine, newest_before=before)
    assert (finding.batch, finding.perhaps, finding.absent[:40]) == (
        None, (), "no such batch has begun since it was sen"
    )  # fmt: skip


async def test_a_batch_of_the_second_in_which_the_newest_one_began_may_be_its_own() -> None:
    engine = LostLaunchEngine(LATER)
    engine.run("mine", after=-3600)
    assert told(await found(engine, newest_before=SENT - seconds(3600))) == ("mine", False)


async def test_a_batch_of_another_type_is_not_it() -> None:
    engine = LostLaunchEngine()
    engine.run("jobs", type="set-job-retries")
    assert (await found(engine)).batch is None


# -- what proves it


async def test_a_user_proves_it() -> None:
    engine = LostLaunchEngine()
    engine.run("his", create_user_id="bob")
    engine.run("mine", after=2, done=3, create_user_id="Ann")
    engine.retries.clear()  # they are done
    assert told(await found(engine, user="ann")) == ("mine", True)


@pytest.mark.parametrize("done", [0, 1])
async def test_a_shared_account_proves_nothing_while_no_task_has_changed(done: int) -> None:
    engine = LostLaunchEngine()
    engine.run("perhaps a colleague's", done=done, create_user_id="ops")
    assert told(await found(engine, user="ops")) == ("perhaps a colleague's", False)
    engine.retries[NAMES[1]] = 3
    engine.running.clear()
    engine.run("mine", done=1, create_user_id="ops")
    assert told(await found(engine, user="ops")) == ("mine", True)


async def test_a_user_alone_proves_nothing_where_the_number_is_another() -> None:
    engine = LostLaunchEngine()
    engine.run("mine", 98, create_user_id="ann")
    finding = await found(engine, user="ann", **QUERY)
    assert (finding.batch, [batch.id for batch in finding.perhaps]) == (None, ["mine"])


async def test_its_effect_proves_it() -> None:
    engine = LostLaunchEngine()
    engine.run("mine", done=1)
    assert told(await found(engine)) == ("mine", False), "nothing has changed yet"
    engine.retries[NAMES[1]] = 3
    assert told(await found(engine)) == ("mine", True)


async def test_a_batch_that_has_done_nothing_yet_has_no_effect() -> None:
    engine = LostLaunchEngine()
    engine.run("mine", done=0)
    engine.retries[NAMES[1]] = 3
    assert told(await found(engine)) == ("mine", False)


async def test_another_number_of_retries_is_somebody_else_s_batch() -> None:
    engine = LostLaunchEngine()
    engine.run("his", done=3)
    engine.retries = dict.fromkeys(NAMES, 1)
    finding = await found(engine)
    assert (finding.batch, finding.perhaps) == (None, ())
    assert (await found(engine, batch_id="his")).disproved


async def test_a_batch_that_is_through_while_all_tasks_are_as_they_were_is_somebody_else_s() -> None:
    engine = LostLaunchEngine()
    engine.run("his", done=2)
    assert told(await found(engine)) == ("his", False), "its last job may have one of them"
    engine.running.clear()
    engine.run("his", done=3)
    finding = await found(engine)
    assert (finding.batch, finding.perhaps) == (None, ())
    assert (await found(engine, batch_id="his")).disproved


async def test_tasks_without_retries_that_fail_once_more_had_been_given_some() -> None:
    engine = LostLaunchEngine()
    engine.run("mine", done=3)
    for index in range(3):
        engine.fail(index, 0)
    assert told(await found(engine)) == ("mine", True)


async def test_a_worker_that_has_failed_since_is_no_evidence_against_it() -> None:
    engine = LostLaunchEngine()
    engine.run("mine", done=3)
    for index in range(3):
        engine.fail(index, 2)
    assert told(await found(engine)) == ("mine", False)


async def test_without_a_log_a_third_number_proves_nothing() -> None:
    engine = LostLaunchEngine()
    engine.log = False
    engine.run("mine", done=3)
    engine.retries = dict.fromkeys(NAMES, 2)
    assert told(await found(engine)) == ("mine", False)


async def test_a_task_that_never_failed_may_have_the_number_from_its_worker() -> None:
    engine = LostLaunchEngine()
    engine.run("mine", done=3)
    engine.fail(0, 3)
    del engine.retries[NAMES[1]], engine.retries[NAMES[2]]
    assert told(await found(engine, sample=((NAMES[0], None),))) == ("mine", False)


async def test_the_operation_log_tells_of_another_number() -> None:
    engine = LostLaunchEngine()
    engine.run("his", create_user_id="ops")
    engine.order("ops", 1)
    assert (await found(engine, user="ops")).batch is None, "a shared account, and another number"
    engine.run("mine", after=8, done=1, create_user_id="ops")
    engine.retries[NAMES[1]] = 3
    engine.order("ops", 3, after=8)
    assert told(await found(engine, user="ops")) == ("mine", True)


async def test_with_two_that_can_be_meant_the_effect_tells_neither() -> None:
    engine = LostLaunchEngine()
    engine.run("one", done=3)
    engine.run("two", after=2, done=3)
    engine.retries = dict.fromkeys(NAMES, 3)
    finding = await found(engine)
    assert (finding.batch, len(finding.perhaps)) == (None, 2)


# -- what proves that there is none


async def test_one_look_that_finds_nothing_proves_nothing() -> None:
    finding = await found(LostLaunchEngine())
    assert finding == Finding(SENT + seconds(4))


async def test_a_look_over_the_whole_time_that_finds_nothing_proves_that_there_is_none() -> None:
    engine = LostLaunchEngine(LATER)
    engine.run("later", after=700)
    finding = await found(engine)
    assert (
        finding.absent == "no such batch began between 02:10:01Z and 02:20:03Z, running or ended (looked at 02:20:04Z)"
    )
    assert "tasks" not in engine.asked


async def test_the_whole_time_is_read_however_many_batches_there_are() -> None:
    engine = LostLaunchEngine(LATER)
    engine.end("mine", after=1)
    engine.retries.clear()  # they are done
    for number in range(180):
        engine.end(f"small {number}", 1, after=2 + number)
    assert told(await found(engine)) == ("mine", False)


async def test_a_batch_that_seems_to_be_older_disproves_nothing_where_a_proxy_tells_its_own_time() -> None:
    engine = LostLaunchEngine(LATER)
    engine.end("behind", after=-8)
    engine.retries = {}
    finding = await found(engine)
    assert (finding.absent, finding.batch, finding.over) == ("", None, True)
    assert [batch.id for batch in finding.perhaps] == ["behind"]
    engine.retries = dict.fromkeys(NAMES, 3)
    assert told(await found(engine)) == ("behind", True)
    engine.retries = dict.fromkeys(NAMES, 0)
    assert "no such batch began" in (await found(engine)).absent, "it has worked, and the tasks are as they were"
    assert (await found(engine, ("behind",))).absent, "it is that of another launch"


@pytest.mark.parametrize("question", ["batches", "historic_batches", "count_historic_batches", "user_operations"])
@pytest.mark.parametrize("status", [401, 500, 503])
async def test_an_engine_that_fails_for_a_while_has_not_been_looked_at(question: str, status: int) -> None:
    engine = LostLaunchEngine(LATER)
    if question == "user_operations":
        engine.run("mine")

    async def failing(*_: Any) -> Any:
        raise Refused("The database is not there.", status, "ProcessEngineException")

    if question == "count_historic_batches":
        engine.history = False
    setattr(engine, question, failing)
    with pytest.raises(Refused):
        await found(engine)


async def test_where_no_ended_batches_are_kept_unchanged_tasks_prove_it() -> None:
    engine = LostLaunchEngine(LATER, history=False)
    assert "3 tasks of it still unchanged at 02:20:04Z" in (await found(engine)).absent
    engine.retries[NAMES[0]] = 3
    finding = await found(engine)
    assert (finding.absent, finding.effect, finding.over) == ("", True, True)


async def test_where_no_ended_batches_are_kept_and_no_task_is_left_nothing_can_be_known() -> None:
    engine = LostLaunchEngine(LATER, history=False)
    engine.retries = {}
    finding = await found(engine)
    assert (finding.absent, finding.effect, finding.over) == ("", False, True)


async def test_somebody_who_is_shown_no_batch_at_all_knows_nothing_of_them() -> None:
    engine = LostLaunchEngine(LATER, history=False)
    finding = await found(engine, user="ann")
    assert (finding.absent, finding.over) == ("", True)
    engine.run("somebody's", 9)
    assert (await found(engine, user="ann")).absent


async def test_a_batch_that_is_gone_where_none_are_kept_is_proven_by_its_effect() -> None:
    engine = LostLaunchEngine(history=False)
    finding = await found(engine, batch_id="mine")
    assert (finding.effect, finding.disproved) == (False, False)
    engine.retries = dict.fromkeys(NAMES, 3)
    assert (await found(engine, batch_id="mine")).effect
