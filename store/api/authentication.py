"""Who asks: HTTP Basic, where the server has been given users."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from store.commands.operators import NOBODY, Operator


class BasicAuthentication:
    """Lets only known users in below a path, and says who it was.

    A refusal is a 401 without a body, and the name of the realm is that of the engine, as the engine's own filter
    answers. The list of engines stays open.

    Args:
        app: what is asked when the user is known.
        users: passwords by name.
        root: the path below which users are asked for.
        engine: name of the engine; others below the root are left to the application, which does not know them.
    """

    def __init__(self, app: ASGIApp, users: Mapping[str, str], root: str, engine: str) -> None:
        self._app = app
        self._users = {name: password.encode() for name, password in users.items()}
        self._root = root
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and self._is_guarded(scope["path"]):
            user = self._user(Headers(scope=scope).get("authorization", ""))
            if user is None:
                refusal = Response(status_code=401, headers={"WWW-Authenticate": f'Basic realm="{self._engine}"'})
                await refusal(scope, receive, send)
                return
            scope.setdefault("state", {})["user"] = user
        await self._app(scope, receive, send)

    def _is_guarded(self, path: str) -> bool:
        parts = path.removeprefix(self._root).strip("/").split("/")
        if not path.startswith(self._root) or parts == ["engine"]:
            return False
        return not (parts[0] == "engine" and parts[1] != self._engine)

    def _user(self, header: str) -> str | None:
        """The user whose name and password a header carries."""
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = self._users.get(name)
        # Compared for unknown names too, and in constant time: how long it takes tells nothing.
        right = secrets.compare_digest(password.encode(), b"" if known is None else known)
        return name if right and known is not None and colon else None


def _operator(request: Request) -> Operator:
    user: str | None = getattr(request.state, "user", None)
    return NOBODY if user is None else Operator(user)


OperatorDep = Annotated[Operator, Depends(_operator)]
"""Who gives the order, as an argument of a route."""
