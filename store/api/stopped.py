"""What is asked of a snapshot: answered as of the moment when it was taken, and nothing can be ordered."""

from datetime import datetime

from starlette.types import ASGIApp, Receive, Scope, Send

from retriage.store.api.users import User
from retriage.store.database import stopped_clock

READER = User("snapshot", "", read_only=True)
"""Who asks: somebody who may only read."""


class Stopped:
    """Stops the store's clock for each request, and lets it only read.

    Args:
        app: what is asked.
        at: the moment at which the clock stands.
    """

    def __init__(self, app: ASGIApp, at: datetime) -> None:
        self._app = app
        self._at = at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["user"] = READER
        with stopped_clock(self._at):
            await self._app(scope, receive, send)
