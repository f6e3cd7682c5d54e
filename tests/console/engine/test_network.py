"""Bad networks: every failure is one sentence, questions are asked once more, orders never."""

import asyncio
import gzip
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

import httpx
import pytest

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.channel import Limits
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import (
    Denied,
    EngineProblem,
    NotThere,
    Refused,
    Slow,
    TooLarge,
    Unanswered,
    Unintelligible,
    Unreachable,
    one_line,
)
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery

ORDER = SetExternalTaskRetries(retries=3, external_task_ids=["a"])
QUICK = Limits(connect=0.05, read=0.05, question=0.05, order=0.05)


def client_of(handler: Callable[[httpx.Request], object], limits: Limits | None = None) -> EngineClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="http://engine.test:8080/engine-rest")  # type: ignore[arg-type]
    return EngineClient(http, limits=limits)


class Broken:
    """Raises the given errors one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors: Iterator[Exception] = iter(errors)
        self.tries = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.tries += 1
        for error in self._errors:
            raise error
        return httpx.Response(200, json={"count": 1})


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def certificate() -> ssl.SSLCertVerificationError:
    problem = ssl.SSLCertVerificationError("certificate verify failed")
    problem.verify_message = "self-signed certificate"
    return problem


async def count(client: EngineClient) -> int:
    return await client.count_external_tasks(ExternalTaskQuery())


CONNECTION_LOST = [
    httpx.ConnectError("[Errno 111] Connection refused"),
    httpx.ReadError(""),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.WriteError("reset"),
]


@pytest.mark.parametrize("error", CONNECTION_LOST, ids=lambda error: type(error).__name__)
async def test_a_question_is_asked_once_more_when_the_connection_broke(error: Exception) -> None:
    broken = Broken(error)
    assert await count(client_of(broken)) == 1
    assert broken.tries == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "nothing listens there (connection refused)"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "its name is not known"),
        (caused(httpx.ConnectError("x"), certificate()), "its certificate is not trusted (self-signed certificate)"),
        (caused(httpx.ConnectError("x"), ssl.SSLError("WRONG_VERSION_NUMBER")), "does it speak https?"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "closed the connection"),
        (httpx.RemoteProtocolError("illegal status line"), "closed the connection without an HTTP answer"),
        (httpx.ReadError(""), "the connection broke"),
        (httpx.DecodingError("bad gzip"), "the connection broke"),
    ],
)
async def test_an_engine_that_cannot_be_reached_is_one_sentence(error: Exception, words: str) -> None:
    with pytest.raises(Unreachable) as caught:
        await count(client_of(Broken(error, error)))
    assert caught.value.sentence.startswith("engine.test:8080 cannot be reached: ")
    assert words in caught.value.sentence


async def test_a_certificate_is_not_tried_again() -> None:
    broken = Broken(caused(httpx.ConnectError("x"), certificate()))
    with pytest.raises(Unreachable):
        await count(client_of(broken))
    assert broken.tries == 1


@pytest.mark.parametrize("error", [httpx.ReadTimeout(""), httpx.WriteTimeout(""), httpx.PoolTimeout("")])
async def test_a_question_that_took_too_long_is_not_repeated(error: Exception) -> None:
    broken = Broken(error)
    with pytest.raises(Slow) as caught:
        await count(client_of(broken))
    assert caught.value.sentence == "engine.test:8080 did not answer in time."
    assert broken.tries == 1


async def test_a_connection_that_is_not_taken_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="did not accept a connection within"):
        await count(client_of(Broken(httpx.ConnectTimeout(""))))


async def test_an_answer_that_trickles_for_ever_is_given_up() -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.001)

    with pytest.raises(Slow):
        await count(client_of(lambda request: httpx.Response(200, stream=Trickle()), QUICK))


async def test_a_transport_that_knows_no_timeouts_is_given_up_too() -> None:
    """The transport of the embedded engine ignores httpx's timeouts."""

    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(Slow):
        await count(client_of(never, QUICK))
    with pytest.raises(Unanswered):
        await client_of(never, QUICK).launch_batch(BatchRequest(ORDER))


