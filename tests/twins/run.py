"""Open both engines, let worlds live on them, ask questions; on a difference, find the smallest life that shows it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from retriage.store.embedded import embedded_app
from retriage.store.settings import StoreSettings
from tests.contract.engine import Engine, alive, client
from tests.engines import camunda
from tests.twins.clock import Clock
from tests.twins.comparing import Difference
from tests.twins.orders import lives
from tests.twins.pair import Pair, Tally
from tests.twins.queries import ANY, Question
from tests.twins.symbols import Ask
from tests.twins.twin import Twin
from tests.twins.world import BATCH_POLL_SECONDS, Parted, live, wipe

OPTIONS = {
    **camunda.EAGER,
    "camunda.bpm.generic-properties.properties.batch-poll-time": str(BATCH_POLL_SECONDS),
}
"""Of the reference engine: impatient with new jobs, patient with batches that wait. Nobody logs in: a user of
the reference engine sees no tenants but his own, and the store has no such thing."""

_WORLDS_AT_A_TIME = 10
"""Hypothesis begins with very small examples, up to a tenth of all: a long run is many short ones."""


class Enough(Exception):
    """As much was compared as was asked for."""


@asynccontextmanager
async def engines(folder: Path, root: str) -> AsyncIterator[tuple[Engine, Engine]]:
    """The store in this process, and the reference engine at ``root``."""
    store_settings = StoreSettings(batch_poll_time=BATCH_POLL_SECONDS)
    app = embedded_app(str(folder / "twin.db"), settings=store_settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        alive(app.router.lifespan_context(app)),
        client("http://embedded/engine-rest", transport) as ours,
        client(root) as theirs,
    ):
        yield Engine("asgi", ours), Engine("camunda", theirs)


class Session:
    """Worlds one after the other on two engines.

    Args:
        run: carries out a coroutine on the loop where the engines live.
        both: the engines. Everything on them is deleted.
        tally: counts what is compared.
        smallest: on a difference, look for the smallest world and question that show it; may take minutes.
    """

    def __init__(
        self, run: Callable[[Any], Any], both: tuple[Engine, Engine], tally: Tally, *, smallest: bool = True
    ) -> None:
        self._phases = (Phase.generate, Phase.shrink) if smallest else (Phase.generate,)
        self._run = run
        self._engines = both
        self.tally = tally
        self._suspect: Question | None = None
        self._found = False

    def compare(self, comparisons: int, seed: int, questions: int) -> None:
        """Compare at least so many answers.

        Args:
            comparisons: how many.
            seed: the same seed makes the same worlds and questions.
            questions: how many in each world.

        Raises:
            Difference: one that nobody can explain, in the smallest world and by the smallest question that were found.
        """

        @self._settings(_WORLDS_AT_A_TIME)
        @given(lives(), st.integers(0, 2**32))
        def worlds(steps: list[Ask], question_seed: int) -> None:
            if self.tally.comparisons >= comparisons and not self._found:
                raise Enough
            try:
                self._one_world(steps, question_seed, questions)
            except Difference as found:
                if self.tally.gathered is None:
                    self._found = True
                    raise
                self.tally.gathered.append(found)

        try:
            for following in count(seed):
                seeded(following)(worlds)()
        except Enough:
            pass

    def _settings(self, most: int) -> settings:
        return settings(
            max_examples=most,
            phases=self._phases,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )

    def _one_world(self, steps: list[Ask], seed: int, questions: int) -> None:
        clock = Clock()
        ours, theirs = (Twin(engine, clock) for engine in self._engines)
        pair = Pair(ours, theirs, clock, self.tally)
        self._run(wipe(pair))
        try:
            self._run(live(pair, steps))
        except Parted:
            return
        if self._suspect is not None:
            self._run(_ask(pair, self._suspect))
        if self._found:
            return

        @seeded(seed)
        @self._settings(questions)
        @given(ANY)
        def asked(question: Question) -> None:
            self._suspect = question
            self._run(_ask(pair, question))
            self._suspect = None

        asked()


async def _ask(pair: Pair, question: Question) -> None:
    """Ask a question in every way.

    Raises:
        Difference: the engines answer differently.
    """
    # All are waited for: one that went on behind a difference would lose its connection when the engines are closed.
    answers = await asyncio.gather(*(pair.compare(ask, "query") for ask in question.asks), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    if question.page is not None:
        for ask in question.asks:
            if ask.rows is not None:
                await pair.compare_page(ask, *question.page)
