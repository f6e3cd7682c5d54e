"""When nothing may be asked: one wrong password is one failed login, and an answer that tells a wait is heeded."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import inf

import httpx
import pytest

from retriage.console.engine.channel import Channel, Limits
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import (
    EngineProblem,
    Forbidden,
    LoginRefused,
    NoLogin,
    Refused,
    TooLarge,
    Unreachable,
)
from retriage.console.engine.refusals import wait_told
from retriage.console.engine.rights import LAUNCH, Rights, find_rights
from retriage.store.contract.queries import ExternalTaskQuery
from tests.support.fault_proxy import FaultTransport, engine_error, huge, page

NOW = datetime(2026, 3, 14, 3, 12, tzinfo=UTC)


class Scene:
    """A client whose engine answers every count with 1, behind what plays faults."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.transport = FaultTransport(httpx.MockTransport(lambda request: httpx.Response(200, json={"count": 1})))
        self.faults = self.transport.faults
        http = httpx.AsyncClient(transport=self.transport, base_url="http://engine.test/engine-rest")
        self.channel = Channel(http, limits)
        self.client = EngineClient(http, limits=limits)

    def asked(self) -> int:
        return len(self.faults.asked)

    async def many(self, number: int = 13) -> list[object]:
        """So many questions at once; what became of them."""
        asked = [self.client.count_external_tasks(ExternalTaskQuery()) for _ in range(number)]
        return await asyncio.gather(*asked, return_exceptions=True)


def all_are(kind: type[EngineProblem]) -> Callable[[list[object]], bool]:
    return lambda outcomes: bool(outcomes) and all(isinstance(one, kind) for one in outcomes)


@pytest.mark.parametrize("status", [401, 407])
async def test_one_wrong_password_is_one_failed_login(status: int) -> None:
    scene = Scene()
    scene.faults.play(page(status))
    assert all_are(LoginRefused)(await scene.many())
    assert scene.asked() == 1
    assert all_are(LoginRefused)(await scene.many())
    assert scene.asked() == 1
    assert scene.client.hold.seconds == inf
    scene.client.hold.release()
    assert all_are(LoginRefused)(await scene.many())
    assert scene.asked() == 2
    scene.faults.clear()
    scene.client.hold.release()
    assert await scene.many() == [1] * 13


async def test_an_engine_that_cannot_be_reached_is_tried_once_for_all_who_wait() -> None:
    scene = Scene()
    scene.transport.refusing = True
    assert all_are(Unreachable)(await scene.many())
    scene.transport.refusing = False
    assert await scene.many() == [1] * 13


async def test_a_question_that_is_given_up_lets_the_next_one_go_first() -> None:
    scene = Scene()
    never = asyncio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        await never.wait()
        raise AssertionError

    client = EngineClient(httpx.AsyncClient(transport=httpx.MockTransport(hang), base_url="http://engine.test"))
    first = asyncio.create_task(client.version())
    await asyncio.sleep(0)
    second = asyncio.create_task(client.version())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert not second.done()
    second.cancel()
    await asyncio.wait([second])
    assert await scene.many(2) == [1, 1]


async def test_names_that_anybody_is_told_do_not_show_that_the_login_is_right() -> None:
    scene = Scene()
    scene.faults.play(engine_error(401))
    scene.faults.play(page(200), on="/engine$")
    with pytest.raises(EngineProblem):
        await scene.client.engine_names()
    assert not scene.client.hold.login_known
    assert all_are(LoginRefused)(await scene.many())
    assert scene.asked() == 2


async def test_a_question_about_the_login_may_be_answered_401_where_there_is_none() -> None:
    scene = Scene()
    scene.faults.play(engine_error(401, "InvalidRequestException"), on="authorization/check")
    for _ in range(2):
        with pytest.raises(NoLogin):
            await scene.client.has_right(LAUNCH)
    assert await find_rights(scene.client) == Rights("no login")
    assert scene.client.hold.seconds == 0
    assert await scene.many() == [1] * 13


@pytest.mark.parametrize("status", [429, 503])
async def test_an_answer_that_tells_when_to_come_back_is_heeded(status: int) -> None:
    scene = Scene()
    await scene.many(1)
    scene.faults.play(page(status, **{"Retry-After": "120"}))
    (first,) = await scene.many(1)
    assert isinstance(first, Refused)
    assert first.retry_after == 120
    scene.faults.clear()
    asked = scene.asked()
    (held,) = await scene.many(1)
    assert isinstance(held, Refused)
    assert held.retry_after is not None
    assert 110 < held.retry_after <= 120
    with pytest.raises(Forbidden, match="was not sent"):
        await scene.client.delete_batch("b")
    assert scene.asked() == asked
    scene.client.hold.release()
    assert await scene.many(1) == [1]


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_an_answer_that_tells_no_wait_holds_nothing_back(status: int) -> None:
    scene = Scene()
    scene.faults.play(page(status, **({"Retry-After": "120"} if status == 500 else {})), times=1)
    (first,) = await scene.many(1)
    assert isinstance(first, Refused)
    assert first.retry_after is None
    assert await scene.many(1) == [1]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 30 ", 30.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        ("99999999999999", 86_400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("Sat, 14 Mar 2026 03:13:00", None),
    ],
)
def test_a_wait_is_a_number_of_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert wait_told(header, NOW) == seconds


async def test_an_answer_over_the_limit_is_cut_off_with_a_sentence() -> None:
    scene = Scene(Limits(answer=2_000_000))
    scene.faults.play(huge(400), times=1)
    (too_large,) = await scene.many(1)
    assert isinstance(too_large, TooLarge)
    assert too_large.sentence == "The answer is larger than 2 MB, and the rest of it was not read."
    assert await scene.many(1) == [1]
