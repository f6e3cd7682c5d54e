"""A lock of a worker, a retry time that nobody holds, and what tells one from the other."""

from datetime import UTC, datetime, timedelta

import pytest

from retriage.console.reading.lock_states import lock_state, set_by_failure
from retriage.console.reading.selected_tasks import read_selected_tasks
from retriage.console.reading.selection import Marked
from retriage.console.reading.task_history import Failed
from retriage.console.screens.tasks.subject import TaskSubject
from retriage.console.widgets.pane import Fact
from tests.console.task_shop import AFTER, BEFORE, TaskShop
from tests.console.tasks_of import NOW, task

AT = datetime(2026, 3, 1, 11, 59, 30, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "proves"),
    [
        (timedelta(0), True),
        (timedelta(minutes=30), True),
        (timedelta(minutes=30, milliseconds=1), True),
        (timedelta(minutes=30, milliseconds=-159), True),
        (timedelta(minutes=30, milliseconds=40), False),
        (timedelta(minutes=30, milliseconds=-250), False),
        (timedelta(seconds=60, milliseconds=437), False),
        (timedelta(seconds=-5), False),
    ],
)
def test_a_lock_expiration_whole_seconds_after_a_failure_just_before_its_entry_is_its_retry_time(
    after: timedelta, proves: bool
) -> None:
    assert set_by_failure(AT + after, AT) == proves


def test_times_without_fractions_of_seconds_prove_nothing() -> None:
    at = AT.replace(microsecond=0)
    until = at + timedelta(minutes=30)
    assert not set_by_failure(until, at)
    one = task("t", 0).model_copy(update={"error_message": "HTTP 503", "worker_id": "w", "lock_expiration_time": until})
    assert lock_state(one, NOW, Failed(at=at, worker="w")) == "either"


@pytest.mark.parametrize(
    ("failed", "state"),
    [
        (None, "either"),
        (Failed(at=AT, worker="w1"), "retry time"),
        (Failed(at=AT + timedelta(milliseconds=159), worker="w1"), "retry time"),
        (Failed(at=AT, worker="w2"), "worker"),
        (Failed(at=AT + timedelta(milliseconds=437), worker="w1"), "worker"),
        (Failed(), "worker"),
        (Failed(at=AT + timedelta(milliseconds=20)), "retry time"),
        (Failed(at=AT + timedelta(milliseconds=437)), "either"),
    ],
)
def test_a_task_without_retries_is_held_by_nobody_where_its_last_failure_proves_that(
    failed: Failed | None, state: str
) -> None:
    expiry = AT + timedelta(minutes=30)
    one = task("t", 0).model_copy(
        update={"error_message": "HTTP 503", "worker_id": "w1", "lock_expiration_time": expiry}
    )
    assert lock_state(one, NOW, failed) == state
    assert lock_state(one, NOW + timedelta(hours=1), failed) == "free"


def test_a_task_that_never_failed_is_held_by_its_worker() -> None:
    assert lock_state(task("t", None, locked=True), NOW) == "worker"


def test_the_log_tells_a_lock_from_a_retry_time() -> None:
    one = task("t", 2, locked=True).model_copy(update={"error_message": "HTTP 503", "worker_id": "w1"})
    assert one.lock_expiration_time is not None
    one = one.model_copy(update={"lock_expiration_time": AT + timedelta(minutes=5)})
    assert lock_state(one, NOW) == "either"
    assert lock_state(one, NOW, Failed(at=AT, worker="w1")) == "retry time"
    assert lock_state(one, NOW, Failed(at=AT, worker="w2")) == "worker"
    assert lock_state(one, NOW, Failed(at=AT + timedelta(milliseconds=337), worker="w1")) == "worker"
    assert lock_state(one, NOW, Failed(at=AT + timedelta(milliseconds=159), worker="w1")) == "either"


async def test_a_selection_holds_only_what_a_worker_holds_or_may_hold() -> None:
    shop = TaskShop(4)
    for index, retries in enumerate((0, 2, 2)):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=3600, retries=retries)
    shop.change(2, worker_id="w2")
    found = await read_selected_tasks(shop, Marked(frozenset(shop.tasks)))
    assert found is not None
    assert (found.delayed, found.held, found.unsure) == ({"t00000", "t00001"}, {"t00002"}, set())
    shop.level = "audit"
    found = await read_selected_tasks(shop, Marked(frozenset(shop.tasks)))
    assert found is not None
    assert (found.delayed, found.held, found.unsure) == ({"t00000"}, {"t00001", "t00002"}, {"t00001", "t00002"})


@pytest.mark.parametrize("level", ["full", "audit", "none"])
async def test_a_worker_holds_a_task_that_somebody_set_to_0_or_that_it_locked_by_its_id(level: str) -> None:
    shop = TaskShop(4, level)
    for index in range(4):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=1800)
    shop.set_by_hand(1, 1)
    shop.change(1, lock_expiration_time=AFTER + timedelta(seconds=3661, milliseconds=437))
    shop.set_by_hand(1, 0)
    shop.change(2, lock_expiration_time=AFTER + timedelta(seconds=3661, milliseconds=537), worker_id="w2")
    shop.set_by_hand(3, 1)
    shop.set_by_hand(3, 0, AFTER + timedelta(milliseconds=411))
    found = await read_selected_tasks(shop, Marked(frozenset(shop.tasks)))
    assert found is not None
    held, unsure = {"t00001", "t00002"}, set()
    if level != "full":  # the new incident of one whose retries were taken away hides when its retry time began
        held = unsure = {"t00001", "t00002", "t00003"}
    assert (found.held, found.unsure, found.delayed) == (held, unsure, set(shop.tasks) - held)
    assert shop.incident_questions <= 1


async def test_where_neither_log_nor_incidents_may_be_read_a_task_without_retries_may_be_held() -> None:
    shop = TaskShop(2, "none")
    shop.hides_incidents = True
    shop.fail(0, "HTTP 503", at=BEFORE, timeout=1800)
    shop.fail(1, "HTTP 503", at=BEFORE)
    found = await read_selected_tasks(shop, Marked(frozenset(shop.tasks)))
    assert found is not None
    assert (found.held, found.unsure) == ({"t00000"}, {"t00000"})


@pytest.mark.parametrize(
    ("retries", "message", "letter", "lock"),
    [
        (0, "HTTP 503", "X", "5m more: retry time or lock; last w1"),
        (2, "HTTP 503", "w", "5m more: retry time or lock; last w1"),
        (None, None, "L", "5m more, by w1"),
    ],
)
def test_a_list_says_locked_only_of_what_a_worker_holds(
    retries: int | None, message: str | None, letter: str, lock: str
) -> None:
    one = task("t", retries, locked=True).model_copy(
        update={"error_message": message, "worker_id": "w1", "process_definition_id": "p:1:x", "tenant_id": None}
    )
    facts = {item.label: item.text for item in TaskSubject().brief(one, NOW) if isinstance(item, Fact)}
    assert TaskSubject().cells(one, NOW)[0].text == letter
    assert " ".join(facts["lock"].split()) == lock
