"""The time to read: a key that confirms counts only when what it confirms could be read.

Keys typed ahead, a burst on a slow line, or a key that bounces would else launch what nobody has seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from textual.events import Key
    from textual.screen import Screen

DELAY = 0.5
"""Seconds after the frame was written from which on a key confirms."""
LOOK_AGAIN = 0.05
"""Seconds between two looks whether a terminal that is behind has taken the frame."""


@runtime_checkable
class InputAndFrames(Protocol):
    """What an application tells of its terminal."""

    @property
    def input_time(self) -> float:
        """When the key, or the mouse button, that is being handled was pressed, by the monotonic clock."""
        ...

    @property
    def frame_written(self) -> bool:
        """The terminal has taken all that was written."""
        ...


class ConfirmDelay:
    """Tells a dialog whether the key that it is handing on may confirm.

    A key that was pressed too early does nothing, and is not kept for later.

    Args:
        screen: the dialog.
        ready: called when keys begin to count, so that the dialog can show it.
        clock: seconds that only go forward.
    """

    def __init__(
        self, screen: Screen[Any], ready: Callable[[], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._screen = screen
        self._ready = ready
        self._clock = clock
        self._content: Hashable = None
        self._written_at: float | None = None

    def shown(self, content: Hashable) -> None:
        """The dialog shows this from its next frame on; when it is something else than before, the time begins anew.

        Args:
            content: all that is confirmed, such as the counts and the request; ``None`` while that is not known.
        """
        if content == self._content:
            return
        self._content, self._written_at = content, None
        if content is not None:
            self._screen.call_after_refresh(self._written, content)

    def covered(self) -> None:
        """Something else was in front: what is confirmed has to be read again."""
        content, self._content = self._content, None
        self.shown(content)

    @property
    def over(self) -> bool:
        """A key that is pressed now confirms."""
        return self._confirms(self._clock())

    @property
    def confirms(self) -> bool:
        """The key that is being handled was pressed late enough."""
        app = self._screen.app
        return self._confirms(app.input_time if isinstance(app, InputAndFrames) else self._clock())

    def _confirms(self, moment: float) -> bool:
        return self._written_at is not None and moment - self._written_at >= DELAY

    def _written(self, content: Hashable) -> None:
        if content != self._content or self._written_at is not None:
            return
        app = self._screen.app
        if isinstance(app, InputAndFrames) and not app.frame_written:
            self._screen.set_timer(LOOK_AGAIN, lambda: self._written(content))
            return
        self._written_at = self._clock()
        self._tell_when_over()

    def _tell_when_over(self) -> None:
        if self.over:
            self._ready()
        elif self._written_at is not None:
            left = DELAY - (self._clock() - self._written_at)
            self._screen.set_timer(max(left, LOOK_AGAIN), self._tell_when_over)


def pressed(event: Key, *keys: str) -> str:
    """Which of the keys that order was pressed, and by itself; empty where none was.

    An escape and a key in one burst arrive as one key with alt: who wanted to leave must not order.
    """
    if event.key.startswith(("alt+", "ctrl+")):
        return ""
    return next((key for key in keys if key in (event.key, event.character)), "")
