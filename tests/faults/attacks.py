"""What a logged-in user waits for while strangers attack a server, in figures.

``python -m tests.faults.attacks`` runs all of them, each for some seconds against a server of its own on the loopback;
names choose some. It prints the longest wait of a logged-in count in as many seconds before the attack, which is what
the machine's other work costs, and during it, and the server's memory before, at most, and after.
"""

import argparse
import asyncio
import base64
import json
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import httpx
import trustme

from retriage.store.server.users import line_of
from tests.faults.served import Served, server

HEAD = b"POST /engine-rest/external-task/count HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ONE_BYTE_CHUNKS = b"1\r\nx\r\n" * 20_000
MANY_HEADERS = b"GET /engine-rest/version HTTP/1.1\r\nHost: localhost\r\n" + b"a:\r\n" * 16_000 + b"\r\n"
PIPELINED = b"GET /engine-rest/version HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500
NAMES = [f"user{number}" for number in range(12)]

Attack = Callable[[int, float], Awaitable[None]]
ATTACKS: dict[str, tuple[Attack, int, bool]] = {}
"""What one attacker does (number, end), how many of them, and whether against TLS."""


def attack(name: str, many: int, *, tls: bool = False) -> Callable[[Attack], Attack]:
    def noted(function: Attack) -> Attack:
        ATTACKS[name] = function, many, tls
        return function

    return noted


async def _send(port: int, first: bytes, again: bytes, end: float) -> None:
    """Send on one connection after the other, reading nothing but what comes meanwhile."""
    while time.monotonic() < end:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(first)
                while time.monotonic() < end and not reader.at_eof():
                    writer.write(again)
                    async with asyncio.timeout(max(0.1, end - time.monotonic())):
                        await writer.drain()
                    reader._buffer.clear()  # type: ignore[attr-defined]
            except TimeoutError:
                pass
            finally:
                writer.transport.abort()
        await asyncio.sleep(0.01)


for _many in (4, 40, 400):

    @attack(f"chunks-{_many}", _many)
    async def chunks(port: int, end: float) -> None:
        """Refused bodies in chunks of one byte."""
        await _send(port, CHUNKED, ONE_BYTE_CHUNKS, end)


@attack("trailers", 4)
async def trailers(port: int, end: float) -> None:
    """Refused bodies with trailers that do not end."""
    await _send(port, CHUNKED + b"0\r\n", b"a:\r\n" * 16_000 + b"\r\n" + CHUNKED + b"0\r\n", end)


@attack("headers", 40)
async def headers(port: int, end: float) -> None:
    """Heads of 16,000 headers."""
    await _send(port, b"", MANY_HEADERS, end)


@attack("pipelined", 400)
async def pipelined(port: int, end: float) -> None:
    """Refused requests, as fast as they are taken."""
    await _send(port, b"", PIPELINED, end)


def _basic(name: str, password: str) -> bytes:
    return b"Authorization: Basic " + base64.b64encode(f"{name}:{password}".encode()) + b"\r\n"


@attack("names", 40)
async def names(port: int, end: float) -> None:
    """Guesses at other names, one after the other on each of some connections; half of them longer than a head may
    be."""
    number = 0
    while time.monotonic() < end:
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while time.monotonic() < end:
                    number += 1
                    name = f"{id(writer)}-{number}" + "x" * (180_000 if number % 2 else 4_000)
                    writer.write(
                        b"GET /engine-rest/version HTTP/1.1\r\nHost: localhost\r\n" + _basic(name, "x") + b"\r\n"
                    )
                    async with asyncio.timeout(max(0.1, end - time.monotonic())):
                        await reader.readuntil(b"\r\n\r\n")
            finally:
                writer.transport.abort()


@attack("callers-that-leave", 4)
async def leaving(port: int, end: float) -> None:
    """Counts of a colleague with 1,990 conditions; he leaves after two seconds and asks anew."""
    filters = [{"name": f"v{number}", "operator": "eq", "value": number} for number in range(1_990)]
    body = json.dumps({"processVariables": filters}).encode()
    while time.monotonic() < end:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + _basic(NAMES[-1], "right") + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await asyncio.sleep(2)
            writer.transport.abort()


