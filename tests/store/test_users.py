"""Users: their passwords as hashes, guesses that slow down, users who may only read."""

import asyncio
import base64
import tracemalloc
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from retriage.store.api import app
from retriage.store.api.authentication import BasicAuthentication
from retriage.store.api.login_throttle import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    WAITING,
    WAITING_OF_ADDRESS,
    LoginThrottle,
    TooManyLogins,
    network,
)
from retriage.store.api.users import User, Users, hashed, is_hash
from retriage.store.embedded import embedded_app
from tests.store.running import client_of

Log = pytest.LogCaptureFixture
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Makes hashes of the same form in no time."""
HASH = CHEAP.hash("sé:cret")


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing depends on what a hash costs."""
    monkeypatch.setattr("retriage.store.api.users._HASHER", CHEAP)


def test_a_hash_costs_who_guesses() -> None:
    dear = hashed("sé:cret")
    assert is_hash(dear)
    assert "m=65536,t=3," in dear
    assert User("ann", dear, plain=False).has("sé:cret")
    assert not User("ann", dear, plain=False).has("se:cret")


@pytest.mark.usefixtures("cheap")
def test_a_hash_tells_its_password_only_to_who_knows_it() -> None:
    assert is_hash(HASH)
    assert not is_hash("sé:cret")
    assert hashed("sé:cret") != HASH
    user = User("ann", HASH, plain=False)
    assert user.has("sé:cret")
    assert not user.has("se:cret")
    assert not User("ann", HASH).has("sé:cret"), "a plain password that looks like a hash is no hash"
    assert HASH not in repr(user)


@pytest.mark.usefixtures("cheap")
def test_only_what_was_right_is_remembered() -> None:
    users = Users([User("ann", HASH, plain=False)])
    assert users.remembered("ann", "sé:cret") is None
    assert users.known("ann", "wrong") is None
    assert users.remembered("ann", "wrong") is None
    assert users.known("bob", "sé:cret") is None
    assert users.known("ann", "sé:cret") is users.remembered("ann", "sé:cret") is not None
    assert users.remembered("ann", "") is users.remembered("bob", "sé:cret") is None


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self._sleep = asyncio.sleep
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        """Pass the time, and let others go on."""
        self.now += seconds
        await self._sleep(0)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def guess(logins: LoginThrottle, address: str, name: str) -> None:
    async with logins.turn(address, name, is_user=True) as line:
        logins.failed(line)


