"""Worker programs as child processes, and what they tell."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.clients.installed import js_client, python_client

HERE = Path(__file__).parent
Kind = Literal["python", "js"]


@dataclass
class Worker:
    """One program at work. ``told`` is what it wrote so far, one record a line."""

    process: asyncio.subprocess.Process
    told: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def counts(self) -> Counter[str]:
        """How often each thing happened."""
        return Counter(record["event"] for record in self.told)

    @property
    def errors(self) -> list[str]:
        """What went wrong."""
        return [record["text"] for record in self.told if record["event"] == "error"]

    async def until(self, enough: Callable[[], bool]) -> None:
        """Wait until what it told is enough. Raises ``AssertionError`` when it ends before."""
        async with self.news:
            await self.news.wait_for(lambda: enough() or self.process.returncode is not None)
        assert enough(), f"the worker ended with {self.process.returncode}: {self.told[-5:]}"

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.process.send_signal(signal.SIGKILL)

    async def listen(self) -> None:
        """Read what it writes, to its end."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self.news:
                self.told.append(json.loads(line))
                self.news.notify_all()
        await self.process.wait()
        async with self.news:
            self.news.notify_all()


@asynccontextmanager
async def at_work(kind: Kind, root: str, name: str, topics: list[str], **options: Any) -> AsyncIterator[Worker]:
    """Let a worker of this kind work until the block ends.

    Args:
        kind: the client that it is made with.
        root: REST root of the engine.
        name: its worker id.
        topics: what it subscribes to.
        options: of the client, in the client's words.
    """
    given = [root, name, json.dumps(options), *topics]
    environment = dict(os.environ)
    if kind == "python":
        command = [sys.executable, str(HERE / "worker.py"), *given]
        environment["PYTHONPATH"] = str(python_client())
    else:
        command = ["node", str(HERE / "worker.mjs"), str(js_client()), *given]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    worker = Worker(process)
    listener = asyncio.create_task(worker.listen())
    try:
        yield worker
    finally:
        if process.returncode is None:
            worker.kill()
        await listener
