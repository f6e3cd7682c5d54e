"""Routes whose work is begun anew when the database takes it back."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError

from store.database import lost_race

ATTEMPTS = 4
"""How often a request is tried before its lost race is the answer."""

LONGEST_PAUSE = 0.05
"""Seconds between two attempts at most; at random, so that two do not meet again."""


class Route(APIRoute):
    """A route that is tried again after a lost race.

    Each attempt is a transaction of its own, so nothing is done twice: what a lost one did is not there, and nobody has
    been answered yet.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route as a function of the request."""
        attempt = super().get_route_handler()

        async def handle(request: Request) -> Response:
            for _ in range(ATTEMPTS - 1):
                try:
                    return await attempt(request)
                except DBAPIError as error:
                    if lost_race(error) is None:
                        raise
                await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))
            return await attempt(request)

        return handle


class Router(APIRouter):
    """A router of such routes."""

    def __init__(self, **more: Any) -> None:
        super().__init__(route_class=Route, **more)