async def test_each_failure_doubles_the_pause_up_to_a_bound(clock: Clock) -> None:
    logins, pauses = LoginThrottle(clock), []
    for _ in range(40):
        before = clock.now
        await guess(logins, "192.0.2.1", "ann")
        pauses.append(clock.now - before)
    assert pauses[:4] == [0, FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert set(pauses[5:]) == {LONGEST_PAUSE}


async def test_a_guesser_slows_down_nobody_else(clock: Clock) -> None:
    logins = LoginThrottle(clock)
    for _ in range(10):
        await guess(logins, "192.0.2.1", "ann")
    before = clock.now
    for address, name in (("192.0.2.2", "ann"), ("192.0.2.1", "bob"), ("2001:db8::1", "ann")):
        async with logins.turn(address, name, is_user=True) as line:
            logins.succeeded(line)
    assert clock.now == before
    async with logins.turn("192.0.2.1", "ann", is_user=True) as line:
        logins.succeeded(line)
    before = clock.now
    await guess(logins, "192.0.2.1", "ann")
    assert clock.now == before, "a success ends it"


async def test_one_who_guesses_at_many_places_at_once_has_one_turn() -> None:
    logins, looks = LoginThrottle(), 0
    looking = asyncio.Event()

    async def look() -> None:
        nonlocal looks
        async with logins.turn("192.0.2.1", "ann", is_user=True):
            looks += 1
            await looking.wait()

    tasks = [asyncio.create_task(look()) for _ in range(WAITING)]
    await asyncio.sleep(0.01)
    assert looks == 1
    with pytest.raises(TooManyLogins):
        await look()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    looking.set()
    await look()
    assert looks == 2, "who hangs up leaves no trace"


async def test_a_first_login_waits_for_one_of_the_guesses_at_other_names() -> None:
    logins, looks = LoginThrottle(), []
    released = asyncio.Event()

    async def look(name: str, *, is_user: bool) -> None:
        async with logins.turn("192.0.2.1", name, is_user=is_user) as queue:
            looks.append(name)
            await released.wait()
            if is_user:
                logins.succeeded(queue)
            else:
                logins.failed(queue)

    guesses = [asyncio.create_task(look(f"guess {number}", is_user=False)) for number in range(WAITING_OF_ADDRESS)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyLogins):
        await look("one more guess", is_user=False)
    login = asyncio.create_task(look("ann", is_user=True))
    await asyncio.sleep(0)
    released.set()
    await login
    assert len(looks) <= 3, "the guess that was being looked at, hers, and the one after it"
    await asyncio.gather(*guesses)


async def test_a_failed_login_of_a_user_waits_with_those_of_unknown_names() -> None:
    logins, answered = LoginThrottle(), []

    async def fail(name: str, *, is_user: bool) -> None:
        async with logins.turn("192.0.2.1", name, is_user=is_user) as queue:
            await asyncio.sleep(0)
            logins.failed(queue)
        answered.append(name)

    unknown = [asyncio.create_task(fail(f"guess {number}", is_user=False)) for number in range(10)]
    await asyncio.sleep(0)
    await fail("ann", is_user=True)
    await asyncio.gather(*unknown)
    assert answered == [*(f"guess {number}" for number in range(10)), "ann"]


async def test_names_of_any_length_leave_the_same_behind() -> None:
    logins = LoginThrottle()
    tracemalloc.start()
    try:
        for number in range(20):
            await guess(logins, "192.0.2.1", f"{number}" + "x" * 1_000_000)
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_addresses_of_one_customer_are_one() -> None:
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2::5") != network("2001:db8:1:3::4")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") != network("192.0.2.2")
    assert network("nowhere") == "nowhere"


# -- over HTTP -------------------------------------------------------------------------------------------------------

USERS = [User("ann", HASH, plain=False), User("bob", "hush"), User("eve", "look", read_only=True)]


@pytest.fixture
async def guarded(tmp_path: Path, cheap: None) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(embedded_app(str(tmp_path / "store.db"), users=USERS)) as client:
        yield client


async def test_failed_logins_are_logged_without_the_password(guarded: httpx.AsyncClient, caplog: Log) -> None:
    for auth in (("ann", "hunter2"), ("\x1b[31mnobody" + "x" * 500, "hunter2"), ("ann", "sé:cret")):
        await guarded.get("/version", auth=auth)
    assert [record.getMessage().partition(" from ")[0] for record in caplog.records] == [
        "login of 'ann'",
        "login of '\\x1b[31mnobody" + "x" * 53 + "'",
    ]
    assert "hunter2" not in caplog.text


async def test_the_description_is_written_once(guarded: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = ("bob", "hush")
    first = [(await guarded.get(path, auth=auth)).content for path in ("/docs", "/openapi.json")]

    def again(document: object) -> str:
        raise AssertionError("the page is made anew")

    monkeypatch.setattr(app, "page", again)
    monkeypatch.setattr(app, "written", again)
    assert [(await guarded.get(path, auth=auth)).content for path in ("/docs", "/openapi.json")] == first


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !", "Basic YW5u", "Bearer x", "Basic " + base64.b64encode(b"\xff:").decode()]
)
async def test_what_names_nobody_is_no_guess(guarded: httpx.AsyncClient, caplog: Log, header: str) -> None:
    for _ in range(WAITING * 3):
        response = await guarded.get("/version", headers={"Authorization": header})
        assert (response.status_code, response.content) == (401, b"")
    assert not caplog.records


