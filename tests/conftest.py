"""What more than one room of the tests needs."""

from collections.abc import Iterator

import pytest

from tests.engines import postgres


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server that may be used; each test makes databases of its own there."""
    if missing := postgres.what_is_missing():
        pytest.skip(f"PostgreSQL {missing}")
    with postgres.running() as url:
        yield url
