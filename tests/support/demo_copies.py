"""A demo world that is built once, of which each test has a copy of its own."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from retriage.console.engine.client import EngineClient
from retriage.console.engine.connect import connect
from retriage.console.engine.target import Demo, Embedded


def built_world(folder: Path, demo: Demo) -> Path:
    """The file of a world that is built now."""
    path = folder / "world.db"

    async def build() -> None:
        async with connect(Embedded(str(path), demo)):
            pass

    asyncio.run(build())
    return path


@asynccontextmanager
async def copied_world(world: Path, folder: Path, demo: Demo) -> AsyncIterator[EngineClient]:
    """The client of an engine that has a copy of a world."""
    async with connect(Embedded(str(shutil.copy(world, folder / "store.db")), demo)) as opened:
        yield opened
