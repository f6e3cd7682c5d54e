"""The way out to the terminal: whatever the terminal does, the event loop never waits for it."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TextIO

BEHIND = 16_384
"""Characters not taken by the terminal from which on it is called behind: more than a whole screen."""
PATIENCE = 2.0
"""Seconds that the end waits for a terminal that takes nothing any more."""


class Outlet:
    """Writes in a thread of its own. A terminal that is stopped (ctrl+s, a line that hangs) holds up that thread only,
    and one that has gone loses what is written.

    Args:
        file: the terminal. Only its descriptor and encoding are used: the locks of its buffer are wanted when the
            interpreter ends, and must not be held by a thread that waits.
        caught_up: called in the thread, when the terminal was behind and is so no more.
    """

    def __init__(self, file: TextIO, caught_up: Callable[[], None]) -> None:
        self._descriptor = file.fileno()
        self._encoding = file.encoding or "utf-8"
        self._caught_up = caught_up
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._put = self._taken = 0
        self._thread: threading.Thread | None = None

    @property
    def behind(self) -> bool:
        """The terminal has not taken what was written before; more would only show later what is old by then."""
        return self._put - self._taken > BEHIND

    @property
    def empty(self) -> bool:
        """The terminal has taken everything."""
        return self._put == self._taken

    def open(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="terminal-output")
        self._thread.start()

    def write(self, text: str) -> None:
        """Write as soon as the terminal takes it. Before :meth:`open` and after :meth:`close` it is lost."""
        if self._thread is not None:
            self._put += len(text)
            self._waiting.put(text)

    def close(self) -> None:
        """Wait until all is written, or until a terminal has taken nothing for :data:`PATIENCE`."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._waiting.put(None)
        taken = -1
        while thread.is_alive() and taken != self._taken:
            taken = self._taken
            thread.join(PATIENCE)

    def _run(self) -> None:
        while (text := self._waiting.get()) is not None:
            behind = self.behind
            with suppress(OSError):  # it has gone: whoever reads its keys ends the console
                self._send(text.encode(self._encoding, "replace"))
            self._taken += len(text)
            if behind and not self.behind:
                self._caught_up()

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
