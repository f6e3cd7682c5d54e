"""The garbage collector in a program that stays open.

A console with an engine is made of hundreds of thousands of objects. A full collection looks at each of them, which
takes a tenth of a second in which neither a key nor a request is answered, and finds nothing: they stay until the end.
"""

import gc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


def spare_what_is_loaded() -> None:
    """From now on no collection looks at what exists at this moment."""
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def spared(opening: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Open something large, and let no collection look at what exists then, until it is closed.

    Args:
        opening: opens it.
    """
    async with opening as opened:
        # What is garbage already is few, and looked for at the end: a collection now would hold up the first list.
        gc.freeze()
        try:
            yield opened
        finally:
            gc.unfreeze()
