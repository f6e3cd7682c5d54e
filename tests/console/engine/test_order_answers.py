"""Which answers to an order prove that it was refused, and which prove nothing: a proxy is not the engine."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import Refused, Unanswered, Unreachable
from retriage.console.engine.orders import Orders
from retriage.console.orders.each import order_each
from retriage.store.contract.orders import SetExternalTaskRetries
from tests.console.engine.test_client import BATCH
from tests.support.fault_proxy import (
    BROKEN_JSON,
    LOGIN_PAGE,
    STATUSES,
    WRONG_JSON,
    Answer,
    Cut,
    Drop,
    FaultTransport,
    engine_error,
    page,
)

LAUNCH = SetExternalTaskRetries(retries=3, external_task_ids=["a"])
PROOF = 413
"""The one status of a proxy that proves that nothing was done."""
Order = Callable[[EngineClient], Awaitable[object]]
ORDERS: dict[str, Order] = {
    "launch": lambda client: client.launch_batch(BatchRequest(LAUNCH)),
    "jobs": lambda client: client.set_job_retries_async(["j"], 1),
    "suspend": lambda client: client.suspend_batch("b", True),
    "delete": lambda client: client.delete_batch("b"),
    "retry jobs": lambda client: client.retry_jobs("d", 1),
    "retry job": lambda client: client.set_job_retries("j", 1),
    "run job": lambda client: client.execute_job("j"),
    "delete job": lambda client: client.delete_job("j"),
    "suspend job": lambda client: client.suspend_job("j", True),
    "unlock": lambda client: client.unlock("t"),
    "lock": lambda client: client.lock("t", "w", 60),
    "report": lambda client: client.report_task("t", "complete", {"workerId": "w"}),
    "variables": lambda client: client.change_variables("p", {"a": {"value": 1}}, ["b"]),
    "local variables": lambda client: client.change_local_variables("e", {"a": {"value": 1}}, ["b"]),
    "note": lambda client: client.annotate_incident("i", "seen"),
}
UNPROVEN = {str(status): page(status, passed_on=True) for status in STATUSES if status != PROOF} | {
    "login page": LOGIN_PAGE,
    "wrong JSON": WRONG_JSON,
    "broken JSON": BROKEN_JSON,
    "plain text": Answer(400, b"Cannot read it", "text/plain"),
    "problem details": Answer(
        500, b'{"type": "https://example.org/gone", "message": "x", "title": "Bad Gateway"}', "application/json"
    ),
    "a gateway's word": Answer(403, b'{"type": "Forbidden", "message": "blocked by policy"}', "application/json"),
    "another gateway's": Answer(500, b'{"type": "error", "message": "upstream"}', "application/json"),
    "no message": Answer(500, b'{"type": "Error", "error": "upstream"}', "application/json"),
    "a gateway's message": Answer(504, b'{"message": "Endpoint request timed out"}', "application/json"),
    "dropped": Drop(passed_on=True),
}


class Engine:
    """Carries every order out."""

    def __init__(self) -> None:
        self.orders = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.orders += 1
        launched = request.url.path.endswith(("retries-async", "/job/retries"))
        return httpx.Response(200, json=BATCH) if launched else httpx.Response(204)


def between() -> tuple[FaultTransport, EngineClient]:
    transport = FaultTransport(httpx.MockTransport(Engine()))
    return transport, EngineClient(httpx.AsyncClient(transport=transport, base_url="http://e/engine-rest"))


@pytest.mark.parametrize("fault", UNPROVEN)
@pytest.mark.parametrize("order", ORDERS)
async def test_an_answer_that_is_no_error_of_the_contract_proves_nothing(order: str, fault: str) -> None:
    transport, client = between()
    transport.faults.play(UNPROVEN[fault])
    with pytest.raises(Unanswered) as caught:
        await ORDERS[order](client)
    assert caught.value.sentence.startswith("Not known whether the ")
    assert transport.faults.count() == 1, "it was sent twice"
    answer = UNPROVEN[fault]
    assert caught.value.status == (answer.status if isinstance(answer, Answer) else None)


@pytest.mark.parametrize("order", ["launch", "jobs"])
async def test_an_answer_that_breaks_off_proves_nothing(order: str) -> None:
    transport, client = between()
    transport.faults.play(Cut())
    with pytest.raises(Unanswered):
        await ORDERS[order](client)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "answer",
    [engine_error(status) for status in (400, 403, 404, 500, 503)]
    + [Answer(500, b'{"type": "NullPointerException", "message": null}', "application/json"), page(PROOF)],
    ids=lambda answer: str(answer.status),
)
async def test_an_error_of_the_contract_proves_a_refusal_and_so_does_too_large(order: str, answer: Answer) -> None:
    transport, client = between()
    transport.faults.play(answer)
    with pytest.raises(Refused) as caught:
        await ORDERS[order](client)
    assert caught.value.proves_nothing_done


@pytest.mark.parametrize("order", ORDERS)
async def test_what_could_not_be_sent_was_not_carried_out(order: str) -> None:
    transport, client = between()
    transport.refusing = True
    with pytest.raises(Unreachable):
        await ORDERS[order](client)


@pytest.mark.parametrize("order", ORDERS)
async def test_a_good_answer_is_good(order: str) -> None:
    _, client = between()
    await ORDERS[order](client)


class Asking:
    """As much of a session as orders to many things need."""

    stale = ""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self.connection = self

    async def ask(self, question: Order) -> object:
        return await question(self._client)


async def test_of_many_orders_those_of_which_nothing_is_known_are_counted_apart() -> None:
    transport, client = between()
    transport.faults.play(page(504, passed_on=True), on="/two/")
    transport.faults.play(engine_error(400), on="/three/")
    outcome = await order_each(
        Asking(client),  # type: ignore[arg-type]
        ["one", "two", "three"],
        lambda client, id: client.unlock(id),
        lambda done: None,
    )
    assert (outcome.done, outcome.refused, outcome.unknown, outcome.left) == (1, 1, 1, 0)
    assert not outcome.all_done


def test_every_order_of_the_client_is_tried() -> None:
    public = {name for name in vars(Orders) if not name.startswith("_")} - {"guard_orders"}
    assert len(public) == len(ORDERS), public
