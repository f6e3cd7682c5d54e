"""A real server in a process of its own, spoken to by bytes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.engines.processes import free_port, serving


@dataclass(frozen=True)
class Served:
    """A server.

    Attributes:
        port: where it listens, at 127.0.0.1.
        process: id of its process.
        log: what it complains of.
    """

    port: int
    process: int
    log: Path

    @property
    def root(self) -> str:
        """Address of the contract."""
        return f"http://127.0.0.1:{self.port}/engine-rest"

    def memory(self) -> int:
        """Bytes that the process has in memory."""
        fields = Path(f"/proc/{self.process}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """Files and connections that it has open."""
        return len(os.listdir(f"/proc/{self.process}/fd"))

    def said(self) -> str:
        """The log."""
        return self.log.read_text("utf-8")


@contextmanager
def server(
    folder: Path,
    *options: str,
    settings: Mapping[str, object] = {},
    answer: str = "/engine",
    descriptors: tuple[int, int] | None = None,
) -> Iterator[Served]:
    """Run ``retriage serve`` on a new store until the block ends.

    Args:
        folder: for its store and its log.
        options: more of them.
        settings: by their names in ``retriage.store.settings``.
        answer: path below the contract's root that gives 200 once it is up; a whole URL for another scheme.
        descriptors: soft and hard limit of what the process may have open.
    """
    environment = {f"RETRIAGE_{name.upper()}": str(value) for name, value in settings.items()}
    port = free_port()
    command: Sequence[str] = ["env", *(f"{name}={value}" for name, value in environment.items())]
    if descriptors is not None:
        command = ["prlimit", f"--nofile={descriptors[0]}:{descriptors[1]}", *command]
    command = [*command, sys.executable, "-m", "retriage.console", "serve", "--port", str(port)]
    command += ["--store", str(folder / "store.db"), *options]
    url = answer.format(port=port) if "://" in answer else f"http://127.0.0.1:{port}/engine-rest{answer}"
    log = folder / "serve.log"
    with serving(command, url, log, within=60) as process:
        yield Served(port, process.pid, log)


@asynccontextmanager
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A well-behaved client."""
    async with httpx.AsyncClient(base_url=served.root, timeout=30, trust_env=False) as http:
        yield http


async def tell(served: Served, *pieces: bytes) -> bytes:
    """Send bytes on a connection of its own; answers all that comes back until the server closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()
