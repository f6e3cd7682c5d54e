"""Requests that have not ended when the server does."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriage.store.api.errors import refuse
from retriage.store.contract.errors import ContractError

STOPPED = "The server was stopped before it could answer."


class CutOff:
    """Answers a request that is cut off: 503 in the contract's form.

    Args:
        app: what answers the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            # Nobody but a server that has waited long enough for a request cancels it.
            if scope["type"] != "http":
                raise
            # An answer that has begun ends with its connection.
            if not begun:
                await refuse(ContractError(503, "RestException", STOPPED))(scope, receive, send)
