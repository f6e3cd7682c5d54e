"""What the console knows about batches, where an answer is lost between two looks."""

from datetime import UTC, datetime

import pytest

from retriage.console.batches.batch_view import running
from retriage.console.batches.known_batches import KnownBatch, KnownBatches
from retriage.console.batches.outcome import Outcome
from retriage.console.batches.timeline import Sample
from retriage.console.engine.errors import NotThere, Unreachable
from retriage.store.contract.records import BatchStatistics, HistoricBatch
from tests.console.fake import statistics
from tests.console.task_shop import SINCE, TaskShop


class Engine:
    """Two batches of this console; ``lost`` questions to the history get no answer."""

    def __init__(self) -> None:
        self.running: list[BatchStatistics] = []
        self.lost = 0

    def engine_now(self) -> datetime:
        return datetime.now(UTC)

    async def batches(self, query: object, first: int, size: int) -> list[BatchStatistics]:
        return self.running

    async def historic_batch(self, batch_id: str) -> HistoricBatch:
        if self.lost:
            self.lost -= 1
            raise Unreachable("The engine cannot be reached.")
        raise NotThere("There is none.", 404)


async def test_a_batch_that_is_expected_is_so_still_after_a_failed_answer_about_another() -> None:
    engine, known = Engine(), KnownBatches()
    known.expect("a")
    known.expect("b")
    engine.running, engine.lost = [statistics("a", 5, 5, 0)], 1
    with pytest.raises(Unreachable):
        await known.read(engine)  # type: ignore[arg-type]
    assert known._expected == {"a", "b"}
    await known.read(engine)  # type: ignore[arg-type]
    assert known._expected == set()


async def test_the_picture_of_a_batch_shows_completed_tasks_as_done_and_no_others() -> None:
    shop = TaskShop(6)
    shop.set_all(1)
    outcome = Outcome([(id, 0) for id in shop.tasks], 1, SINCE)
    await outcome.look(shop, all_set=False, quiet=False)
    shop.end(0)
    shop.end(1, "deletion")
    shop.end(2, "deletion")
    shop.change(3, retries=5)
    shop.fail(4, "HTTP 503")
    batch = KnownBatch(running(statistics("b", 6, 6, 0)))
    batch.note_work(await outcome.look(shop, all_set=True, quiet=True), shop.engine_now(), None)
    assert batch.timeline is not None
    (_, (sample,)) = batch.timeline.steps(9)
    assert sample == Sample(set=6, done=1, again=1, other=3)
