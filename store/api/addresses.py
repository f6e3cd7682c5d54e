"""How a request's address and method are understood before a route is looked for."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriage.store.api.errors import refuse
from retriage.store.contract.errors import invalid


class Addresses:
    """Takes a path with a slash at its end for the same path without, and HEAD for GET without its body.

    A path with a slash or a NUL in one of its parts, or that is no UTF-8, is refused, as by the engine's server.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if _is_unreadable(scope):
            await refuse(invalid("A path must be UTF-8, and no part of it may hold a slash or a NUL."))(
                scope, receive, send
            )
            return
        if scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"][:-1]}
        await self._app(scope, receive, send)


def _is_unreadable(scope: Scope) -> bool:
    written: bytes = scope.get("raw_path") or b""
    return b"%2f" in written.lower() or any(character in scope["path"] for character in "\0\ufffd")


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head
