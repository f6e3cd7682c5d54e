"""Targets, credentials, certificates, and the two kinds of engine behind one client."""

import asyncio
import os
from pathlib import Path

import pytest

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.client import EngineClient
from retriage.console.engine.connect import Demo, Embedded, Remote, connect
from retriage.console.engine.errors import EngineProblem, Unreachable
from retriage.console.session.poller import Poller
from retriage.console.session.snapshot import Snapshot
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import BatchStatisticsQuery, ExternalTaskQuery, IncidentQuery
from retriage.store.contract.records import HistoricBatch


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://host:8080/engine-rest", "http://host:8080/engine-rest"),
        ("http://host:8080/engine-rest/", "http://host:8080/engine-rest"),
        ("https://host", "https://host/engine-rest"),
        ("host:8080", "http://host:8080/engine-rest"),
        ("https://ann:secret@host/rest/engine/other?x=1#y", "https://host/rest/engine/other"),
        ("http://[::1]:8080/", "http://[::1]:8080/engine-rest"),
    ],
)
def test_the_root_of_an_address(url: str, root: str) -> None:
    assert Remote(url).root() == root


@pytest.mark.parametrize("url", ["", "http://", "ftp://host/x", "http://host:99999999", "http://[::1"])
async def test_what_is_no_address_is_one_sentence(url: str) -> None:
    with pytest.raises(EngineProblem) as caught:
        async with connect(Remote(url)):
            pass
    assert caught.value.sentence.startswith("This is not the address of an engine")


def test_no_secret_shows() -> None:
    shown = repr(Remote("https://ann:secret@host", password="secret", token="secret"))
    assert "secret" not in shown
    assert "ann" in shown


async def test_a_certificate_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(EngineProblem, match="cannot be read as PEM"):
            async with connect(Remote("https://host", ca=tmp_path / name)):
                pass


async def _heads(remote: Remote) -> str:
    """The head of the request that a client of the target sends to a socket."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = b'{"count":1}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        connect(Remote(remote.url.format(port=port), remote.user, remote.password, remote.token)) as client,
    ):
        assert await client.count_incidents(IncidentQuery()) == 1
        assert client.url == f"http://127.0.0.1:{port}/engine-rest"
    return heads[0]


async def test_basic_login_from_the_address_or_beside_it() -> None:
    basic = "Authorization: Basic YW5uOnNlY3JldA=="
    assert basic in await _heads(Remote("http://ann:secret@127.0.0.1:{port}/engine-rest"))
    assert basic in await _heads(Remote("http://127.0.0.1:{port}", user="ann", password="secret"))


async def test_a_bearer_token_goes_before_a_login() -> None:
    head = await _heads(Remote("http://127.0.0.1:{port}", user="ann", password="secret", token="t0k"))
    assert "Authorization: Bearer t0k" in head
    assert "Basic" not in head
    assert "GET /engine-rest/incident/count HTTP/1.1" in head


async def test_no_login_sends_none() -> None:
    assert "authorization" not in (await _heads(Remote("http://127.0.0.1:{port}"))).lower()


async def test_nothing_listens() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with connect(Remote(f"http://127.0.0.1:{port}")) as client:
        with pytest.raises(Unreachable, match=f"127.0.0.1:{port} cannot be reached: nothing listens there"):
            await client.count_incidents(IncidentQuery())


async def test_a_store_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "noise.db").write_text("no database " * 100)
    for place in (tmp_path / "file" / "below.db", tmp_path / "noise.db"):
        with pytest.raises(EngineProblem, match="cannot be opened") as caught:
            async with connect(Embedded(str(place))):
                pass
        assert str(caught.value).count("cannot be opened") == 1
        assert str(caught.value).count(str(place)) == 1


async def _ended(client: EngineClient, batch_id: str) -> None:
    ended = asyncio.Event()

    def look(snapshot: Snapshot[HistoricBatch]) -> None:
        if snapshot.value is not None and snapshot.value.end_time is not None:
            ended.set()

    poller = Poller(lambda: client.historic_batch(batch_id), look, interval=0.02)
    poller.start()
    async with asyncio.timeout(60):
        await ended.wait()
    await poller.stop()


async def test_the_whole_road_on_the_embedded_engine(tmp_path: Path) -> None:
    failed = ExternalTaskQuery(no_retries_left=True)
    async with connect(Embedded(str(tmp_path / "store.db"), Demo(tasks=300, seed=7, workers=False))) as client:
        identity = await client.identity()
        assert (identity.kind, identity.name) == ("Retriage", "default")
        before = await client.count_external_tasks(failed)
        assert before > 0
        assert len(await client.external_tasks(failed, 0, 10)) == min(10, before)
        incidents = await client.count_incidents(IncidentQuery(incident_type="failedExternalTask"))
        batch = await client.launch_batch(BatchRequest(SetExternalTaskRetries(retries=3, external_task_query=failed)))
        assert batch.total_jobs == before
        await _ended(client, batch.id)
        assert await client.count_external_tasks(failed) == 0
        assert await client.count_incidents(IncidentQuery(incident_type="failedExternalTask")) == incidents - before
        assert await client.batches(BatchStatisticsQuery(batch_id=batch.id), 0, 1) == []


async def test_a_throw_away_store_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with connect(Embedded(None, Demo(tasks=10, workers=False))) as client:
        assert await client.count_external_tasks(ExternalTaskQuery()) == 10
        assert os.listdir(tmp_path) != []
    assert os.listdir(tmp_path) == []


async def test_a_demo_can_be_watched_while_it_is_written_and_its_pace_be_turned(tmp_path: Path) -> None:
    demo = Demo(tasks=90, seed=7, workers=False, jobs_per_second=0.5)
    failed = ExternalTaskQuery(no_retries_left=True)
    async with connect(Embedded(str(tmp_path / "store.db"), demo)) as client:
        assert demo.handle.written == 90
        pace = demo.handle.pace
        assert pace is not None
        assert pace.factor == 1
        batch = await client.launch_batch(BatchRequest(SetExternalTaskRetries(retries=3, external_task_query=failed)))
        async with asyncio.timeout(60):
            while True:
                (seen,) = await client.batches(BatchStatisticsQuery(batch_id=batch.id), 0, 1)
                if seen.completed_jobs:
                    break
                await asyncio.sleep(0.02)
        assert seen.completed_jobs < batch.total_jobs
        while pace.factor < 64:
            pace.faster()
        await _ended(client, batch.id)
        assert await client.count_external_tasks(failed) == 0
    hurried = Demo(tasks=10, workers=False)
    async with connect(Embedded(str(tmp_path / "other.db"), hurried)):
        assert hurried.handle.pace is None
