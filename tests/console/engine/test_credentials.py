"""What logs in: how long it is good, when another is got, and what happens when none can be had."""

import asyncio
import base64
import json
from math import inf

import httpx
import pytest

from retriage.console.engine.channel import Channel
from retriage.console.engine.credentials import Credentials, CredentialsProblem, CredentialsRefused, bearer
from retriage.console.engine.errors import Forbidden, LoginRefused, NoCredentials, Unanswered


def web_token(**claims: object) -> str:
    """A JSON Web Token with these claims, signed by nobody."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.x"


@pytest.mark.parametrize(
    ("told", "token", "seconds"),
    [
        ("t0k\nsecond line\n", "t0k", None),
        ('{"access_token": "t0k", "expires_in": 300, "token_type": "Bearer"}', "t0k", 300),
        ('{"token": "t0k"}', "t0k", None),
        (web_token(exp=1600), web_token(exp=1600), 600),
        (web_token(exp=900), web_token(exp=900), 0),
        (web_token(exp="soon"), web_token(exp="soon"), None),
        ("a.b.c", "a.b.c", None),
    ],
)
def test_a_token_as_it_is_told(told: str, token: str, seconds: float | None) -> None:
    found = bearer(told, lambda: 1000.0)
    assert found == Credentials({"Authorization": f"Bearer {token}"}, seconds)
    assert token not in repr(found)


@pytest.mark.parametrize("told", ["", " \n", "{", '{"error": "no"}', "with\x1b[0m", "ключ"])
def test_what_is_no_token(told: str) -> None:
    with pytest.raises(CredentialsProblem):
        bearer(told)


@pytest.mark.parametrize(("seconds", "use_for"), [(None, None), (300, 270), (10, 8), (0, 0)])
def test_a_token_is_not_used_to_its_last_second(seconds: float | None, use_for: float | None) -> None:
    assert Credentials({}, seconds).use_for == use_for


class Desk:
    """An engine that takes one token, and a source that hands out those it was given, one after the other."""

    def __init__(self, *handed: Credentials | Exception) -> None:
        self.handed = list(handed)
        self.good = "good"
        self.seen: list[str] = []
        self.asked = 0
        transport = httpx.MockTransport(self._answer)
        self.channel = Channel(httpx.AsyncClient(transport=transport, base_url="http://engine.test"))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers.get("authorization", ""))
        right = self.seen[-1] == f"Bearer {self.good}"
        return httpx.Response(200 if right else 401, json={"count": 1} if right else None)

    def source(self) -> Credentials:
        """Another one; the last one for ever."""
        self.asked += 1
        found = self.handed.pop(0) if len(self.handed) > 1 else self.handed[0]
        if isinstance(found, Exception):
            raise found
        return found

    async def ask(self) -> int:
        return (await self.channel.ask("GET", "incident/count")).status_code


def token(word: str, seconds: float | None = None) -> Credentials:
    return Credentials({"Authorization": f"Bearer {word}"}, seconds)


async def test_a_token_that_is_refused_is_renewed_once() -> None:
    desk = Desk(token("good"), token("wrong"), token("good"))
    desk.channel.log_in(token("old"), desk.source)
    desk.channel.hold.login_known = True
    assert set(await asyncio.gather(*(desk.ask() for _ in range(4)))) == {200}
    assert desk.asked == 1
    desk.good = "another"
    with pytest.raises(LoginRefused):
        await desk.ask()
    assert desk.asked == 2
    seen = len(desk.seen)
    with pytest.raises(LoginRefused):
        await desk.ask()
    assert (len(desk.seen), desk.asked) == (seen, 2), "it was asked on after the second refusal"


async def test_the_first_token_is_got_before_the_first_question_and_another_before_its_end() -> None:
    desk = Desk(token("good", 0.0), token("good", 3600.0))
    desk.channel.log_in(None, desk.source)
    assert await desk.ask() == 200
    assert await desk.ask() == 200
    assert await desk.ask() == 200
    assert desk.asked == 2, "the first one was at its end, the second is good for an hour"
    assert desk.seen == ["Bearer good"] * 3


async def test_who_is_refused_by_the_service_asks_it_once_until_somebody_says_so() -> None:
    desk = Desk(CredentialsRefused("login.test gave no token (401: invalid_client)."), token("good"))
    desk.channel.log_in(None, desk.source)
    for _ in range(3):
        with pytest.raises(LoginRefused, match="invalid_client"):
            await desk.channel.ask("GET", "authorization/check", about_login=True)
    with pytest.raises(Forbidden, match="was not sent"):
        await desk.channel.order("POST", "batch", "launch of the batch")
    assert (desk.asked, desk.seen, desk.channel.hold.seconds) == (1, [], inf)
    desk.channel.hold.release()
    assert await desk.ask() == 200


async def test_a_service_that_is_down_is_no_refusal_and_sends_nothing() -> None:
    desk = Desk(CredentialsProblem("login.test gave no token (502)."), token("good"))
    desk.channel.log_in(None, desk.source)
    with pytest.raises(NoCredentials, match="502") as problem:
        await desk.ask()
    assert (problem.value.brief, problem.value.retry_after, desk.seen) == ("no token", None, [])
    assert await desk.ask() == 200


async def test_an_order_that_is_answered_401_is_not_sent_again_and_the_next_question_gets_a_token_first() -> None:
    desk = Desk(token("good"))
    desk.channel.log_in(token("old"), desk.source)
    with pytest.raises(Unanswered):
        await desk.channel.order("POST", "batch", "launch of the batch")
    assert desk.seen == ["Bearer old"]
    assert await desk.ask() == 200
    assert (desk.seen, desk.asked) == (["Bearer old", "Bearer good"], 1)


async def test_without_a_source_nothing_is_got() -> None:
    desk = Desk(token("good"))
    desk.channel.log_in(token("good", 0.0), None)
    assert await desk.ask() == 200
    assert desk.asked == 0