async def test_what_a_user_may_do_is_told(guarded: httpx.AsyncClient) -> None:
    for auth, permission, may in (
        (("bob", "hush"), "CREATE", True),
        (("eve", "look"), "CREATE", False),
        (("eve", "look"), "CREATE_BATCH_SET_EXTERNAL_TASK_RETRIES", False),
        (("eve", "look"), "READ", True),
        (("eve", "look"), "READ_HISTORY", True),
    ):
        params = {"permissionName": permission, "resourceName": "BATCH", "resourceType": "13"}
        response = await guarded.get("/authorization/check", params=params, auth=auth)
        assert response.json()["authorized"] is may
    assert (await guarded.get("/authorization/check")).status_code == 401


async def test_guesses_are_few_and_owners_get_in(guarded: httpx.AsyncClient) -> None:
    """A storm of guesses at one name: few are looked at, and no other user, nor one who is in, waits for them."""
    asked = partial(guarded.get, "/version")
    assert (await asked(auth=("ann", "sé:cret"))).status_code == 200
    answered: set[asyncio.Task[httpx.Response]] = set()
    waiting = {asyncio.create_task(asked(auth=("ann", f"guess {number}"))) for number in range(300)}
    try:
        async with asyncio.timeout(60):
            while len(waiting) >= WAITING:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                answered |= done
            assert (await asked(auth=("ann", "sé:cret"))).status_code == 200
            assert (await asked(auth=("bob", "hush"))).status_code == 200
            assert not all(task.done() for task in waiting), "nobody had to wait for the guesser"
    finally:
        for task in waiting:
            task.cancel()
    looked_at = [response for task in answered if (response := task.result()).status_code == 401]
    assert 1 <= len(looked_at) <= 2
    for response in (task.result() for task in answered):
        if response.status_code != 401:
            assert response.status_code == 429
            assert response.json()["message"] == "Too many logins have failed; try again later."
            assert int(response.headers["retry-after"]) >= 1


READS = [
    ("GET", "/external-task", None),
    ("HEAD", "/version", None),
    ("OPTIONS", "/external-task", None),
    ("POST", "/external-task", {}),
    ("POST", "/external-task/count", {}),
    ("POST", "/process-instance", {}),
    ("POST", "/history/process-instance/count", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), READS)
async def test_who_may_only_read_may_ask(guarded: httpx.AsyncClient, method: str, path: str, body: object) -> None:
    response = await guarded.request(method, path, json=body, auth=("eve", "look"))
    assert response.status_code == 200, response.text


async def test_who_may_only_read_gives_no_order(guarded: httpx.AsyncClient) -> None:
    """Every operation of the contract that is no GET and no question, by its description."""
    described = (await guarded.get("/openapi.json", auth=("eve", "look"))).json()
    tried = 0
    for path, operations in described["paths"].items():
        for method in operations:
            if method == "get" or (method, path.removeprefix("/engine-rest")) in QUESTIONS:
                continue
            address = path.removeprefix("/engine-rest")
            response = await guarded.request(method, address, json={}, auth=("eve", "look"))
            assert response.status_code == 403, (method, path, response.text)
            assert response.json()["type"] == "AuthorizationException"
            assert response.json()["message"] == "The user 'eve' may only read."
            tried += 1
    assert tried > 35


QUESTIONS = {
    ("post", f"{path}{count}")
    for path in (
        "/job-definition",
        "/external-task",
        "/process-instance",
        "/history/process-instance",
        "/job",
        "/history/job-log",
        "/history/external-task-log",
        "/variable-instance",
        "/history/variable-instance",
        "/history/activity-instance",
    )
    for count in ("", "/count")
}


def test_without_users_nobody_is_asked() -> None:
    assert not Users([])
    assert all(type(layer.cls) is not BasicAuthentication for layer in embedded_app("x").user_middleware)
