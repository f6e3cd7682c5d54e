"""Opening the console from the command line."""

import gc
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import pytest

from retriage.console.cli import screen
from retriage.console.engine import connect
from retriage.console.engine.target import Remote


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector of garbage is as it was afterwards."""
    yield
    gc.enable()


def test_garbage_is_collected_from_the_first_frame_on(monkeypatch: pytest.MonkeyPatch, collector: None) -> None:
    opened: list[object] = []

    def connected(target: object) -> AbstractAsyncContextManager[Any]:
        opened.append(target)
        return nullcontext()

    monkeypatch.setattr(connect, "connect", connected)
    gc.disable()
    target = Remote("http://engine.test/engine-rest")
    screen.connected(target)
    assert opened == [target]
    assert gc.isenabled()
