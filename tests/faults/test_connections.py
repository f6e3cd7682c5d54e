"""Connections that say nothing, half of something, or two things at once; and the others are answered all the while."""

import asyncio
import json
import re
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import trustme

from retriage.store.server.connections import LONGEST_HEAD
from retriage.store.server.handshakes import MOST_HANDSHAKES
from tests.faults.served import Served, client, server, tell

HEAD = b"POST /engine-rest/external-task/count HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WITHOUT_END = b"GET /engine-rest/version HTTP/1.1\r\nHost: localhost\r\n"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def sentence(answer: bytes) -> tuple[int, str]:
    """Status and sentence of a refusal in the contract's form."""
    head, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)
    assert set(error) == {"type", "message", "code"}
    assert b"application/json" in head
    return int(head.split()[1]), error["message"]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  a file of another process tells nobody that it grows
            await asyncio.sleep(0.05)


async def silent(served: Served, stack: AsyncExitStack, number: int, first: bytes = b"") -> list[asyncio.StreamReader]:
    """Connections that say no more than so much."""
    readers = []
    for _ in range(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        stack.callback(writer.close)
        writer.write(first)
        readers.append(reader)
    return readers


async def test_a_body_has_one_length(tmp_path: Path) -> None:
    smuggled = b"GET /engine-rest/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with server(tmp_path) as served:
        for lengths in (
            b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        ):
            answer = await tell(served, HEAD + lengths + b"\r\n0\r\n\r\n" + smuggled)
            assert sentence(answer) == (400, "This HTTP request cannot be understood.")
            assert answer.count(b"HTTP/1.1") == 1, "the rest is no request of its own"
        assert (
            await tell(served, HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        ).endswith(b'{"count":0}')


@pytest.mark.parametrize(
    ("first", "owed"),
    [
        (b"", "the head of its request"),
        (WITHOUT_END, "the head of its request"),
        (HEAD + b"Content-Length: 100\r\n\r\n{", "the body of its request"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "the body of its request"),
    ],
    ids=["nothing", "half a head", "half a body", "half a chunked body"],
)
async def test_who_keeps_the_server_waiting_is_closed(tmp_path: Path, first: bytes, owed: str) -> None:
    with server(tmp_path, settings={"head_seconds": 0.5, "body_seconds": 0.5}) as served:
        assert sentence(await tell(served, first)) == (408, f"The server has waited too long for {owed}.")
        assert f"closed a connection that owed {owed} for too long" in served.said()
        assert "Traceback" not in served.said()


async def test_a_head_that_drips_has_the_same_deadline(tmp_path: Path) -> None:
    with server(tmp_path, settings={"head_seconds": 1}) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        # Not to the end of the connection: a byte that arrives after the answer has it reset.
        answer = asyncio.create_task(reader.readuntil(b"}"))
        async with asyncio.timeout(60):
            while not (await asyncio.wait([answer], timeout=0.1))[0]:
                writer.write(b"G")
        writer.close()
        assert sentence(await answer) == (408, "The server has waited too long for the head of its request.")


async def test_connections_that_say_nothing_keep_nobody_out(tmp_path: Path) -> None:
    limit = 50
    with server(tmp_path, settings={"max_connections": limit, "head_seconds": 600, "body_seconds": 600}) as served:
        before = served.descriptors()
        async with AsyncExitStack() as stack:
            for first in (b"", WITHOUT_END, HEAD + b"Content-Length: 9\r\n\r\n{"):
                await silent(served, stack, 4 * limit, first)
                for _ in range(5):
                    async with client(served) as http:
                        assert (await http.get("/version")).status_code == 200
            assert served.descriptors() - before <= limit + 5
            log = served.said()
        assert len(log.splitlines()) < 50, "the log does not repeat itself"
        assert "Traceback" not in log
    assert re.search(r"\d+ more lines like this in \d+ s: %d connections are open", served.said())


async def test_more_connections_than_the_system_has_descriptors(tmp_path: Path) -> None:
    """The limit of descriptors is raised as far as it may be, and there are fewer connections than that."""
    with server(tmp_path, settings={"head_seconds": 600}, descriptors=(200, 600)) as served:
        async with AsyncExitStack() as stack:
            await silent(served, stack, 1100)
            for _ in range(5):
                async with client(served) as http:
                    assert (await http.get("/version")).status_code == 200
            assert 300 < served.descriptors() < 600
            assert len(served.said().splitlines()) < 50


async def test_one_that_waits_for_its_answer_is_not_given_up(tmp_path: Path) -> None:
    limit = 20
    order = json.dumps(
        {
            "workerId": "w",
            "maxTasks": 1,
            "asyncResponseTimeout": 20_000,
            "topics": [{"topicName": "x", "lockDuration": 1}],
        }
    )
    fetch = HEAD.replace(b"count", b"fetchAndLock") + b"Content-Length: %d\r\n\r\n" % len(order) + order.encode()
    with server(tmp_path, settings={"max_connections": limit, "head_seconds": 600}) as served:
        async with AsyncExitStack() as stack, asyncio.timeout(60):
            (waiting,) = await silent(served, stack, 1, fetch)
            # The fetch came first, so the server has read it when it answers what came later.
            async with httpx.AsyncClient() as another:
                await another.get(f"{served.root}/external-task/count")
            await silent(served, stack, 3 * limit)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(waiting.read(1), 0.5)
            busy = await silent(served, stack, limit - 1, fetch)
            async with client(served) as http:
                response = await http.get("/version", headers={"Connection": "close"})
                while response.status_code != 503:  # not all of them are at work yet
                    response = await http.get("/version", headers={"Connection": "close"})
            assert response.json()["message"] == "The server has too many connections; try again later."
            assert not any(reader.at_eof() for reader in (waiting, *busy))


async def test_an_answer_that_nobody_takes_is_not_kept(tmp_path: Path) -> None:
    with server(tmp_path, "--demo", "3000", settings={"answer_seconds": 0.5}) as served:
        async with AsyncExitStack() as stack, asyncio.timeout(60):
            ask = b"GET /engine-rest/external-task HTTP/1.1\r\nHost: localhost\r\n\r\n"
            await silent(served, stack, 3, ask * 20)
            await until(lambda: "did not take its answer for too long" in served.said())
            async with client(served) as http:
                assert (await http.get("/version")).status_code == 200


async def test_what_is_no_http_is_refused_in_the_contracts_form(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        for junk in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n"):
            assert sentence(await tell(served, junk))[0] == 400
        assert sentence(await tell(served, WITHOUT_END + b"X: " + b"x" * LONGEST_HEAD))[0] == 431
        for broken in (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"Content-Length: -1\r\n\r\n"):
            assert sentence(await tell(served, HEAD + broken))[0] == 400
        assert "Traceback" not in served.said()


def certified(folder: Path) -> tuple[list[str], ssl.SSLContext]:
    """Options of a server with a new certificate, and who trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return ["--certificate", str(certificate), "--key", str(key)], trust


UP = "https://127.0.0.1:{port}/engine-rest/engine"


def hello() -> bytes:
    """The first message of a TLS handshake."""
    outgoing = ssl.MemoryBIO()
    talking = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        talking.do_handshake()
    return outgoing.read()


async def test_handshakes_that_do_not_come_cost_little_and_keep_nobody_out(tmp_path: Path) -> None:
    """Silent ones, first messages in pieces, and handshakes that are begun and left."""
    options, trust = certified(tmp_path)
    many, most = 2 * MOST_HANDSHAKES, 50_000_000
    with server(tmp_path, *options, settings={"head_seconds": 600}, answer=UP) as served:
        async with AsyncExitStack() as stack, httpx.AsyncClient(verify=trust, trust_env=False) as http:
            version = served.root.replace("http:", "https:") + "/version"
            assert (await http.get(version)).status_code == 200
            before = served.memory()
            for first in (b"", hello()[:100], hello()):
                await silent(served, stack, many, first)
                assert (await http.get(version, headers={"Connection": "close"})).status_code == 200
            await until(lambda: "connections owe the end of its TLS handshake" in served.said())
            assert (await http.get(version, headers={"Connection": "close"})).status_code == 200
            assert served.memory() - before < most
            assert served.descriptors() < 3 * many, "some of those that had begun made room"
        assert "Traceback" not in served.said()


async def test_a_body_over_tls_in_one_piece_and_in_many(tmp_path: Path) -> None:
    options, trust = certified(tmp_path)
    ids = json.dumps({"externalTaskIdIn": [f"no such task {number}" for number in range(50_000)]}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(ids), 1000):
            yield ids[begin : begin + 1000]

    with server(tmp_path, *options, answer=UP) as served:
        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=60) as http:
            for content in (ids, pieces()):
                response = await http.post(
                    served.root.replace("http:", "https:") + "/external-task/count",
                    content=content,
                    headers={"Content-Type": "application/json"},
                )
                assert response.json() == {"count": 0}


async def test_tls_by_files(tmp_path: Path) -> None:
    options, trust = certified(tmp_path)
    with server(tmp_path, *options, settings={"head_seconds": 0.5}, answer=UP) as served:
        async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
            response = await http.get(served.root.replace("http:", "https:") + "/version")
            assert response.status_code == 200
        assert await tell(served, b"") == b"", "a handshake that does not come is not waited for"
        assert await tell(served, WITHOUT_END + b"\r\n") == b"", "nothing is answered in the clear"
        assert "Serving https://127.0.0.1:" in served.said()
        assert "Traceback" not in served.said()


async def test_names_and_pages_of_others(tmp_path: Path) -> None:
    with server(tmp_path, "--allow-host", "bpm.example") as served:
        async with client(served) as http:
            assert (await http.get("/version", headers={"Host": "bpm.example"})).status_code == 200
            assert (await http.get("/version", headers={"Host": f"127.0.0.1:{served.port}"})).status_code == 200
            assert (await http.get("/version", headers={"Host": "rebound.example"})).status_code == 403
            foreign = {"Origin": "http://page.example", "Sec-Fetch-Site": "cross-site"}
            files = {"x.bpmn": ("x.bpmn", b"<definitions/>")}
            assert (await http.post("/deployment/create", files=files, headers=foreign)).status_code == 403
        assert "does not answer to the name 'rebound.example'" in served.said()
        assert "takes no orders from a page of 'http://page.example'" in served.said()


@pytest.mark.parametrize("proxied", [False, True])
async def test_only_a_proxy_says_where_a_request_comes_from(tmp_path: Path, proxied: bool) -> None:
    options = ["--allow-host", "bpm.example"] if proxied else []
    with server(tmp_path, "--user", "ops:secret", *options) as served:
        async with client(served) as http:
            told = {"X-Forwarded-For": "192.0.2.7"}
            assert (await http.get("/version", auth=("ops", "wrong"), headers=told)).status_code == 401
        address = "192.0.2.7" if proxied else "127.0.0.1"
        await until(lambda: f"login of 'ops' from {address} failed (1 in a row)" in served.said())
