"""Routes whose work is begun anew when the database takes it back."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError

from retriage.store.api.declared import given_by, is_acceptable
from retriage.store.api.requests import Body
from retriage.store.api.users import User
from retriage.store.contract.errors import ContractError
from retriage.store.contract.queries import Query
from retriage.store.database import lost_race

ATTEMPTS = 4
"""How often a request is tried before its lost race is the answer."""

LONGEST_PAUSE = 0.05
"""Seconds between two attempts at most; at random, so that two do not meet again."""


class Route(APIRoute):
    """A route that is tried again after a lost race.

    Each attempt is a transaction of its own, so nothing is done twice: what a lost one did is not there, and nobody has
    been answered yet. What the client does not accept is not even tried.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route as a function of the request."""
        attempt = super().get_route_handler()

        given = given_by(self.endpoint)
        asks = _only_asks(self)

        async def handle(request: Request) -> Response:
            user: User | None = getattr(request.state, "user", None)
            if user is not None and user.read_only and not asks:
                raise ContractError(
                    403, "AuthorizationException", f"The user '{user.name}' may only read.", 0, {"userId": user.name}
                )
            if given is not None and not is_acceptable(given, request.headers.get("accept")):
                raise ContractError(406, "NotAcceptableException", "HTTP 406 Not Acceptable")
            for _ in range(ATTEMPTS - 1):
                try:
                    return await attempt(request)
                except DBAPIError as error:
                    if lost_race(error) is None:
                        raise
                await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))
            return await attempt(request)

        return handle


def _only_asks(route: APIRoute) -> bool:
    """Whether a route changes nothing: it is a GET, or its body is a query."""
    readers = (reader.call for reader in route.dependant.dependencies)
    return route.methods == {"GET"} or any(
        isinstance(reader, Body) and issubclass(reader.model, Query) for reader in readers
    )


class Router(APIRouter):
    """A router of such routes."""

    def __init__(self, **more: Any) -> None:
        super().__init__(route_class=Route, **more)
