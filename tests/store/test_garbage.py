"""Collections pass over what an open program is made of, and find its garbage when it is closed."""

import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from retriage.console.cli.screen import connected
from retriage.console.engine.target import Embedded
from retriage.store.garbage import spared


class Ring:
    """Once nobody has it, only a collection finds it."""

    def __init__(self) -> None:
        self.itself = self


@asynccontextmanager
async def _rings() -> AsyncIterator[list[Ring]]:
    yield [Ring()]


async def test_what_is_there_when_it_opens_is_looked_at_when_it_is_closed() -> None:
    async with spared(_rings()) as rings:
        ring = weakref.ref(rings.pop())
        gc.collect()
        assert ring() is not None
    gc.collect()
    assert ring() is None


async def test_beside_an_engine_in_this_process_a_collection_looks_at_little(tmp_path: Path) -> None:
    async with connected(Embedded(store=str(tmp_path / "store.db"))):
        assert len(gc.get_objects()) * 10 < gc.get_freeze_count()