@attack("silent-tls", 10_000, tls=True)
async def silent(port: int, end: float) -> None:
    """Connections that say nothing."""
    await asyncio.sleep((end - time.monotonic()) * 0.6 * (id(asyncio.current_task()) // 64 % 1000) / 1000)
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(max(0.0, end - time.monotonic()))
        writer.transport.abort()


@cache
def _hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    talking = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        talking.do_handshake()
    return outgoing.read()


@attack("hello-tls", 2_000, tls=True)
async def hello(port: int, end: float) -> None:
    """Handshakes that are begun and never ended."""
    await asyncio.sleep((end - time.monotonic()) * 0.6 * (id(asyncio.current_task()) // 64 % 1000) / 1000)
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_hello())
        await asyncio.sleep(max(0.0, end - time.monotonic()))
        writer.transport.abort()


async def _attack(name: str, port: int, seconds: float) -> None:
    function, many, _ = ATTACKS[name]
    end = time.monotonic() + seconds
    await asyncio.gather(*(function(port, end) for _ in range(many)))


async def _ask(http: httpx.AsyncClient, end: float) -> list[float]:
    waits = []
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            response = await http.post("/external-task/count", json={"noRetriesLeft": True})
            assert response.status_code == 200, response.text
            waits.append(time.monotonic() - begun)
        except httpx.TransportError as error:
            print("   ", type(error).__name__, error)
            waits.append(max(99.0, time.monotonic() - begun))
        await asyncio.sleep(0.1)
    return waits


async def _first_logins(
    served: Served, scheme: str, trust: ssl.SSLContext | bool, users: list[str], end: float
) -> list[float]:
    """How long a login takes that is the first of its user, or 99 where it is refused."""
    waits = []
    for name in users:
        if time.monotonic() > end:
            break
        url = f"{scheme}://127.0.0.1:{served.port}/engine-rest"
        async with httpx.AsyncClient(base_url=url, auth=(name, "right"), verify=trust, timeout=60) as http:
            begun = time.monotonic()
            response = await http.get("/version")
            waits.append(time.monotonic() - begun if response.status_code == 200 else 99.0)
        await asyncio.sleep(0.5)
    return waits


async def _measure(name: str, seconds: float, rest: float) -> None:
    _, _, tls = ATTACKS[name]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        users = folder / "users"
        users.write_text("\n".join(line_of(user, "right") for user in NAMES))
        users.chmod(0o600)
        options = ["--demo", "3000", "--user-file", str(users)]
        trust: ssl.SSLContext | bool = True
        answer = "/engine"
        scheme = "http"
        if tls:
            authority = trustme.CA()
            issued = authority.issue_cert("localhost", "127.0.0.1")
            (folder / "cert.pem").write_bytes(
                issued.private_key_pem.bytes() + b"".join(blob.bytes() for blob in issued.cert_chain_pems)
            )
            trust = ssl.create_default_context()
            authority.configure_trust(trust)
            options += ["--certificate", str(folder / "cert.pem")]
            scheme, answer = "https", "https://127.0.0.1:{port}/engine-rest/engine"
        with server(folder, *options, answer=answer) as served:
            url = f"{scheme}://127.0.0.1:{served.port}/engine-rest"
            async with (
                httpx.AsyncClient(base_url=url, auth=(NAMES[0], "right"), verify=trust, timeout=60) as kept,
                httpx.AsyncClient(
                    base_url=url,
                    auth=(NAMES[1], "right"),
                    verify=trust,
                    timeout=60,
                    limits=httpx.Limits(max_keepalive_connections=0),
                ) as new,
            ):
                for http in (kept, new):
                    await _ask(http, time.monotonic() + 1)
                end = time.monotonic() + seconds / 2
                both, first = await asyncio.gather(
                    asyncio.gather(_ask(kept, end), _ask(new, end)),
                    _first_logins(served, scheme, trust, NAMES[2:4], end),
                )
                control = [wait for waits in both for wait in waits]
                before = served.memory()
                command = [sys.executable, "-m", "tests.faults.attacks", "--run", name, "--port", str(served.port)]
                begun = time.monotonic()
                with subprocess.Popen([*command, "--seconds", str(seconds)]) as attackers:  # noqa: ASYNC220
                    end = begun + seconds + 1
                    most = before

                    async def watch() -> None:
                        nonlocal most
                        while time.monotonic() < end:
                            most = max(most, served.memory())
                            await asyncio.sleep(0.2)

                    of_kept, of_new, of_first, _ = await asyncio.gather(
                        _ask(kept, end), _ask(new, end), _first_logins(served, scheme, trust, NAMES[4:-1], end), watch()
                    )
                    attackers.wait()
                await asyncio.sleep(rest)
                after = served.memory()
            print(
                f"{name:18} alone {max(control):6.2f} s, first login {max(first, default=0):6.2f} s;"
                f" kept {max(of_kept):6.2f} s ({len(of_kept)} answers),"
                f" new connection {max(of_new):6.2f} s"
                f" ({len(of_new)}), first login {max(of_first, default=0):6.2f} s ({len(of_first)});"
                f" memory {before >> 20} MB, {most >> 20} MB, {after >> 20} MB",
                flush=True,
            )
            if "Traceback" in served.said():
                print(served.said())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(ATTACKS))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rest", type=float, default=10, help="seconds until the memory after it is read")
    parser.add_argument("--run")
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    if given.run:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
        asyncio.run(_attack(given.run, given.port, given.seconds))
        return
    for name in given.names:
        asyncio.run(_measure(name, given.seconds, given.rest))


if __name__ == "__main__":
    main()
