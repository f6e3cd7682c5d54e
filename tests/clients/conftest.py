"""A served store, and the clients installed."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.clients.installed import CannotInstall, js_client, python_client
from tests.clients.office import Office, open_office
from tests.clients.working import Kind
from tests.contract.engine import Engine, client
from tests.engines.processes import free_port, serving

HERE = Path(__file__).parent
_INSTALL: dict[Kind, Callable[[], Path]] = {"python": python_client, "js": js_client}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first run downloads the clients."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session", params=["python", "js"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each client in turn."""
    wanted: Kind = request.param
    return has_client(wanted)


@pytest.fixture(scope="session")
def both_kinds() -> tuple[Kind, Kind]:
    """Both clients."""
    return has_client("python"), has_client("js")


def has_client(kind: Kind) -> Kind:
    """Install a client; skips the test where it cannot be had."""
    try:
        _INSTALL[kind]()
    except CannotInstall as reason:
        pytest.skip(f"the {kind} client: {reason}")
    return kind


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """A store behind ``retriage serve``."""
    root = f"http://127.0.0.1:{(port := free_port())}/engine-rest"
    serve = ["serve", "--port", str(port), "--store", str(tmp_path / "store.db")]
    command = [sys.executable, "-m", "retriage.console", *serve]
    with serving(command, f"{root}/version", tmp_path / "serve.log", within=60):
        async with client(root) as http:
            yield Engine("socket", http)
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


@pytest.fixture
async def office(engine: Engine) -> Office:
    """A process for the workers."""
    return await open_office(engine)
