"""A migrated store has exactly the tables that the code declares."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from retriage.store.database import StoreNotOpened, open_database
from retriage.store.database.migrate import STORE_MIGRATIONS, migrate
from retriage.store.journal.journal import MIGRATIONS
from retriage.store.tables import metadata
from tests.engines.postgres import fresh_database
from tests.support.made_tables import make_tables


def indexes(connection: Connection) -> dict[str, str]:
    """Every index of an SQLite file with its statement, which names its condition too."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    return {name: " ".join(sql.replace('"', "").split()) for name, sql in rows}


def test_two_roads_one_schema(tmp_path: Path) -> None:
    migrated, declared = (create_engine(f"sqlite:///{tmp_path / name}") for name in ("migrated.db", "declared.db"))
    with migrated.begin() as connection:
        migrate(connection)
    metadata.create_all(declared)
    with migrated.connect() as left, declared.connect() as right:

        def comparable(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
            # Indexes are compared below by their statements: alembic does not see their conditions and expressions.
            return kind != "index" and name != "alembic_version"

        context = MigrationContext.configure(left, opts={"include_object": comparable})
        assert compare_metadata(context, metadata) == []
        assert indexes(left) == indexes(right)
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%WITHOUT ROWID%' ORDER BY name"
        assert left.execute(text(tables)).all() == right.execute(text(tables)).all()
    migrated.dispose()
    declared.dispose()


@pytest.mark.parametrize(
    ("scripts", "version_table"),
    [(STORE_MIGRATIONS, "alembic_version"), (MIGRATIONS, "journal_version")],
    ids=["store", "journal"],
)
def test_the_tables_that_other_tests_are_given_are_those_of_the_migrations(
    tmp_path: Path, scripts: Path, version_table: str
) -> None:
    found = []
    for name in ("migrated.db", "first.db", "again.db"):
        engine = create_engine(f"sqlite:///{tmp_path / name}")
        with engine.begin() as connection:
            (migrate if name == "migrated.db" else make_tables)(connection, scripts, version_table)
        with engine.connect() as connection:
            statements = connection.execute(
                text("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
            ).all()
            version = connection.execute(text(f"SELECT * FROM {version_table}")).all()
            found.append((statements, version, connection.execute(text("PRAGMA application_id")).scalar_one()))
        engine.dispose()
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) > 10


async def test_opening_a_store_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        database = await open_database(str(tmp_path / "store.db"))
        async with database.reading() as connection:
            version = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
        await database.close()
    assert version


@pytest.mark.postgresql
async def test_postgresql_compares_texts_as_sqlite_does(postgresql: str) -> None:
    statement = (
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
        " AND data_type IN ('text', 'character varying')"
    )
    async with fresh_database(postgresql) as place:
        database = await open_database(place)
        async with database.reading() as connection:
            found = {(table, column): order for table, column, order in await connection.execute(text(statement))}
        await database.close()
    assert {("external_task", "id"), ("variable", "text_value")} <= set(found)
    assert {column: order for column, order in found.items() if order != "C"} == {}


async def test_the_file_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    other = create_engine(f"sqlite:///{file}")
    with other.begin() as connection:
        connection.execute(text("CREATE TABLE t (a)"))
    with pytest.raises(StoreNotOpened, match="of something else"):
        await open_database(str(file))
    with other.connect() as connection:
        assert connection.execute(text("SELECT name FROM sqlite_master")).scalars().all() == ["t"]
    other.dispose()
