"""Keys are handled one after the other.

Textual hands each key to whatever has the focus at that moment, and only later, when the key has travelled up to the
application unused, finds its action. On a slow line several keys arrive in one burst; the ones behind ``/`` or ``R``
would then still go to the table, and the letters of a filter would act on the rows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode

LEISURE = 0.03
"""Seconds after which an only key is followed: what it changed on the screen is painted before. In a burst each is
followed at once."""

PATIENCE = 0.5
"""Seconds after which the next key goes on although the one before has not come back: its place is gone."""


class KeyQueue:
    """Lets a key through when the one before it has been used or has come back unused; none before :meth:`release`.

    Args:
        app: the application.
        send: hands a key to whatever has the focus.
    """

    def __init__(self, app: App[None], send: Callable[[events.Key], Awaitable[None]]) -> None:
        self._app = app
        self._send = send
        self._waiting: deque[events.Key] = deque()
        self._held = True
        self._under_way: object | None = None
        self._not_yet_followed: tuple[DOMNode, asyncio.TimerHandle] | None = None
        self._sent: deque[tuple[events.Key, DOMNode]] = deque(maxlen=64)
        self.pressed_at = 0.0
        """When the key that is being handled was pressed, by the monotonic clock; it may have waited since."""

    async def put(self, key: events.Key) -> None:
        """A key was pressed."""
        self._waiting.append(key)
        if self._held:
            return
        if self._under_way is None:
            await self._next()
        else:
            self._hurry()

    @property
    def untouched(self) -> bool:
        """Keys are held back still, and none was pressed."""
        return self._held and not self._waiting

    async def release(self) -> None:
        """What keys act on is there: let them through, those first that were pressed meanwhile."""
        self._held = False
        await self._next()

    def came_back(self, key: events.Key) -> bool:
        """A key has travelled up to the application unused.

        Returns:
            Whether the focus has moved since it was sent. It was then sent on to the new place, where it belongs, and
            must not be looked up among the actions.
        """
        place = next((target for sent, target in self._sent if sent is key), None)
        now = self._app.focused or self._app.screen
        if place is None or place is now:
            return False
        again = events.Key(key.key, key.character)
        self._sent.append((again, now))
        now._forward_event(again)
        return True

    async def _next(self) -> None:
        if not self._waiting:
            self._under_way = None
            return
        key = self._waiting.popleft()
        place = self._app.focused or self._app.screen
        self._sent.append((key, place))
        self._under_way = object()
        self.pressed_at = key.time
        await self._send(key)
        handle = asyncio.get_running_loop().call_later(LEISURE, self._follow_now)
        self._not_yet_followed = (place, handle)
        if self._waiting:
            self._hurry()

    def _hurry(self) -> None:
        self._follow_now()
        this = self._under_way
        self._app.set_timer(PATIENCE, lambda: self._arrived(this))

    def _follow_now(self) -> None:
        if self._not_yet_followed is None:
            return
        place, handle = self._not_yet_followed
        self._not_yet_followed = None
        handle.cancel()
        this = self._under_way
        self._follow(place, lambda: self._follow(place, lambda: self._arrived(this)))

    def _follow(self, place: DOMNode, then: Callable[[], object]) -> None:
        """Go up behind the key, from queue to queue, until the application, and call it there.

        The way is gone twice: the first time behind the key to its action, then behind the message that the action may
        have sent up, such as enter in a field does.
        """
        if place is self._app or place.parent is None or not place.call_later(self._follow, place.parent, then):
            self._app.call_later(then)

    def _arrived(self, this: object | None) -> Awaitable[None] | None:
        return self._next() if self._under_way is this else None
