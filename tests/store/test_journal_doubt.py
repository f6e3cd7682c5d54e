"""Launches of which no answer proves what became of them: kept until it is known, and settled once."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from retriage.store.journal import Journal, NewLaunch
from retriage.store.journal.journal import MIGRATIONS

HERE = "https://here/engine-rest"
SENT = datetime(2026, 3, 1, 2, 10, 3, tzinfo=UTC)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db")
    yield opened
    await opened.close()


async def sent(journal: Journal, engine: str = HERE) -> int:
    number = await journal.begin(NewLaunch(engine, engine, "ann", 3, '{"retries": 3}', 2))
    await journal.add_tasks(number, [("t1", 0), ("t2", 0)])
    await journal.sent(number, 2, SENT)
    return number


async def test_what_was_sent_and_not_answered_is_in_doubt_until_it_is_known(journal: Journal) -> None:
    lost, unknown, answered, refused, found = [await sent(journal) for _ in range(5)]
    await sent(journal, "https://there/engine-rest")
    await journal.ended(unknown, "unknown", said="no answer came in time")
    await journal.ended(answered, "launched", batch_id="b-1", jobs=2)
    await journal.ended(refused, "refused", said="no")
    await journal.ended(found, "launched", batch_id="b-2", jobs=2, probable=True)
    await journal.begin(NewLaunch(HERE, HERE, "ann", 3, "{}", 2))
    doubtful = await journal.in_doubt(HERE)
    assert [launch.id for launch in doubtful] == [found, unknown, lost]
    assert all(launch.in_doubt and launch.sent_at == SENT for launch in doubtful)


async def test_a_launch_is_settled_once(journal: Journal) -> None:
    number, looked = await sent(journal), SENT + timedelta(minutes=11)
    assert await journal.settled(number, "launched", batch_id="b-1", jobs=2, probable=True, looked_at=looked)
    launch = await journal.launch(number)
    assert launch is not None
    assert (launch.state, launch.batch_id, launch.probable, launch.looked_at) == ("launched", "b-1", True, looked)
    assert launch.in_doubt
    assert await journal.settled(number, "launched", batch_id="b-1", jobs=2, looked_at=looked)
    assert not await journal.settled(number, "not_carried_out", looked_at=looked), "it is proven already"
    settled = await journal.launch(number)
    assert settled is not None
    assert (settled.state, settled.said) == ("launched", launch.said)
    assert await journal.in_doubt(HERE) == []


async def test_what_was_not_carried_out_has_changed_no_task(journal: Journal) -> None:
    number = await sent(journal)
    await journal.settled(number, "not_carried_out", said="no such batch", looked_at=SENT)
    again = await journal.begin(NewLaunch(HERE, HERE, "ann", 3, "{}", 2, undoes=number))
    await journal.add_tasks(again, [("t1", 0)])
    await journal.sent(again, 1, SENT)
    assert await journal.set_back(number) == {"t1"}
    await journal.settled(again, "not_carried_out", looked_at=SENT)
    assert await journal.set_back(number) == set()


async def test_a_journal_of_the_version_before_keeps_what_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes.update(connection=connection, version_table="journal_version")
        command.upgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            "INSERT INTO launch (engine, url, user, reason, title, retries, request, tasks, began_at, state, said)"
            f" VALUES ('{HERE}', '', 'ann', '', '', 3, '{{}}', 2, 1772330000000, 'unknown', '')"
        )
    file.close()
    journal = await Journal.open(path)
    (launch,) = await journal.in_doubt(HERE)
    assert (launch.state, launch.sent_at, launch.probable, launch.looked_at) == ("unknown", None, False, None)
    await journal.close()
