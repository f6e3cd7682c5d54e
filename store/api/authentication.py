"""Who asks: HTTP Basic, where the server has been given users."""

import asyncio
import base64
import binascii
import logging
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from retriage.store.api.errors import refuse
from retriage.store.api.login_throttle import LONGEST_PAUSE, LoginThrottle, TooManyLogins
from retriage.store.api.users import User, Users
from retriage.store.commands.operators import NOBODY, Operator
from retriage.store.contract.errors import ContractError

log = logging.getLogger(__name__)

METRICS = "/metrics"
"""Path of a server's own figures; it is guarded as the contract is."""
_SHOWN = 64
"""Letters of an unknown name that the log keeps."""


class BasicAuthentication:
    """Lets only known users in below a path, and says who it was.

    A refusal is a 401 without a body, and the name of the realm is that of the engine, as the engine's own filter
    answers. The list of engines stays open. A failed login is logged without its password, and makes the next one of
    the same name and address wait; where too many wait, the answer is 429 with the contract's body.

    Args:
        app: what is asked when the user is known.
        users: who may be let in.
        root: the path below which users are asked for.
        engine: name of the engine; others below the root are left to the application, which does not know them.
    """

    def __init__(self, app: ASGIApp, users: Users, root: str, engine: str) -> None:
        self._app = app
        self._users = users
        self._throttle = LoginThrottle()
        self._root = root
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and self._is_guarded(scope["path"]):
            address = (scope.get("client") or ("nowhere",))[0]
            try:
                user = await self._user(Headers(scope=scope).get("authorization", ""), address)
            except TooManyLogins:
                many = refuse(ContractError(429, "RestException", "Too many logins have failed; try again later."))
                many.headers["Retry-After"] = str(round(LONGEST_PAUSE))
                await many(scope, receive, send)
                return
            if user is None:
                refusal = Response(status_code=401, headers={"WWW-Authenticate": f'Basic realm="{self._engine}"'})
                await refusal(scope, receive, send)
                return
            scope.setdefault("state", {})["user"] = user
        await self._app(scope, receive, send)

    def _is_guarded(self, path: str) -> bool:
        if path == METRICS:
            return True
        parts = path.removeprefix(self._root).strip("/").split("/")
        if not path.startswith(self._root) or parts == ["engine"]:
            return False
        return not (parts[0] == "engine" and parts[1] != self._engine)

    async def _user(self, header: str, address: str) -> User | None:
        """The user whose name and password a header carries.

        Raises:
            TooManyLogins: the password is not looked at now.
        """
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if not colon:
            return None
        if user := self._users.remembered(name, password):
            return user
        async with self._throttle.turn(address, name, is_user=name in self._users) as queue:
            if user := await asyncio.to_thread(self._users.known, name, password):
                self._throttle.succeeded(queue)
                return user
            times = self._throttle.failed(queue)
            log.warning("login of %s from %s failed (%d in a row)", ascii(name[:_SHOWN]), address, times)
        return None


async def _operator(request: Request) -> Operator:
    user: User | None = getattr(request.state, "user", None)
    return NOBODY if user is None else Operator(user.name)


OperatorDep = Annotated[Operator, Depends(_operator)]
"""Who gives the order, as an argument of a route."""
