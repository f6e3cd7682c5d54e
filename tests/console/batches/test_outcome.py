"""Did it help? States of retried tasks, from records and the log, over an engine of a few tasks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.batches.launched_tasks import launched_tasks_of
from console.batches.outcome import Outcome
from console.batches.outcome_counts import OutcomeCounts
from console.engine.errors import LoginRefused, NotThere, Refused, Slow
from console.reading.task_history import PAGE, TaskLog
from store.contract.history import HistoricExternalTaskLog, HistoricExternalTaskLogQuery
from store.contract.queries import ExternalTaskQuery
from store.contract.records import ExternalTask
from tests.console import logs
from tests.console.ledgers import Ledger
from tests.console.tasks_of import task

SINCE = datetime.now(UTC) - timedelta(minutes=5)
BEFORE, AFTER = SINCE - timedelta(minutes=1), SINCE + timedelta(minutes=1)


def failed(index: int, message: str = "HTTP 503") -> ExternalTask:
    return task(f"t{index:05}").model_copy(update={"error_message": message, "activity_instance_id": f"ai{index}"})


class Shop:
    """Tasks that can be changed, and their log."""

    def __init__(self, number: int = 4) -> None:
        self.tasks = {one.id: one for one in (failed(index) for index in range(number))}
        self.entries: list[HistoricExternalTaskLog] = []
        self.problem: Refused | None = None
        self.questions = 0
        self.log_questions: list[HistoricExternalTaskLogQuery] = []

    def outcome(self, given: int = 1, had: int | None = 0) -> Outcome:
        return Outcome([(id, had) for id in self.tasks], given, SINCE)

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        self.questions += 1
        assert query.external_task_id_in
        assert len(query.external_task_id_in) <= 500
        return [self.tasks[id] for id in query.external_task_id_in if id in self.tasks][first : first + size]

    async def external_task_log(
        self, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        self.log_questions.append(query)
        if self.problem is not None:
            raise self.problem
        wanted = query.activity_instance_id_in
        assert wanted is None or 0 < len(wanted) <= 500
        found = [one for one in self.entries if wanted is None or one.activity_instance_id in wanted]
        return logs.ordered([one for one in found if logs.happened(one, query)], query)[first : first + size]

    def change(self, index: int, **fields: Any) -> None:
        id = f"t{index:05}"
        self.tasks[id] = self.tasks[id].model_copy(update=fields)

    def set_all(self, retries: int) -> None:
        for index in range(len(self.tasks)):
            self.change(index, retries=retries)

    def fail(self, index: int, message: str, at: datetime = AFTER, retries: int = 0) -> None:
        self.change(index, retries=retries, error_message=message)
        self.entries.append(logs.task_entry(self.tasks[f"t{index:05}"], "failure", at, message=message))

    def end(self, index: int, event: str = "success", at: datetime = AFTER) -> None:
        self.entries.append(logs.task_entry(self.tasks.pop(f"t{index:05}"), event, at))

    async def look(self, outcome: Outcome, all_set: bool = False, quiet: bool = False) -> OutcomeCounts:
        return await outcome.look(self, all_set, quiet)


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
    assert (tally.suspended, tally.set, tally.settled) == (1, 4, False)


async def test_an_expired_lock_is_no_lock() -> None:
    shop = Shop(1)
    shop.set_all(1)
    shop.change(0, lock_expiration_time=datetime.now(UTC) - timedelta(minutes=5))
    assert counts(await shop.look(shop.outcome())) == {"waiting": 1}


async def test_a_cancelled_task_is_gone_and_not_done() -> None:
    shop = Shop(2)
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end(0, "deletion")
    shop.end(1, at=BEFORE)
    tally = await shop.look(outcome)
    assert counts(tally) == {"gone": 2}
    assert tally.settled


async def test_without_a_log_whatever_went_is_gone() -> None:
    shop = Shop(3)
    shop.problem = NotThere("no such endpoint", 404, "NotFoundException")
    outcome = shop.outcome()
    await shop.look(outcome)
    shop.end(0)
    tally = await shop.look(outcome)
    assert counts(tally) == {"gone": 1, "unset": 2}
    assert not tally.told
    asked = len(shop.log_questions)
    shop.end(1)
    assert counts(await shop.look(outcome)) == {"gone": 2, "unset": 1}
    assert len(shop.log_questions) == asked, "an engine without a log is asked once"


async def test_fewer_retries_than_were_set_is_a_failure() -> None:
    shop = Shop(2)
    outcome = shop.outcome(3)
    await shop.look(outcome)
    shop.set_all(3)
    await shop.look(outcome)
    shop.fail(0, "HTTP 503", retries=2)
    shop.change(1, retries=0)
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


async def test_more_retries_than_were_set_is_no_failure() -> None:
    shop = Shop(1)
    outcome = shop.outcome()
    shop.set_all(1)
    await shop.look(outcome)
    shop.set_all(5)
    assert counts(await shop.look(outcome)) == {"waiting": 1}


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
    assert counts(await shop.look(outcome)) == {"unset": 2}
    assert counts(await shop.look(outcome, all_set=True, quiet=True)) == {"again": 2}


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
