"""A short life of the twins, and proof that they notice when one of them lies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.contract.engine import Engine
from tests.engines import camunda
from tests.twins.comparing import Difference
from tests.twins.meanings import values
from tests.twins.pair import Tally
from tests.twins.run import OPTIONS, Session, engines
from tests.twins.subjects import SUBJECTS

SEED = 20_260_301
COMPARISONS = 1_500
Pair = tuple[Engine, Engine]


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """Where the engines live."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.engine
@pytest.mark.timeout(900)
def test_store_and_reference_engine_answer_alike(tmp_path: Path, loop: asyncio.Runner) -> None:
    if missing := camunda.what_is_missing(configured=True):
        pytest.skip(f"the reference engine {missing}")
    tally = Tally()
    with camunda.running(tmp_path / "engine.log", OPTIONS) as root:
        _compare(loop, engines(tmp_path, root), tally, COMPARISONS)
    assert tally.comparisons >= COMPARISONS
    assert tally.lists[True] > 50, "hardly a question found anything"


def test_two_stores_are_twins(tmp_path: Path, loop: asyncio.Runner) -> None:
    tally = Tally()
    _compare(loop, _two_stores(tmp_path), tally, 600)
    assert tally.comparisons >= 600
    assert not tally.explained


Lie = Callable[[list[Any]], list[Any]]
LIES: dict[str, tuple[Lie, str]] = {
    "a row too few": (lambda rows: rows[1:], "rows, not"),
    "another order": (lambda rows: rows[::-1], "not in order"),
    "a wrong field": (lambda rows: [{**row, "priority": "a lie"} for row in rows], '"priority": "a lie"'),
    "a wrong id": (lambda rows: [{**row, "id": str(UUID(int=n))} for n, row in enumerate(rows)], "rows, not"),
}
"""What one of the twins makes of its list of external tasks, and what is noticed."""


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_noticed(tmp_path: Path, loop: asyncio.Runner, name: str) -> None:
    lie, noticed = LIES[name]
    with pytest.raises(Difference, match=noticed):
        _compare(loop, _two_stores(tmp_path, lie), Tally(), 2_000)


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_filter_has_values(name: str) -> None:
    query = SUBJECTS[name].query
    for field in query.filters():
        assert values(query, field, query.model_fields[field]) is not None


def _compare(loop: asyncio.Runner, opening: Any, tally: Tally, comparisons: int) -> None:
    both = loop.run(opening.__aenter__())
    try:
        Session(loop.run, both, tally, smallest=False).compare(comparisons, SEED, questions=100)
    finally:
        loop.run(opening.__aexit__(None, None, None))


@asynccontextmanager
async def _two_stores(folder: Path, lie: Lie = lambda rows: rows) -> AsyncIterator[Pair]:
    """Two stores; what the second says of external tasks passes through ``lie``."""
    async with AsyncExitStack() as stack:
        found: list[Engine] = []
        for number in range(2):
            place = folder / str(number)
            place.mkdir()
            engine, _ = await stack.enter_async_context(engines(place, "http://127.0.0.1:1"))
            found.append(engine)
        found[1].http.event_hooks = {"response": [_twisted(lie)]}
        yield found[0], found[1]


def _twisted(lie: Lie) -> Callable[[httpx.Response], Awaitable[None]]:
    async def twist(response: httpx.Response) -> None:
        await response.aread()
        if response.status_code == 200 and response.request.url.path.endswith("/external-task"):
            response._content = httpx.Response(200, json=lie(response.json())).content

    return twist
