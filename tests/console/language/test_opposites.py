"""``-word`` finds exactly the rows that ``word`` passes by, whoever applies the one and the other.

The engine filters where it can and the console does the rest, so that both have to mean the same by a word.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.client import EngineClient
from retriage.console.engine.connect import Demo
from retriage.console.language import SUBJECTS, Subject, parse
from retriage.console.language.console_words import NONE, Is, Number, TextWord
from retriage.console.language.tokens import quote
from retriage.console.reading.incident_tasks import TaskFacts
from retriage.console.reading.row_filter import RowFilter
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import JobQuery, Query
from tests.console.language.test_engine_words import METHODS
from tests.support.demo_copies import built_world, copied_world

MOST = 500
VALUES = 4
"""So many values of a word are tried."""


DEMO = Demo(tasks=120, seed=7, workers=False)


@pytest.fixture(scope="module")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world, built once."""
    return built_world(tmp_path_factory.mktemp("world"), DEMO)


@pytest.fixture
async def client(world_file: Path, tmp_path: Path) -> AsyncIterator[EngineClient]:
    """Of an engine with a copy of the world."""
    async with copied_world(world_file, tmp_path, DEMO) as opened:
        yield opened


def said(word: Any, rows: list[Any]) -> Iterator[str]:
    """Words of the line about what some rows hold: in another case, a part, with a star, more and less."""
    if isinstance(word, Is):
        yield word.name
        return
    held = sorted({value for row in rows if (value := word.value(row)) is not None})
    for value in held[:: max(1, len(held) // VALUES)]:
        if isinstance(word, Number):
            yield from (f"{word.name}{sign}{value}" for sign in (":", "<", "<=", ">", ">="))
        elif isinstance(word, TextWord):
            for text in {value, value.swapcase(), value.upper(), "none such"}:
                part = text[1:8]
                yield from (f"{word.name}:{quote(text)}", f"{word.name}~{quote(part)}")
                if quote(part) == part:
                    yield f"{word.name}:*{part}*"
    if isinstance(word, Number) and word.none:
        yield f"{word.name}:{NONE}"


async def everything(client: EngineClient, subject: Subject[Query], query: Query | None = None) -> list[Any]:
    """All rows that a query matches."""
    rows = await getattr(client, METHODS[subject.name][0])(query or subject.query(), 0, MOST)
    assert len(rows) < MOST
    return list(rows)


async def found(client: EngineClient, subject: Subject[Query], text: str, rows: list[Any]) -> set[str] | None:
    """Rows that a line finds, by engine and console; nothing if the line cannot say it."""
    parsed = parse(text, subject)
    if parsed.mistakes:
        return None
    some = rows if not parsed.query.chosen() else await everything(client, subject, parsed.query)
    wanted = RowFilter(parsed.conditions, subject)
    await wanted.learn(some, lambda question: question(client))
    fits = wanted.finds(datetime.now(UTC))
    return {row.id for row in some if fits(row)}


async def failing_jobs(client: EngineClient) -> None:
    """Wait until a batch over tasks that are not there stands still: jobs without retries, and its monitor job."""
    await client.launch_batch(BatchRequest(SetExternalTaskRetries(retries=1, external_task_ids=["gone-1", "gone-2"])))
    async with asyncio.timeout(30):
        while await client.count_jobs(JobQuery(no_retries_left=True)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", [name for name, subject in SUBJECTS.items() if subject.local])
async def test_a_minus_finds_what_the_word_passes_by(client: EngineClient, name: str) -> None:
    subject = SUBJECTS[name]
    if name == "jobs":
        await failing_jobs(client)
    rows = await everything(client, subject)
    whole = {row.id for row in rows}
    assert whole
    tried = set()
    facts = TaskFacts()
    while name == "incidents" and (some := facts.missing(rows)):
        await facts.learn(client, some)
    for word in subject.local:
        for text in said(word, list(map(facts.told, rows)) if word.of_task else rows):
            yes, no = await found(client, subject, text, rows), await found(client, subject, f"-{text}", rows)
            if yes is None or no is None:
                continue
            tried.add(word.name)
            assert (yes | no, yes & no) == (whole, set()), text
    print(name, len(rows), tried)
    assert tried
