"""The engines of the suite. Only these fixtures differ; the tests are the same."""

import sys
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from _pytest.mark.expression import Expression

from tests.contract import described
from tests.contract.engine import Engine, Kind, alive, client
from tests.contract.lacking import Lacking
from tests.contract.world import World
from tests.engines import camunda
from tests.engines.postgres import fresh_database
from tests.engines.processes import free_port, serving

Folders = pytest.TempPathFactory
HERE = Path(__file__).parent
SOCKET = pytest.param("socket", marks=pytest.mark.socket)
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)
CAMUNDA = pytest.param("camunda", marks=pytest.mark.engine)
USER = ("ops", "se:cret")
OPERATON = pytest.param("operaton", marks=pytest.mark.engine)
OLD = pytest.param("camunda721", marks=pytest.mark.engine)
ENGINES = [pytest.param("asgi"), SOCKET, POSTGRESQL, CAMUNDA, OPERATON]
KINDS: Mapping[str, Sequence[Any]] = {
    "engine": [*ENGINES, OLD],
    "strict_store": ENGINES[:3],
    "slicing_engine": ["asgi", POSTGRESQL, CAMUNDA],
    "guarded_engine": ENGINES,
}
"""Fixtures of this folder -> the engines that each of them is in turn."""
OPERATON_DIFFERS = {
    ("test_conventions.py", "test_version"): "tells its own version",
    ("test_conventions.py", "test_who_serves_the_contract"): "tells its own name",
    (
        "test_job_log.py",
        "test_empty_and_missing_names",
    ): "a null in a list is 400 NotValidException",
    ("test_variable_values.py", "test_what_is_known_of_a_file"): "content that is no base 64 is 500",
    ("test_variable_values.py", "test_no_transient_variable_takes_the_place_of_a_stored_one"): "names stand in quotes",
    ("test_variable_values.py", "test_scopes_of_transient_variables"): "names stand in quotes",
    ("test_user_operations.py", "test_orders_to_jobs_of_instances"): "writes other entries for jobs of instances",
}
"""Where Operaton 1.0.3 answers otherwise than Camunda 7.24.0 (observed)."""
OLD_DIFFERS = {
    ("test_modification_batches.py", "test_a_batch"): "ignores historicProcessInstanceQuery",
    ("test_token_jobs.py", "test_instances_are_found_by_their_jobs"): "finds instances by their jobs otherwise",
    (
        "test_set_variables.py",
        "test_an_instance_that_ends_after_the_order_is_passed_over",
    ): "fails the jobs of instances that have ended",
    ("test_conventions.py", "test_version"): "tells its own version",
    (
        "test_retry_cycles.py",
        "test_a_process_says_how_often_a_job_is_tried",
    ): "heeds a retry cycle after the first failure only",
    ("test_deployments.py", "test_duplicates_are_looked_for_below_a_tenant"): "looks for duplicates beyond the tenant",
    ("test_historic_process_instances.py", "test_two_states"): "refuses two states at once",
    (
        "test_variable_values.py",
        "test_values_that_are_not_read[camunda721-Double-+Infinity-+Infinity-java.lang.Double]",
    ): "reads it",
    ("test_workers.py", "test_fetches_that_are_refused[camunda721-sortBy]"): "fails with a NullPointerException",
    ("test_workers.py", "test_fetches_that_are_refused[camunda721-sortOrder]"): "fails with a NullPointerException",
}
"""Where Camunda 7.21.0 answers otherwise than 7.24.0 (observed), beside what the console finds out that it lacks."""
REAL: Mapping[str, camunda.EngineKind] = {
    "camunda": camunda.REFERENCE,
    "operaton": camunda.OPERATON,
    "camunda721": camunda.OLD,
}
FOR_EVER = 0
"""Days for which the store keeps ended batches, as the engines beside it, which are given no
batchOperationHistoryTimeToLive."""
LACKING: dict[str, Lacking] = {}
"""What older engines lack, by the parameter of the fixture."""
OVER_A_SOCKET_BY_DEFAULT = {"test_http.py", "test_retries_async.py", "test_workers.py", "test_slices.py"}
"""What a socket could change: headers and bodies, the heart of the contract, long polls. `.ci/run` takes every case."""


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each engine in turn, its name first in the name of the case. Those that the marks of this run leave out are not
    even made: most of the cases would be, and each worker would collect all of them."""
    path = metafunc.definition.path
    for fixture in (name for name in KINDS if name in metafunc.fixturenames):
        if fixture == "engine" and "engine" in vars(metafunc.module):
            continue  # the file's own, made of another one
        heeded = {mark.name for mark in metafunc.definition.iter_markers()}
        chosen = [kind for kind in KINDS[fixture] if _runs(metafunc.config, heeded | _marks_of(kind, path.name))]
        metafunc.parametrize(fixture, chosen or KINDS[fixture][:1], indirect=True, scope="session")


def _marks_of(kind: Any, file: str) -> set[str]:
    """Marks that the cases of a file get from an engine."""
    found = {mark.name for mark in getattr(kind, "marks", ())}
    return found - {"socket"} if file in OVER_A_SOCKET_BY_DEFAULT else found


def _runs(config: pytest.Config, marks: set[str]) -> bool:
    """Whether a case with these marks is selected by ``-m``."""
    selection: str = config.getoption("markexpr")
    return not selection or _compiled(selection).evaluate(lambda name, **_: name in marks)


_compiled = cache(Expression.compile)
"""It is asked some thousand times in each worker, a tenth of what it takes to collect."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for the suite: the embedded engine lives in it. Building the reference engine may take minutes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if item.get_closest_marker("engine"):
                item.add_marker(pytest.mark.timeout(600))
            for kind, differs in (("operaton", OPERATON_DIFFERS), ("camunda721", OLD_DIFFERS)):
                names = (getattr(item, "originalname", ""), item.name)
                why = next((differs[item.path.name, name] for name in names if (item.path.name, name) in differs), "")
                if why and f"[{kind}" in item.name:
                    item.add_marker(pytest.mark.xfail(reason=f"{REAL[kind].name} {why}", strict=False))
            if item.path.name in OVER_A_SOCKET_BY_DEFAULT:
                item.own_markers = [marker for marker in item.own_markers if marker.name != "socket"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Nothing was sent yet."""
    for lacking in LACKING.values():
        lacking.sent.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What an older engine is known to lack is no failure of a case about it."""
    report = yield
    kind = next((kind for kind in LACKING if f"[{kind}" in item.name), None)
    failed = kind is not None and report.failed and call.when == "call" and call.excinfo is not None
    if failed and (why := LACKING[kind].excuse(call.excinfo.exconly())):
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"Skipped: {REAL[kind].name} {why}")
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(request: pytest.FixtureRequest, tmp_path_factory: Folders) -> AsyncIterator[Engine]:
    """Each engine in turn, shared by all tests."""
    async with AsyncExitStack() as stack:
        yield await open_engine(request, tmp_path_factory.mktemp(request.param), stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def strict_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    """The store in its strict mode, which the reference engine has not."""
    async with AsyncExitStack() as stack:
        yield await open_engine(request, tmp_path_factory.mktemp("strict"), stack, strict=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def slicing_engine(request: pytest.FixtureRequest, tmp_path_factory: Folders) -> AsyncIterator[Engine]:
    """An engine whose batch jobs work on two tasks each, and whose seeds make at most three of them."""
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("slicing")
        yield await open_engine(request, folder, stack, jobs_per_seed=3, invocations_per_job=2)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def guarded_engine(request: pytest.FixtureRequest, tmp_path_factory: Folders) -> AsyncIterator[Engine]:
    """Each engine in turn, asking for users; the client is one of them."""
    async with AsyncExitStack() as stack:
        yield await open_engine(request, tmp_path_factory.mktemp("guarded"), stack, user=USER)


@pytest.fixture
def world(engine: Engine) -> World:
    """Builds processes, instances and tasks on the engine under test."""
    return World(engine)


async def open_engine(
    request: pytest.FixtureRequest,
    folder: Path,
    stack: AsyncExitStack,
    *,
    strict: bool = False,
    jobs_per_seed: int = 100,
    invocations_per_job: int = 1,
    user: tuple[str, str] | None = None,
) -> Engine:
    """Start an engine of the kind that the fixture's parameter names; it ends with the stack."""
    kind: Kind = request.param
    if real := REAL.get(kind):
        if missing := camunda.what_is_missing(configured=jobs_per_seed != 100 or user is not None, kind=real):
            pytest.skip(f"{real.name} {missing}")
        options = {**camunda.EAGER, **camunda.slicing(jobs_per_seed, invocations_per_job), **camunda.guarded(user)}
        root = stack.enter_context(camunda.running(folder / "engine.log", options, kind=real))
        http = await stack.enter_async_context(client(root, auth=user))
        if real is camunda.OLD:
            LACKING[kind] = Lacking(root)
            http.event_hooks = {"request": [LACKING[kind].note]}
        return Engine(kind, http)
    if kind == "socket":
        root = f"http://127.0.0.1:{(port := free_port())}/engine-rest"
        command = ["env", f"RETRIAGE_BATCH_HISTORY_DAYS={FOR_EVER}", sys.executable, "-m", "retriage.console", "serve"]
        command += ["--port", str(port), "--store", str(folder / "store.db")]
        command += ["--strict"] if strict else []
        command += ["--user", ":".join(user)] if user else []
        stack.enter_context(serving(command, f"{root}/engine", folder / "serve.log", within=60))
        return Engine(kind, await stack.enter_async_context(client(root, auth=user)))
    from retriage.store.api.users import User
    from retriage.store.embedded import embedded_app
    from retriage.store.settings import StoreSettings

    settings = StoreSettings(
        batch_jobs_per_seed=jobs_per_seed,
        invocations_per_batch_job=invocations_per_job,
        batch_history_days=FOR_EVER,
    )
    place = str(folder / "store.db")
    if kind == "postgresql":
        place = await stack.enter_async_context(fresh_database(request.getfixturevalue("postgresql")))
    app = embedded_app(store=place, strict=strict, settings=settings, users=[User(*user)] if user else ())
    await stack.enter_async_context(alive(app.router.lifespan_context(app)))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    http = await stack.enter_async_context(client("http://embedded/engine-rest", transport, user))
    http.event_hooks = {"response": [described.check]}
    return Engine(kind, http)
