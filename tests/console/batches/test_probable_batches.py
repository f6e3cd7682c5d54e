"""A batch that probably belongs to a launch is called so wherever it is shown, and so is a launch that is in doubt."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retriage.console.batches.batch_view import running
from retriage.console.batches.launched_tasks import launched_tasks_of
from retriage.console.orders.undo import doubts_of
from retriage.console.screens.batches.engine_box import heading
from retriage.console.screens.journal.rows import STATES, facts, looked, row_of
from retriage.console.widgets.pane import Fact
from retriage.store.journal import Launch
from tests.console.fake import statistics
from tests.console.ledgers import Launched

NOW = datetime(2026, 3, 1, 2, 10, tzinfo=UTC)


def launch(**other: Any) -> Launch:
    values: dict[str, Any] = {
        "id": 7, "engine": "e", "url": "", "user": "ann", "reason": "", "title": "retries:0", "retries": 3,
        "request": "{}", "tasks": 5, "listed": 5, "undoes": None, "began_at": NOW, "state": "launched",
        "batch_id": "b-1", "jobs": 5, "ended_at": NOW, "said": "", "sent_at": NOW,
    }  # fmt: skip
    return Launch(**(values | other))


def fact(one: Launch, label: str) -> str:
    return next(item.text for item in facts(one, None) if isinstance(item, Fact) and item.label == label)


@pytest.mark.parametrize("probable", [True, False])
def test_the_journal_says_whether_its_batch_is_proven(probable: bool) -> None:
    one = launch(probable=probable)
    assert ("probably" in fact(one, "batch")) is probable
    row = row_of(one, running(statistics("b-1", 5)), NOW)
    assert row.cells[1].text.startswith("seed?" if probable else "seed ")


def test_the_journal_says_whether_a_lost_launch_was_looked_for() -> None:
    lost = launch(state="unknown", batch_id=None)
    assert fact(lost, "looked") == "could not look yet; goes on until 02:20:00Z at least"
    seen = launch(state="unknown", batch_id=None, looked_at=NOW + timedelta(seconds=12))
    assert looked(seen) == "not there at 02:10:12Z; goes on until 02:20:00Z"


def test_every_state_of_a_launch_has_its_word() -> None:
    from typing import get_args

    from retriage.store.journal import State

    assert set(STATES) == set(get_args(State))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"probable": True}, "is probably its own; nothing proves it yet"),
        ({"state": "unknown", "batch_id": None}, "It is not known whether this launch was carried out"),
        ({}, ""),
    ],
)
def test_an_undo_says_what_is_not_proven(change: dict[str, Any], said: str) -> None:
    doubts = doubts_of(launch(**change))
    assert [said in sentence for sentence in doubts] == ([True] if said else [])


async def test_the_batch_says_it_too() -> None:
    class Journal:
        async def launch_of(self, batch_id: str) -> Launched:
            return Launched(listed=0, probable=True)

    found = await launched_tasks_of(Journal(), "b-1", NOW)  # type: ignore[arg-type]
    assert found.probable
    said = "".join(text for text, _ in heading(running(statistics("b-1", 5)), found, NOW))
    assert "probably set retries to 1" in said
