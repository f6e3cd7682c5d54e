"""Waiting for a state that an engine reaches in its own time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 75.0
"""Seconds before a wait is given up. A stock job executor may idle for a minute; no good answer takes that long."""


async def eventually(
    probe: Callable[[], Awaitable[T]],
    until: Callable[[T], bool] = bool,
    within: float = PATIENCE,
    every: float = 0.02,
) -> T:
    """Ask ``probe`` until ``until`` accepts its answer; gives that answer.

    ``every`` is the pause between two questions in seconds, it grows to ten times that. Raises ``AssertionError``
    with the last answer after ``within`` seconds.
    """
    deadline = time.monotonic() + within
    pause = every
    while not until(answer := await probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not reached within {within} s; the last answer was {answer!r}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, every * 10)
    return answer
