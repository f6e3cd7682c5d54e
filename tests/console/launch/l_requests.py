"""What an engine is asked by a launch at once, from ``L`` to the ``POST``.

``python -m tests.console.launch.l_requests`` writes what the tree at hand asks; the file beside this one was written so
by commit dce4b05, before there was any operation but this.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx

from retriage.console.engine.client import EngineClient
from retriage.console.launch.preparation import LaunchPreparation
from retriage.console.launch.send import send_launch
from retriage.console.reading.selection import Composed, Everything, Selection
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery, ProcessInstanceQuery
from retriage.store.embedded import embedded_app
from retriage.store.journal import Journal
from retriage.store.settings import StoreSettings
from tests.support.plain import plain_world

BEFORE = Path(__file__).with_name("l_requests.json")
FAILED = ExternalTaskQuery(no_retries_left=True)
LAUNCHES: dict[str, tuple[int, Selection]] = {
    "10,000 by query": (10_000, Everything(FAILED)),
    "100,000 by query": (100_000, Everything(FAILED)),
    "composed": (
        1_000,
        Composed(
            SetExternalTaskRetries(external_task_query=FAILED, process_instance_query=ProcessInstanceQuery(active=True))
        ),
    ),
}
"""How many tasks there are, and what is chosen of them."""


class Recorded(httpx.AsyncBaseTransport):
    """Passes requests on, and keeps them as lines: moments and lists of ids are cut short."""

    def __init__(self, app: Any) -> None:
        self.lines: list[str] = []
        self._to = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = re.sub(rb"\[\"[^\]]{200,}\]", lambda ids: b'"%d ids"' % (ids[0].count(b",") + 1), request.content)
        line = f"{request.method} {request.url.raw_path.decode()} {body.decode()}".strip()
        self.lines.append(re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+([-+]|%2B)\d{4}", "MOMENT", line))
        return await self._to.handle_async_request(request)

    def taken(self) -> list[str]:
        """What was asked; the same one after the other is counted."""
        told = [re.sub(r"firstResult=\d+", "firstResult=N", line) for line in self.lines]
        return [f"{len(list(some))} x {line}" for line, some in groupby(told)]


@asynccontextmanager
async def engine(folder: Path, tasks: int) -> AsyncIterator[Any]:
    app = embedded_app(str(folder / "store.db"), settings=StoreSettings())
    async with app.router.lifespan_context(app):
        await app.state.store.runner.stop()
        await plain_world(app.state.store.database, tasks, retries=0)
        yield app


async def asked_by(launch: str, folder: Path) -> dict[str, list[str]]:
    """What one of the launches asks the engine."""
    tasks, selection = LAUNCHES[launch]
    journal = await Journal.open(folder / "journal.db")
    async with engine(folder, tasks) as app:
        recorded = Recorded(app)
        session = Session(ConnectionIdentity("TEST", "http://e/engine-rest", "ann"))
        session.connection.open(EngineClient(httpx.AsyncClient(transport=recorded, base_url="http://e/engine-rest")))
        session.memory.keep_journal(journal)
        preparation = LaunchPreparation(session, selection, retries=3)
        await preparation.ask()
        for kind in ("never_failed", "lowered"):
            preparation.include(kind, True)
        recorded.lines.clear()
        decided = preparation.confirm("", "")
        assert decided is not None, preparation.why_not("", "")
        assert await send_launch(session, decided, lambda event: None) is not None
        told = {"from L to the POST": recorded.taken()}
        told["written"] = [str((await journal.launches(session.memory.engine_name))[0].listed)]
    await journal.close()
    return told


async def main() -> None:
    told = {}
    for launch in LAUNCHES:
        with tempfile.TemporaryDirectory() as folder:
            told[launch] = await asked_by(launch, Path(folder))
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    asyncio.run(main())
