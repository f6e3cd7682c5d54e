"""What more than one room of the tests needs."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest

from tests.support import shared_compilation

# Where this is set, as in many container images, each program that a test starts would compile all of the console anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Profiles and keys that others may write are refused: the files of tests must not depend on who runs them.
os.umask(0o022)
# The collector of garbage looks seldom: it would take a fifth of the run, most of it for what goes without it.
gc.set_threshold(100_000, 10, 10)
PLACE = shared_compilation.place_of_this_worker()
shared_compilation.compile_program(PLACE)


LONG = {
    "acceptance": {
        "test_night.py",
        "test_lost_answer.py",
        "test_old_engine.py",
        "test_repair_night.py",
        "test_launch_guard.py",
        "test_run_night.py",
        "test_run_screen.py",
        "test_user_rights.py",
    },
    "console": {"test_app_terminal.py"},
    "faults": {
        "test_reading_faults.py",
        "test_polite.py",
        "test_connections.py",
        "test_bodies.py",
        "test_kill.py",
        "test_mixed_load.py",
        "test_shutdown.py",
    },
    "runs": {"test_run_machine.py"},
    "store": {"test_demo_workers.py", "test_large_json.py", "test_long_queries.py"},
    "twins": {"test_twins.py"},
}
"""Files by folder that drive whole programs for minutes; the default run leaves them to `.ci/run`."""
MIGRATES = {"test_files.py", "test_schema.py", "test_journal_schema.py", "test_migrations.py"}
"""Files whose stores and journals are made by the migrations, each of them."""


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: the tests wait nearly half of their time, for a program, a clock or a store."""
    return 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the tests of faults go on: ``pytest -m "long or postgresql" tests/faults --kills 200 --minutes 30``."""
    group = parser.getgroup("faults")
    group.addoption("--kills", type=int, default=3, help="how often a server is killed")
    group.addoption("--minutes", type=float, default=0.1, help="how long the load is mixed on each kind of store")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Before a worker collects."""
    if PLACE[1] > 1:
        shared_compilation.rewrite_tests(session.config.args, PLACE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long."""
    for item in items:
        if item.path.name in LONG.get(item.path.parent.name, ()):
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def tables_made_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than in the tests of the migrations these make the tables of an empty file once."""
    from tests.support import made_tables  # one second, which the process that hands out the tests need not take

    if request.path.name not in MIGRATES:
        made_tables.use(monkeypatch)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the collector of garbage need not go through it again and again, which would
    be a tenth of the run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL server that may be used; each test makes databases of its own there."""
    from tests.engines import postgres

    if missing := postgres.what_is_missing():
        pytest.skip(f"PostgreSQL {missing}")
    with postgres.running() as url:
        yield url
