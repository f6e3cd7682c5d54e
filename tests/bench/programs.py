"""Programs that the measurements of the terminal run: a stock table, and the console over a world without workers."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable

from retriage.console.app import RetriageApp
from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.client import EngineClient
from retriage.console.engine.connect import connect
from retriage.console.engine.target import Demo, Embedded
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import BatchStatisticsQuery, ExternalTaskQuery
from retriage.store.garbage import spared

ROWS = 500
RUNS, ENDED = "runs", "ended"
BATCH_EVERY = 0.25
"""Seconds between two looks at the batch: few, since they are taken from what is measured."""
ERRORS = ("HTTP 503 from psp", "card 41 expired", "SMTP 421 4.7.0 mx2", "timeout after 3000 ms")


class Stock(App[None]):
    """A stock table with as many columns as the list of tasks, and nothing else."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [("j", "go(1)", "down"), ("k", "go(-1)", "up")]

    def action_go(self, step: int) -> None:
        """One row further."""
        table = self.query_one(DataTable)
        table.move_cursor(row=table.cursor_row + step)

    def compose(self) -> ComposeResult:
        """The table."""
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        """Its rows."""
        table = self.query_one(DataTable)
        table.add_columns("S", "topic", "key", "try", "lock", "age", "process", "error")
        for row in range(ROWS):
            topic = ("charge-card", "send-mail", "reserve-stock")[row % 3]
            table.add_row("X", topic, f"ord-{88000 + row}", "0", "-", "3h12m", "OrderProcess", ERRORS[row % 4])
        table.focus()


def batch_file(home: str) -> Path:
    """Where the console of a measurement says how the batch is that it launched last."""
    return Path(home) / "batch-of-the-measurement"


@asynccontextmanager
async def engine(tasks: int) -> AsyncIterator[EngineClient]:
    """The embedded engine with a world of so many tasks; SIGUSR1 launches a batch over all of them in this process, and
    whether it runs or has ended stands in the file of :func:`batch_file`."""
    async with spared(connect(Embedded(demo=Demo(tasks=tasks, workers=False)))) as client:
        orders: set[asyncio.Task[object]] = set()
        retries = cycle((3, 0))

        async def launch() -> None:
            everything = SetExternalTaskRetries(retries=next(retries), external_task_query=ExternalTaskQuery())
            batch = await client.launch_batch(BatchRequest(everything))
            state = batch_file(os.environ["RETRIAGE_HOME"])
            state.write_text(RUNS)
            while await client.batches(BatchStatisticsQuery(batch_id=batch.id), 0, 1):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(BATCH_EVERY)
            state.write_text(ENDED)

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, lambda: orders.add(asyncio.create_task(launch())))
        yield client


def main(what: str, tasks: int) -> None:
    """Run one of them."""
    if what == "stock":
        os.environ["TEXTUAL_ANIMATIONS"] = "none"
        Stock().run(mouse=False)
    else:
        RetriageApp(lambda: engine(tasks), ConnectionIdentity("DEMO")).run(mouse=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