@pytest.mark.parametrize(
    ("status", "body", "family", "sentence"),
    [
        (400, b'{"type":"InvalidRequestException","message":"retries is null","code":null}', Refused,
         "The engine refused (400): retries is null"),
        (500, b'{"type":"OptimisticLockingException","message":"ENGINE-03005 ...","code":1}', Refused,
         "Somebody changed the same thing at the same moment; nothing was done, try again."),
        (400, b'{"type":"InvalidRequestException","message":"","code":null}', Refused,
         "The engine refused (400): InvalidRequestException, without a message"),
        (500, b'{"type":"NullPointerException","message":null}', Refused,
         "The engine refused (500): NullPointerException, without a message"),
        (404, b'{"type":"RestException","message":"External task with id x does not exist","code":0}', NotThere,
         "The engine refused (404): External task with id x does not exist"),
        (403, b'{"type":"AuthorizationException","message":"no right","userId":"ann"}', Denied,
         "The engine does not allow this: no right"),
        (400, b"Cannot deserialize a value\n at line 1", Refused,
         "What answers there is not the engine's own: 400 Bad Request: Cannot deserialize a value at line 1."),
        (401, b"", Denied, "The engine does not know this user or password (401)."),
        (403, b"<html><body>no</body></html>", Denied, "Access is forbidden (403)."),
        (407, b"", Denied, "A proxy on the way asks for a login (407)."),
        (502, b"<html><head><title>502 Bad &amp; Gateway</title></head></html>", Refused,
         "A proxy answers, but the engine behind it does not (502: Bad & Gateway)."),
        (413, f"<title>413 {HTTPStatus(413).phrase}</title>".encode(), Refused,
         f"What answers there is not the engine's own: 413 {HTTPStatus(413).phrase}."),
        (409, b"<html><title>409 Please call us</title></html>", Refused,
         "What answers there is not the engine's own: 409 Conflict: Please call us."),
        (504, b"", Refused, "A proxy answers, but the engine behind it does not (504)."),
        (500, b"", Refused, "What answers there is not the engine's own: 500 Internal Server Error."),
        (599, b'["not", "an error body"]', Refused,
         'What answers there is not the engine\'s own: 599 (no standard status): ["not", "an error body"].'),
    ],
)  # fmt: skip
async def test_every_refusal_is_one_sentence(status: int, body: bytes, family: type[Refused], sentence: str) -> None:
    with pytest.raises(family) as caught:
        await count(client_of(lambda request: httpx.Response(status, content=body)))
    assert caught.value.sentence == sentence
    assert caught.value.status == status


async def test_a_redirect_is_told_without_the_secrets_of_its_address() -> None:
    target = "https://user:secret@login.test/auth?token=secret"
    with pytest.raises(Refused) as caught:
        await count(client_of(lambda request: httpx.Response(302, headers={"location": target})))
    assert "login.test/auth" in caught.value.sentence
    assert "secret" not in caught.value.sentence


async def test_a_refusal_keeps_the_whole_message_and_its_sentence_is_short_and_harmless() -> None:
    message = "\x1b[31mred\u202e\nnext " + "x" * 100_000
    body = {"type": "RestException", "message": message, "code": 0}
    with pytest.raises(Refused) as caught:
        await count(client_of(lambda request: httpx.Response(500, json=body)))
    assert caught.value.message == message
    assert (caught.value.type, caught.value.code) == ("RestException", 0)
    assert len(caught.value.sentence) < 500
    assert not any(character in caught.value.sentence for character in "\x1b\u202e\n")


def test_one_line_shows_controls_as_what_they_are_not() -> None:
    assert one_line("a\tb\r\n c\x07\x9b\u2066") == "a b c\ufffd\ufffd\ufffd"
    assert one_line("x" * 50, 10) == "x" * 9 + "…"


async def test_a_web_page_with_status_200_is_no_engine() -> None:
    with pytest.raises(Unintelligible, match="a web page"):
        await count(client_of(lambda request: httpx.Response(200, html="<html>Sign in</html>")))


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout(""), httpx.ReadError(""), httpx.WriteError(""), httpx.RemoteProtocolError("gone")],
    ids=lambda error: type(error).__name__,
)
async def test_an_order_whose_answer_is_lost_is_not_repeated(error: Exception) -> None:
    broken = Broken(error)
    before = datetime.now(UTC)
    with pytest.raises(Unanswered) as caught:
        await client_of(broken).launch_batch(BatchRequest(ORDER))
    assert broken.tries == 1
    assert before <= caught.value.since <= datetime.now(UTC)
    assert caught.value.sentence.startswith("Not known whether the launch of the batch was carried out: ")


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("")])
async def test_an_order_that_could_not_be_sent_is_unreachable_and_not_repeated(error: Exception) -> None:
    broken = Broken(error)
    with pytest.raises(Unreachable):
        await client_of(broken).delete_batch("b")
    assert broken.tries == 1


