"""The application: every route below ``/engine-rest``, and below ``/engine-rest/engine/default``."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.api.answers import answer, answer_list
from store.api.errors import install
from store.api.routes import ROUTERS
from store.contract.errors import invalid
from store.contract.records import Engine, Version

ROOT = "/engine-rest"
ENGINE = "default"
VERSION = "7.24.0"
"""Version of the contract that is served; clients look at it to know what they may ask."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(lifespan: Lifespan) -> FastAPI:
    """The contract as an ASGI application.

    Args:
        lifespan: opens the store, puts it at ``app.state.store``, and closes it.
    """
    app = FastAPI(title="Retriage store", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None)
    install(app)
    app.add_middleware(NoCache)
    app.include_router(_about(), prefix=ROOT)
    for prefix in (ROOT, f"{ROOT}/engine/{ENGINE}"):
        for router in ROUTERS:
            app.include_router(router, prefix=prefix)
    app.include_router(_unknown_engine(), prefix=ROOT)
    return app


def _about() -> APIRouter:
    router = APIRouter(tags=["Engine"])

    @router.get("/engine")
    async def get_engines() -> Response:
        """The engines behind this address."""
        return answer_list([Engine(name=ENGINE)])

    @router.get("/version")
    @router.get(f"/engine/{ENGINE}/version")
    async def get_version() -> Response:
        """The version of the contract."""
        return answer(Version(version=VERSION))

    return router


def _unknown_engine() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.api_route("/engine/{name}/{rest:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def refuse(name: str, rest: str) -> Any:
        """Only one engine is here; for its unknown paths the ordinary 404 is given."""
        if name == ENGINE:
            from starlette.exceptions import HTTPException

            raise HTTPException(404)
        raise invalid("No process engine available")

    return router


class NoCache:
    """Sets ``Cache-Control: no-cache`` on the answers to GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return

        async def with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"cache-control", b"no-cache")]
            await send(message)

        await self.app(scope, receive, with_header)
