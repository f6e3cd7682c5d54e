"""Did it help? States of retried tasks, from records and the log, over an engine of a few tasks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from retriage.console.batches.launched_tasks import launched_tasks_of
from retriage.console.batches.outcome import Outcome, SeenBefore
from retriage.console.batches.outcome_counts import OutcomeCounts
from retriage.console.batches.task_state import failure_of
from retriage.console.engine.errors import LoginRefused, NotThere, Refused, Slow
from retriage.console.reading.task_history import PAGE, TaskLog
from retriage.store.contract.history import (
    HistoricActivityInstance,
    HistoricExternalTaskLog,
)
from retriage.store.contract.records import ExternalTask
from tests.console import logs
from tests.console.ledgers import Ledger
from tests.console.task_shop import AFTER, BEFORE, SINCE, TaskShop


class Shop(TaskShop):
    """With an outcome of all of them."""

    def outcome(self, given: int = 1, had: int | None = 0) -> Outcome:
        return Outcome([(id, had) for id in self.tasks], given, SINCE)

    async def look(self, outcome: Outcome, all_set: bool = False, quiet: bool = False) -> OutcomeCounts:
        return await outcome.look(self, all_set, quiet)


def before_of(one: ExternalTask) -> SeenBefore:
    return SeenBefore(
        failure_of(one.error_message),
        one.error_message or "",
        one.retries,
        one.lock_expiration_time,
        one.activity_instance_id,
    )


def counts(tally: OutcomeCounts) -> dict[str, int]:
    return {str(state): number for state, number in tally.counts.items()}


async def test_before_anything_is_set_every_task_is_unset() -> None:
    shop = Shop()
    outcome = shop.outcome()
    assert outcome.tally.of("unknown") == 4
    assert counts(await shop.look(outcome)) == {"unset": 4}
    assert outcome.tally.set == 0


async def test_set_tasks_wait_are_taken_and_are_completed() -> None:
    shop = Shop()
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.set_all(1)
    shop.change(1, lock_expiration_time=datetime.now(UTC) + timedelta(minutes=5))
    shop.change(2, suspended=True)
    shop.end(3)
    tally = await shop.look(outcome)
    assert counts(tally) == {"waiting": 2, "locked": 1, "done": 1}
    assert (tally.suspended, tally.set, tally.settled) == ({"waiting": 1}, 4, False)


async def test_an_expired_lock_is_no_lock() -> None:
    shop = Shop(1)
    shop.set_all(1)
    shop.change(0, lock_expiration_time=datetime.now(UTC) - timedelta(minutes=5))
    assert counts(await shop.look(shop.outcome())) == {"waiting": 1}


async def test_locks_go_by_the_clock_of_the_engine() -> None:
    shop = Shop(2)
    shop.set_all(1)
    shop.clock_skew = timedelta(minutes=-10)
    shop.change(0, lock_expiration_time=shop.engine_now() + timedelta(minutes=5))
    shop.change(1, lock_expiration_time=shop.engine_now() - timedelta(minutes=5))
    assert counts(await shop.look(shop.outcome())) == {"locked": 1, "waiting": 1}


async def test_a_cancelled_task_is_gone_and_not_done() -> None:
    shop = Shop(2)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end(0, "deletion")
    shop.end(1, at=BEFORE)
    tally = await shop.look(outcome)
    assert counts(tally) == {"gone": 2}
    assert tally.settled


async def test_without_a_log_that_may_be_read_what_went_is_not_kept() -> None:
    shop = Shop(3, "none")
    shop.problem = NotThere("no such endpoint", 404, "NotFoundException")
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end(0)
    tally = await shop.look(outcome)
    assert counts(tally) == {"unkept": 1, "unset": 2}
    asked = len(shop.log_questions), shop.activity_questions
    shop.end(1)
    assert counts(await shop.look(outcome)) == {"unkept": 2, "unset": 1}
    assert (len(shop.log_questions), shop.activity_questions) == asked, "an engine without a history is asked once"


async def test_a_failure_in_a_process_whose_history_may_not_be_read_is_not_said_to_be_a_change_by_somebody() -> None:
    shop = Shop(3)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.set_all(1)
    await shop.look(outcome)
    for index in range(3):
        shop.fail(index, "card expired")
    shop.entries = [one for one in shop.entries if one.external_task_id != "t00002"]
    assert counts(await shop.look(outcome, all_set=True, quiet=True)) == {"again": 3}


async def test_a_task_of_a_process_whose_history_may_not_be_read_is_not_said_to_be_cancelled() -> None:
    shop = Shop(3)
    outcome = shop.outcome()
    await shop.look(outcome)
    for index in range(3):
        shop.end(index)
    shop.entries = [one for one in shop.entries if one.external_task_id != "t00002"]
    shop.activities.pop("ai2")
    assert counts(await shop.look(outcome)) == {"done": 2, "unkept": 1}


@pytest.mark.parametrize("number", [2, 60])
async def test_below_full_activity_instances_tell_completed_from_cancelled(number: int) -> None:
    shop = Shop(2 * number, "audit")
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.set_all(1)
    for index in range(number):
        shop.end(index)
        shop.end(number + index, "deletion")
    assert counts(await shop.look(outcome)) == {"done": number, "gone": number}
    assert shop.activity_questions <= 5


async def test_below_full_an_activity_instance_that_has_not_ended_is_asked_for_again() -> None:
    shop = Shop(1, "audit")
    outcome = shop.outcome()
    await shop.look(outcome)
    one = shop.tasks.pop("t00000")
    assert counts(await shop.look(outcome)) == {"unset": 1}
    shop.activities["ai0"] = HistoricActivityInstance(id=one.activity_instance_id, end_time=AFTER, canceled=False)
    assert counts(await shop.look(outcome)) == {"done": 1}


async def test_at_level_none_what_went_is_gone_and_how_is_not_kept() -> None:
    shop = Shop(3, "none")
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.set_all(1)
    shop.end(0)
    shop.end(1, "deletion")
    tally = await shop.look(outcome)
    assert counts(tally) == {"unkept": 2, "waiting": 1}
    assert tally.through == 2


@pytest.mark.parametrize(("level", "state"), [("audit", "done"), ("none", "unkept")])
async def test_a_task_that_was_gone_at_the_first_look_is_known_by_what_was_read_before(level: str, state: str) -> None:
    shop = Shop(1, level)
    outcome = shop.outcome()
    outcome.known_before("t00000", before_of(shop.tasks["t00000"]))
    shop.end(0)
    assert counts(await shop.look(outcome)) == {state: 1}


@pytest.mark.parametrize("level", ["full", "audit", "none"])
async def test_retries_that_somebody_set_are_changed_and_no_failure(level: str) -> None:
    shop = Shop(4, level)
    outcome = shop.outcome(3)
    for id in shop.tasks:
        outcome.known_before(id, before_of(shop.tasks[id]))
    await shop.look(outcome)
    shop.set_all(3)
    await shop.look(outcome)
    shop.set_by_hand(0, 0)
    shop.set_by_hand(1, 1)
    shop.set_by_hand(2, 7)
    shop.fail(3, "HTTP 503")
    assert counts(await shop.look(outcome)) == {"changed": 3, "again": 1}
    assert outcome.tally.new == 0


@pytest.mark.parametrize("level", ["full", "audit", "none"])
async def test_a_locked_task_whose_retries_somebody_set_to_0_has_not_failed(level: str) -> None:
    shop = Shop(1, level)
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_all(3)
    shop.change(0, lock_expiration_time=AFTER + timedelta(seconds=61, milliseconds=437), worker_id="w1")
    shop.set_by_hand(0, 0)
    assert counts(await shop.look(outcome, all_set=True)) == {"changed": 1}


async def test_while_a_batch_sets_tasks_another_value_is_not_changed_yet() -> None:
    shop = Shop(1)
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_by_hand(0, 5)
    assert counts(await shop.look(outcome)) == {"unset": 1}
    assert counts(await shop.look(outcome, quiet=True)) == {"changed": 1}


async def test_what_was_changed_and_fails_afterwards_has_failed_again() -> None:
    shop = Shop(1)
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_all(3)
    await shop.look(outcome)
    shop.set_by_hand(0, 1)
    assert counts(await shop.look(outcome)) == {"changed": 1}
    shop.fail(0, "HTTP 503")
    assert counts(await shop.look(outcome)) == {"again": 1}


async def test_a_retry_time_from_before_the_launch_is_no_lock() -> None:
    shop = Shop(2)
    now = datetime.now(UTC)
    for index in range(2):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=3600)
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_all(3)
    shop.change(1, lock_expiration_time=now + timedelta(seconds=60, milliseconds=271))
    assert counts(await shop.look(outcome)) == {"delayed": 1, "locked": 1}
    assert outcome.tally.open == 2


async def test_a_retry_time_that_was_first_seen_when_the_task_was_set_shows_by_the_log() -> None:
    shop = Shop(3)
    for index in range(3):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=3600)
    shop.set_all(3)
    shop.change(1, worker_id="w2")
    shop.change(2, lock_expiration_time=BEFORE + timedelta(seconds=3600, milliseconds=271))
    outcome = shop.outcome(3)
    assert counts(await shop.look(outcome)) == {"delayed": 1, "locked": 2}
    asked = len(shop.log_questions)
    assert counts(await shop.look(outcome)) == {"delayed": 1, "locked": 2}
    assert len(shop.log_questions) == asked, "what the log told is remembered"


@pytest.mark.parametrize("level", ["audit", "none"])
async def test_a_retry_time_that_was_written_down_before_the_launch_is_no_lock_without_a_log(level: str) -> None:
    shop = Shop(2, level)
    for index in range(2):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=3600)
    outcome = shop.outcome(3)
    for id, one in shop.tasks.items():
        outcome.known_before(id, before_of(one))
    shop.set_all(3)
    shop.change(1, lock_expiration_time=datetime.now(UTC) + timedelta(seconds=60, milliseconds=271))
    assert counts(await shop.look(outcome)) == {"delayed": 1, "locked": 1}


@pytest.mark.parametrize("seconds", [0, 1800])
async def test_a_failure_on_a_busy_engine_shows_although_its_incident_opens_later(seconds: float) -> None:
    shop = Shop(1, "none")
    outcome = shop.outcome(1)
    outcome.known_before("t00000", before_of(shop.tasks["t00000"]))
    shop.set_all(1)
    await shop.look(outcome)
    shop.fail(0, "HTTP 503", timeout=seconds)
    shop.open_incidents.clear()
    shop.open_incident(shop.tasks["t00000"], AFTER + timedelta(milliseconds=70))
    assert counts(await shop.look(outcome, all_set=True)) == {"again": 1}


async def test_fewer_retries_than_were_set_is_a_failure() -> None:
    shop = Shop(2)
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_all(3)
    await shop.look(outcome)
    shop.fail(0, "HTTP 503", retries=2)
    shop.fail(1, "HTTP 503", retries=0)
    assert counts(await shop.look(outcome)) == {"again": 2}


async def test_retries_that_an_undo_set_back_are_no_failure() -> None:
    shop = Shop(3)
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_all(3)
    await shop.look(outcome)
    outcome.setting_back(["t00000", "t00001"])
    assert counts(await shop.look(outcome)) == {"waiting": 3}, "the undo has not come to them yet"
    shop.change(0, retries=0)
    shop.fail(1, "card 7 expired", retries=0)
    shop.fail(2, "HTTP 503", retries=0)
    assert counts(await shop.look(outcome)) == {"undone": 1, "again": 2}
    later = shop.outcome(3)
    later.setting_back(["t00000"])
    assert (await shop.look(later, all_set=True)).of("undone") == 1


async def test_another_message_is_a_failure_whatever_the_retries_are() -> None:
    shop = Shop(1)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.fail(0, "card 7 expired", retries=1)
    assert counts(await shop.look(outcome)) == {"again": 1}


async def test_failed_again_with_the_same_words_shows_when_every_job_is_done() -> None:
    shop = Shop(2)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.fail(0, "HTTP 503")
    assert counts(await shop.look(outcome)) == {"again": 1, "unset": 1}
    assert counts(await shop.look(outcome, all_set=True, quiet=True)) == {"again": 1, "changed": 1}


async def test_when_failed_jobs_are_left_the_log_tells_unset_from_failed_again() -> None:
    shop = Shop(3)
    outcome = shop.outcome()
    shop.fail(0, "HTTP 503", at=BEFORE)
    shop.fail(1, "HTTP 503", at=AFTER)
    await shop.look(outcome)
    assert counts(await shop.look(outcome, quiet=True)) == {"again": 1, "unset": 2}
    asked = len(shop.log_questions)
    assert counts(await shop.look(outcome, quiet=True)) == {"again": 1, "unset": 2}
    assert len(shop.log_questions) == asked, "what the log told is remembered"


async def test_a_cause_nobody_had_before_is_new() -> None:
    shop = Shop(4)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.set_all(1)
    shop.fail(0, "HTTP 503")
    shop.fail(1, "card 71 expired")
    shop.fail(2, "card 8 expired")
    tally = await shop.look(outcome, all_set=True)
    assert (tally.of("again"), tally.new, tally.new_causes) == (3, 2, ("card <*> expired",))
    shown = {seen.id: seen.new for seen in outcome.tasks(["again"])}
    assert shown == {"t00000": False, "t00001": True, "t00002": True}


async def test_a_cause_that_the_log_knows_from_before_is_not_new() -> None:
    shop = Shop(2)
    shop.entries.append(logs.task_entry(shop.tasks["t00001"], "failure", BEFORE, message="card 5 expired"))
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.fail(0, "card 71 expired")
    shop.fail(1, "card 8 expired")
    tally = await shop.look(outcome, all_set=True)
    assert (tally.of("again"), tally.new) == (2, 0)


async def test_what_was_gone_before_it_was_seen_is_looked_for_in_the_newest_entries() -> None:
    shop = Shop(3)
    outcome = shop.outcome()
    shop.end(0)
    shop.end(1, at=BEFORE)
    assert counts(await shop.look(outcome)) == {"done": 1, "gone": 1, "unset": 1}


async def test_the_newest_entries_are_read_back_a_few_pages_at_a_time() -> None:
    shop = Shop(1)
    lost = logs.task_entry(shop.tasks["t00000"], "success", AFTER)
    newer = AFTER + timedelta(seconds=1)
    shop.entries = [lost, *(lost.model_copy(update={"id": f"x{n}", "external_task_id": f"x{n}", "timestamp": newer})
                            for n in range(PAGE * 5))]  # fmt: skip
    log = TaskLog(SINCE)
    assert await log.lately_completed(shop, {"t00000"}) == set()
    assert not log.read_back
    assert await log.lately_completed(shop, {"t00000"}) == {"t00000"}
    assert log.read_back


async def test_many_tasks_are_asked_for_in_turn() -> None:
    shop = Shop(1200)
    outcome = shop.outcome()
    assert outcome.unread
    await outcome.look(shop, False, False, slices=2)
    assert (shop.questions, outcome.tally.of("unknown")) == (2, 200)
    await outcome.look(shop, False, False, slices=2)
    assert outcome.tally.of("unset") == 1200
    assert not outcome.unread
    await outcome.look(shop, False, False, slices=8)
    assert shop.questions == 7, "no task is asked for twice in one look"


async def test_ended_tasks_are_not_asked_for_again() -> None:
    shop = Shop(2)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end(0)
    shop.end(1)
    assert (await shop.look(outcome)).settled
    asked = shop.questions
    await shop.look(outcome)
    assert shop.questions == asked


async def test_a_question_that_fails_loses_no_task() -> None:
    shop = Shop(3)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end(0)
    real, shop.external_task_log = shop.external_task_log, _slow  # type: ignore[assignment, method-assign]
    with pytest.raises(Slow):
        await shop.look(outcome)
    shop.external_task_log = real  # type: ignore[method-assign]
    assert counts(await shop.look(outcome)) == {"unset": 2, "done": 1}


async def _slow(*_: object) -> Sequence[HistoricExternalTaskLog]:
    raise Slow("The engine did not answer in time.")


@pytest.mark.parametrize(
    "problem",
    [
        Refused("A proxy answered 502.", 502),
        Refused("A page.", 404),
        LoginRefused("Who?", 401, "AuthenticationException"),
        Refused("Too many questions.", 429, "InvalidRequestException", retry_after=7.0),
        Refused("No connection to the database.", 500, "ProcessEngineException"),
    ],
    ids=lambda problem: f"{problem.status}",
)
async def test_what_may_be_answered_otherwise_next_time_does_not_make_the_log_missing(problem: Refused) -> None:
    shop = Shop(1)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end(0)
    shop.problem = problem
    with pytest.raises(Refused):
        await shop.look(outcome)
    shop.problem = None
    assert counts(await shop.look(outcome)) == {"done": 1}


async def test_rows_of_a_list_stay_where_they_are() -> None:
    shop = Shop(5)
    outcome = shop.outcome()
    await shop.look(outcome)
    before = [seen.id for seen in outcome.tasks(["unset"])]
    await shop.look(outcome)
    assert [seen.id for seen in outcome.tasks(["unset"])] == before


async def test_the_journal_tells_the_tasks_of_a_batch() -> None:
    tasks = [(f"t{number}", None if number % 2 else 0) for number in range(4100)]
    launched_tasks = await launched_tasks_of(Ledger({"b": tasks}, retries=3, reason="PSP is back"), "b", SINCE)
    assert launched_tasks.outcome is not None
    assert (launched_tasks.outcome.tally.total, launched_tasks.retries, launched_tasks.reason) == (
        4100,
        3,
        "PSP is back",
    )


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (Ledger({"other": [("t", 0)]}), "not launched from here"),
        (Ledger({"b": [("t", 0)]}, retries=0), "sets 0 retries"),
        (Ledger({"b": []}), "not written down"),
    ],
)
async def test_where_tasks_are_not_known_it_says_why(journal: Ledger, said: str) -> None:
    launched_tasks = await launched_tasks_of(journal, "b", SINCE)
    assert launched_tasks.outcome is None
    assert said in launched_tasks.why_not


@pytest.mark.parametrize("level", ["full", "audit", "none"])
async def test_retries_taken_back_before_they_were_seen_are_changed_by_the_new_incident(level: str) -> None:
    shop = Shop(4, level)
    outcome = shop.outcome()
    await shop.look(outcome)
    old = list(shop.open_incidents)
    shop.set_all(1)
    shop.set_by_hand(0, 0)
    shop.fail(1, "HTTP 503")
    shop.fail(2, "HTTP 503", timeout=1800)
    shop.change(3, retries=0)
    shop.open_incidents.append(old[3])  # its job was not carried out
    assert counts(await shop.look(outcome, quiet=True)) == {"changed": 1, "again": 2, "unset": 1}
    assert shop.incident_questions <= 4


async def test_an_incident_of_just_before_the_launch_does_not_prove_that_retries_were_set() -> None:
    shop = Shop(1, "none")
    shop.set_by_hand(0, 1, BEFORE)
    shop.fail(0, "HTTP 503", at=SINCE - timedelta(milliseconds=700), timeout=1800)
    outcome = shop.outcome()
    outcome.known_before("t00000", before_of(shop.tasks["t00000"]))
    assert counts(await shop.look(outcome, quiet=True)) == {"unset": 1}


async def test_retries_taken_back_within_a_second_and_unlocked_are_changed() -> None:
    shop = Shop(2, "none")
    for index in (0, 1):
        shop.set_by_hand(index, 1, BEFORE)
        shop.fail(index, "HTTP 503", at=SINCE - timedelta(milliseconds=700), timeout=1800)
    outcome = shop.outcome()
    for id in shop.tasks:
        outcome.known_before(id, before_of(shop.tasks[id]))
    shop.set_by_hand(0, 1)
    shop.set_by_hand(0, 0, SINCE + timedelta(milliseconds=820))
    for index in (0, 1):
        shop.change(index, lock_expiration_time=None, worker_id=None)
    assert counts(await shop.look(outcome, quiet=True)) == {"changed": 1, "unset": 1}


async def test_where_incidents_may_not_be_read_a_task_stays_unset() -> None:
    shop = Shop(1, "none")
    shop.hides_incidents = True
    outcome = shop.outcome()
    shop.set_all(1)
    shop.set_by_hand(0, 0)
    for _ in range(3):
        assert counts(await shop.look(outcome, quiet=True)) == {"unset": 1}
    assert shop.incident_questions == 1


@pytest.mark.parametrize(("level", "state"), [("full", "again"), ("audit", "waiting")])
async def test_failures_that_leave_exactly_the_given_retries_show_by_the_log(level: str, state: str) -> None:
    shop = Shop(2, level)
    outcome = shop.outcome(2)
    await shop.look(outcome)
    shop.set_all(2)
    assert counts(await shop.look(outcome)) == {"waiting": 2}
    assert not outcome.taken
    shop.fail(0, "HTTP 503", retries=2)
    tally = await shop.look(outcome)
    assert counts(tally) == ({"waiting": 2} if state == "waiting" else {"waiting": 1, "again": 1})
    assert outcome.taken, "a worker has had it"
    asked = len(shop.log_questions)
    await shop.look(outcome)
    assert len(shop.log_questions) == asked, "what the log told is remembered"


async def test_a_worker_that_locked_a_task_by_its_id_before_the_launch_holds_it_after() -> None:
    shop = Shop(2)
    for index in range(2):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=3600)
    shop.change(1, lock_expiration_time=BEFORE + timedelta(seconds=3600, milliseconds=437), worker_id="w2")
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_all(3)
    assert counts(await shop.look(outcome)) == {"delayed": 1, "locked": 1}


@pytest.mark.parametrize("level", ["full", "audit"])
async def test_a_bpmn_error_that_nothing_catches_completes_no_task(level: str) -> None:
    shop = Shop(4, level)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end_by_error(0, "flows-on")
    shop.end_by_error(1, "flows-on")
    shop.end(2)
    assert counts(await shop.look(outcome)) == {"gone": 2, "done": 1, "unset": 1}
    assert shop.files_read == (["flows-on"] if level == "audit" else []), "a file is read once"


async def test_below_full_an_activity_that_nothing_follows_is_taken_for_completed() -> None:
    shop = Shop(1, "audit")
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end_by_error(0, "last-of-all")
    assert counts(await shop.look(outcome)) == {"done": 1}
