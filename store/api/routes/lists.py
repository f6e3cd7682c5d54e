"""The routes that every subject has in the same form: list, count, one."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException

from store.api.answers import answer, answer_list
from store.api.requests import PageDep, body, params
from store.api.state import StoreDep
from store.contract.model import Shape
from store.contract.queries import Query
from store.contract.records import Count

QueryT = TypeVar("QueryT", bound=Query)
List = Callable[[AsyncConnection, Any, int, int | None], Awaitable[Sequence[Shape]]]
CountRows = Callable[[AsyncConnection, Any], Awaitable[int]]
Get = Callable[[AsyncConnection, str], Awaitable[Shape]]


def add_lists(
    router: APIRouter, query: type[QueryT], rows: List, count: CountRows, *, path: str = "", post: bool = False
) -> None:
    """Add list and count of a subject by GET, and by POST where the contract has it.

    Args:
        router: where to add them.
        query: the filters.
        rows: answers one page.
        count: answers how many match.
        path: below the router's prefix.
        post: the contract has them by POST too.
    """

    async def listed(store: StoreDep, query: Any, page: PageDep) -> Response:
        if page.empty:
            return answer_list([])
        async with store.database.reading() as connection:
            return answer_list(await rows(connection, query, page.first, page.size))

    async def counted(store: StoreDep, query: Any) -> Response:
        async with store.database.reading() as connection:
            return answer(Count(count=await count(connection, query)))

    for method, reader in (("GET", params), ("POST", body)) if post else (("GET", params),):
        one = Annotated[query, reader(query)]  # type: ignore[valid-type]
        router.add_api_route(path, _typed(listed, one), methods=[method], summary=query.__doc__)
        router.add_api_route(f"{path}/count", _typed(counted, one), methods=[method], summary="How many of them.")


def _typed(route: Callable[..., Any], query: Any) -> Callable[..., Any]:
    """The same route with the query read in another way."""

    async def read(*args: Any, **kwargs: Any) -> Response:
        response: Response = await route(*args, **kwargs)
        return response

    signature = inspect.signature(route)
    parameters = [
        parameter.replace(annotation=query) if name == "query" else parameter
        for name, parameter in signature.parameters.items()
    ]
    read.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    read.__name__ = route.__name__
    return read


def add_one(router: APIRouter, get: Get, path: str = "/{id}", literals: Collection[str] = ()) -> None:
    """Add the route that answers one record by its id.

    Args:
        router: where to add it.
        get: answers the record.
        path: below the router's prefix.
        literals: paths in the place of an id that other methods have; they win over ids.
    """

    async def one(store: StoreDep, id: str) -> Response:
        if id in literals:
            raise HTTPException(405)
        async with store.database.reading() as connection:
            return answer(await get(connection, id))

    router.add_api_route(path, one, methods=["GET"], summary="One of them.")
