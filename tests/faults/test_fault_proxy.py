"""The fault proxy itself: what it is told to play is what arrives, and the engine gets what is passed on."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.support.fault_proxy import (
    LOGIN_PAGE,
    STATUSES,
    Answer,
    Cut,
    Drop,
    FaultProxy,
    FaultTransport,
    Hang,
    Slow,
    huge,
    page,
)

ANSWER = b'[{"id": "a task"}]'


class Engine(ThreadingHTTPServer):
    """Answers everything, and remembers what came."""

    daemon_threads = True

    def __init__(self) -> None:
        self.carried_out: list[tuple[str, str, bytes]] = []
        super().__init__(("127.0.0.1", 0), EngineHandler)


class EngineHandler(BaseHTTPRequestHandler):
    server: Engine

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.carried_out.append((self.command, self.path, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    do_GET = do_POST = _any


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def proxy(engine: Engine) -> Iterator[FaultProxy]:
    with FaultProxy(("127.0.0.1", engine.server_address[1])) as started:
        yield started


@pytest.fixture
def http(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.root, timeout=30, trust_env=False) as client:
        yield client


def test_what_no_fault_fits_is_passed_on(proxy: FaultProxy, http: httpx.Client, engine: Engine) -> None:
    proxy.faults.play(page(500), on="^DELETE ")
    assert http.post("/external-task?firstResult=0", json={"a": 1}).content == ANSWER
    assert engine.carried_out == [("POST", "/engine-rest/external-task?firstResult=0", b'{"a":1}')]
    deadline = time.monotonic() + 30
    while not proxy.faults.asked and time.monotonic() < deadline:
        time.sleep(0.01)  # it is taken down once the answer is sent
    (asked,) = proxy.faults.asked
    assert (asked.method, asked.status, asked.sent, asked.fault) == ("POST", 200, len(ANSWER), None)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("passed_on", [False, True])
def test_a_page_comes_in_the_engines_place(
    proxy: FaultProxy, http: httpx.Client, engine: Engine, status: int, passed_on: bool
) -> None:
    proxy.faults.play(page(status, passed_on=passed_on, **{"Retry-After": "7"}))
    answer = http.post("/order")
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert "says the proxy" in answer.text
    assert len(engine.carried_out) == passed_on
    assert proxy.faults.lost.is_set() == passed_on


@pytest.mark.parametrize("passed_on", [False, True])
def test_a_connection_is_dropped(proxy: FaultProxy, http: httpx.Client, engine: Engine, passed_on: bool) -> None:
    proxy.faults.play(Drop(passed_on), on="/order$", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/order")
    assert len(engine.carried_out) == passed_on
    assert http.post("/order").content == ANSWER


def test_an_answer_is_cut_in_the_middle(proxy: FaultProxy, http: httpx.Client) -> None:
    with proxy.faults.while_playing(Cut(4)), pytest.raises(httpx.RemoteProtocolError):
        http.get("/order")
    assert http.get("/order").content == ANSWER


def test_a_slow_answer_comes_when_the_fault_is_cleared(proxy: FaultProxy, http: httpx.Client) -> None:
    proxy.faults.play(Slow())
    threading.Timer(0.05, proxy.faults.clear).start()
    assert http.get("/order").content == ANSWER


@pytest.mark.parametrize("passed_on", [False, True])
def test_a_request_hangs_until_the_fault_is_cleared(proxy: FaultProxy, engine: Engine, passed_on: bool) -> None:
    proxy.faults.play(Hang(passed_on), times=1)
    with ThreadPoolExecutor(1) as hands, httpx.Client(base_url=proxy.root, timeout=30, trust_env=False) as http:
        asking = hands.submit(http.get, "/order")
        assert proxy.faults.hanging.wait(30)
        assert (len(engine.carried_out), asking.done()) == (passed_on, False)
        proxy.faults.clear()
        with pytest.raises(httpx.RemoteProtocolError):
            asking.result(30)
    assert len(engine.carried_out) == passed_on


def test_an_answer_is_huge(proxy: FaultProxy, http: httpx.Client) -> None:
    proxy.faults.play(huge(3))
    assert len(http.get("/order").content) == 3 * 1024 * 1024
    proxy.faults.play(LOGIN_PAGE)
    assert "Log in" in http.get("/order").text


def test_the_door_is_closed_and_opened_at_the_same_address(proxy: FaultProxy, http: httpx.Client) -> None:
    assert http.get("/order").content == ANSWER
    proxy.close_door()
    with pytest.raises(httpx.ConnectError):
        http.get("/order")
    proxy.open_door()
    assert http.get("/order").content == ANSWER


async def test_the_same_in_one_process() -> None:
    came: list[str] = []

    def engine(request: httpx.Request) -> httpx.Response:
        came.append(request.url.path)
        return httpx.Response(200, content=ANSWER)

    transport = FaultTransport(httpx.MockTransport(engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine.test/engine-rest") as http:
        assert (await http.get("/version")).content == ANSWER
        transport.faults.play(page(503, passed_on=True), on="^POST ")
        assert (await http.post("/order")).status_code == 503
        transport.faults.play(Drop(), on="^POST ", times=1)
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post("/order")
        transport.faults.play(Answer(200, b"{}", repeated=3), on="^GET ")
        assert (await http.get("/version")).content == b"{}{}{}"
        transport.refusing = True
        with pytest.raises(httpx.ConnectError):
            await http.get("/version")
    assert came == ["/engine-rest/version", "/engine-rest/order"]
    assert [asked.status for asked in transport.faults.asked] == [200, 503, 0, 200]
