"""The application: every route below ``/engine-rest``, and below ``/engine-rest/engine/default``."""

import re
from asyncio import to_thread
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriage.store.api.addresses import Addresses
from retriage.store.api.answers import answer, answer_list, written
from retriage.store.api.authentication import BasicAuthentication
from retriage.store.api.declared import gives, gives_list
from retriage.store.api.errors import install
from retriage.store.api.openapi import document
from retriage.store.api.page import page
from retriage.store.api.router import Router
from retriage.store.api.routes import ROUTERS
from retriage.store.api.users import User, Users
from retriage.store.contract.errors import invalid
from retriage.store.contract.records import Engine, Product, Telemetry, Version
from retriage.store.contract.version import VERSION

ROOT = "/engine-rest"
ENGINE = "default"
TITLE = "Retriage store"
ABOUT = (
    "The part of the Camunda 7 REST contract that Retriage's embedded engine serves: external tasks, batches, process "
    "instances, incidents, jobs, deployments and their history. The same paths are served below "
    f"{ROOT}/engine/{ENGINE}. HEAD is answered as GET, without the body, "
    "and OPTIONS with the methods of the path. "
    "Unknown properties and query parameters are ignored."
)

PRODUCT = "Retriage"
"""Who serves it; a console asks for it to name the engine on its first line."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(lifespan: Lifespan, users: Iterable[User] = ()) -> FastAPI:
    """The contract as an ASGI application.

    Args:
        lifespan: opens the store, puts it at ``app.state.store``, and closes it.
        users: who may be let in; where there are any, nobody else is.
    """
    app = FastAPI(title=TITLE, version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.router.redirect_slashes = False
    install(app)
    app.add_middleware(NoCache)
    if known := Users(users):
        app.add_middleware(BasicAuthentication, users=known, root=ROOT, engine=ENGINE)
    app.add_middleware(Addresses)
    app.router.routes.extend(_routes())
    return app


@cache
def _routes() -> list[BaseRoute]:
    """All routes, made once for all applications of this process: FastAPI examines their parameters again for each
    inclusion, when the first request comes."""
    router = APIRouter()
    router.include_router(_ABOUT, prefix=ROOT)
    router.include_router(_description(), prefix=ROOT)
    for prefix in (ROOT, f"{ROOT}/engine/{ENGINE}"):
        for one in ROUTERS:
            router.include_router(one, prefix=prefix)
    router.include_router(_elsewhere(), prefix=ROOT)
    return router.routes


def _about() -> APIRouter:
    router = Router(tags=["Engine"])

    @router.get("/engine")
    @gives_list(Engine)
    async def get_engines() -> Response:
        """The engines behind this address."""
        return answer_list([Engine(name=ENGINE)])

    @router.get("/version")
    @router.get("/engine/{name}/version", include_in_schema=False)
    @gives(Version)
    async def get_version() -> Response:
        """The version of the contract: of any engine, also of one that is not here (observed on Camunda 7.24.0)."""
        return answer(Version(version=VERSION))

    @router.get("/telemetry/data")
    @router.get(f"/engine/{ENGINE}/telemetry/data", include_in_schema=False)
    @gives(Telemetry)
    async def get_telemetry() -> Response:
        """What product this is. Nothing is measured, and nothing is sent to anybody."""
        return answer(Telemetry(installation=None, product=Product(name=PRODUCT, version=VERSION, edition="community")))

    return router


_ABOUT = _about()


@cache
def described() -> dict[str, Any]:
    """The OpenAPI document, made when it is first asked for."""
    return document([_ABOUT, *ROUTERS], ROOT, TITLE, VERSION, ABOUT)


@cache
def _description_bytes() -> tuple[bytes, bytes]:
    """The description as JSON and as a page, written once: any caller may ask for it."""
    return written(described()), page(described()).encode()


def _description() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def get_openapi() -> Response:
        """What is served here, for programs."""
        return Response((await to_thread(_description_bytes))[0], media_type="application/json")

    @router.get("/docs")
    async def get_page() -> Response:
        """What is served here, for people."""
        return Response((await to_thread(_description_bytes))[1], media_type="text/html")

    return router


METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@cache
def _templates() -> list[tuple[re.Pattern[str], set[str]]]:
    """The paths of the contract with their methods. One without an id stands before those that an id matches too."""
    found: dict[str, tuple[re.Pattern[str], set[str]]] = {}
    for router in (_ABOUT, *ROUTERS):
        for route in router.routes:
            if isinstance(route, APIRoute):
                found.setdefault(route.path, (route.path_regex, set()))[1].update(route.methods or ())
    return [found[path] for path in sorted(found, key=lambda path: path.count("{"))]


def _elsewhere() -> APIRouter:
    """What no route answers: which methods a path takes, and the refusals."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/{path:path}", methods=[*METHODS])
    @router.api_route("/engine/{name}/{path:path}", methods=[*METHODS])
    async def other(request: Request, path: str) -> Response:
        """Other engines have the paths of this one, and their methods are told (observed on Camunda 7.24.0)."""
        found = next((methods for pattern, methods in _templates() if pattern.match(f"/{path}")), None)
        if found is None:
            raise HTTPException(404)
        if request.method == "OPTIONS":
            methods = ", ".join(sorted({*found, "OPTIONS", *(["HEAD"] if "GET" in found else [])}))
            return Response(methods, media_type="text/plain", headers={"Allow": methods})
        if request.method not in found:
            raise HTTPException(405)
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