async def test_an_order_answered_with_nonsense_may_have_been_carried_out() -> None:
    with pytest.raises(Unanswered):
        await client_of(lambda request: httpx.Response(200, html="<html/>")).launch_batch(BatchRequest(ORDER))


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_an_order_that_a_proxy_answers_may_have_been_carried_out(status: int) -> None:
    with pytest.raises(Unanswered) as caught:
        await client_of(lambda request: httpx.Response(status, html="<html/>")).launch_batch(BatchRequest(ORDER))
    assert str(status) in caught.value.sentence


async def test_since_is_told_by_the_engine_s_clock_when_that_is_another() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=3)

    def engine(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("retries-async"):
            raise httpx.ReadTimeout("")
        return httpx.Response(200, json={"count": 1}, headers={"date": format_datetime(ahead, usegmt=True)})

    client = client_of(engine)
    await count(client)
    with pytest.raises(Unanswered) as caught:
        await client.launch_batch(BatchRequest(ORDER))
    assert abs(caught.value.since - ahead) < timedelta(seconds=3)


async def test_no_more_than_six_requests_are_under_way() -> None:
    under_way = most = 0
    full = asyncio.Event()
    open_gate = asyncio.Event()

    async def engine(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 6:
            full.set()
        await open_gate.wait()
        under_way -= 1
        return httpx.Response(200, json={"count": 1})

    client = client_of(engine)
    client.hold.login_known = True
    questions = [asyncio.create_task(count(client)) for _ in range(20)]
    await full.wait()
    open_gate.set()
    assert sum(await asyncio.gather(*questions)) == 20
    assert most == 6


async def test_round_trip_is_that_of_the_last_answer() -> None:
    client = client_of(Broken())
    assert client.round_trip is None
    await count(client)
    assert client.round_trip is not None
    assert 0 <= client.round_trip < 5


async def test_a_refusal_is_an_engine_problem_for_whoever_shows_it() -> None:
    with pytest.raises(EngineProblem):
        await count(client_of(lambda request: httpx.Response(418)))


async def test_a_server_that_asks_for_a_certificate_is_told_as_that() -> None:
    alert = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)")
    with pytest.raises(Unreachable, match="it asks for a client certificate"):
        await count(client_of(Broken(alert)))  # type: ignore[arg-type]
    with pytest.raises(Unanswered):
        await client_of(Broken(alert)).launch_batch(BatchRequest(ORDER))  # type: ignore[arg-type]


async def test_the_time_of_a_page_is_not_the_engines() -> None:
    wrong = format_datetime(datetime.now(UTC) + timedelta(hours=3), usegmt=True)
    html = {"Content-Type": "text/html", "Date": wrong}
    for answer in (httpx.Response(503, headers=html), httpx.Response(200, headers=html, content=b"<html>")):
        client = client_of(lambda request, answer=answer: answer)
        with pytest.raises(EngineProblem):
            await count(client)
        assert client.clock_difference == timedelta()


def packed(content: bytes, encoding: str) -> Callable[[httpx.Request], httpx.Response]:
    """Answers with a body that is said to be packed so."""

    async def body() -> AsyncIterator[bytes]:
        for first in range(0, len(content), 5000):
            yield content[first : first + 5000]

    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    return lambda request: httpx.Response(200, headers=headers, content=body())


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity", "identity, gzip", ""])
async def test_an_answer_in_gzip_is_unpacked(encoding: str) -> None:
    told = b'{"count": 7}' + b" " * 9000
    content = gzip.compress(told) if "gz" in encoding.lower() else told
    assert await count(client_of(packed(content, encoding))) == 7


@pytest.mark.parametrize(
    ("encoding", "times", "problem"),
    [
        ("gzip", 1, TooLarge),
        ("gzip, gzip", 2, Unintelligible),
        ("br", 1, Unintelligible),
        ("deflate, gzip", 2, Unintelligible),
    ],
)
async def test_what_is_unpacked_is_bounded(encoding: str, times: int, problem: type[Unintelligible]) -> None:
    """A few kilobytes of gzip in gzip hold gigabytes."""
    content = b" " * 60_000_000
    for _ in range(times):
        content = gzip.compress(content)
    client = client_of(packed(content, encoding), Limits(answer=2_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(problem) as raised:
            await count(client)
        assert type(raised.value) is problem
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


async def test_an_order_whose_answer_cannot_be_unpacked_may_have_been_carried_out() -> None:
    with pytest.raises(Unanswered, match="its answer cannot be read"):
        await client_of(packed(b"no gzip at all", "gzip")).launch_batch(BatchRequest(ORDER))
