"""A migrated store has exactly the tables that the code declares."""

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from store.database import open_database
from store.database.migrate import migrate
from store.tables import metadata


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


async def test_opening_a_store_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        database = await open_database(str(tmp_path / "store.db"))
        async with database.reading() as connection:
            version = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
        await database.close()
    assert version
