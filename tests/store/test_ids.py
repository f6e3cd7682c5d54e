"""Ids are UUIDv7 texts that ascend."""

import uuid
from itertools import pairwise
from pathlib import Path

from sqlalchemy import literal, select

from retriage.store.database import IdRun, new_id, open_database


def test_new_ids_are_version_seven_and_ascend() -> None:
    ids = [new_id() for _ in range(5000)]
    assert len(set(ids)) == len(ids)
    assert all((uuid.UUID(one).version, uuid.UUID(one).variant) == (7, uuid.RFC_4122) for one in ids)
    within = [(left, right) for left, right in pairwise(ids) if left[:23] == right[:23]]
    assert within
    assert all(left < right for left, right in within)


def test_runs_do_not_meet() -> None:
    assert len({IdRun().prefix for _ in range(200)}) == 200


def test_the_ends_of_ids_differ_between_runs() -> None:
    assert len({IdRun().at(0)[-8:] for _ in range(50)}) == 50


async def test_the_database_makes_the_same_ids(tmp_path: Path) -> None:
    database = await open_database(str(tmp_path / "store.db"))
    run = IdRun()
    async with database.reading() as connection:
        made = (await connection.execute(select(run.column(literal(255))))).scalar_one()
    await database.close()
    assert made == run.at(255)
