"""The routes that every subject has in the same form: list, count, one."""

import inspect
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException

from retriage.store.api.answers import answer, answer_file, answer_list, answer_text
from retriage.store.api.declared import Given, declare
from retriage.store.api.requests import PageDep, body, params
from retriage.store.api.state import StoreDep
from retriage.store.contract.records import Count
from retriage.store.queries.listing import Listing
from retriage.store.queries.variables import Content
from retriage.store.settings import StoreSettings

Text = Callable[[AsyncConnection, str], Awaitable[str | None]]
File = Callable[[AsyncConnection, str], Awaitable[Content]]
Completed = Callable[[Any, StoreSettings], Any]
"""Completes a record by what the settings of the store say."""


def _as_it_is(record: Any, settings: StoreSettings) -> Any:
    return record


def add_lists(
    router: APIRouter,
    listing: Listing[Any, Any],
    *,
    path: str = "",
    post: bool = False,
    completed: Completed = _as_it_is,
) -> None:
    """Add list and count of a subject by GET, and by POST where the contract has it.

    Args:
        router: where to add them.
        listing: the query and its answers.
        path: below the router's prefix.
        post: the contract has them by POST too.
        completed: completes a record by the settings.
    """

    async def listed(store: StoreDep, request: Request, query: Any, page: PageDep) -> Response:
        first, size = (0, 0) if page.empty else (page.first, page.limit)  # asked nevertheless, for its refusals
        rows = await store.ask(request, partial(listing.page, query=query, first=first, size=size))
        return answer_list([completed(row, store.settings) for row in page.checked(rows)])

    async def counted(store: StoreDep, request: Request, query: Any) -> Response:
        return answer(Count(count=await store.ask(request, partial(listing.count, query=query))))

    for method, reader in (("GET", params), ("POST", body)) if post else (("GET", params),):
        one = Annotated[listing.query, reader(listing.query)]  # type: ignore[name-defined]
        rows = declare(_typed(listed, one), Given("list", listing.shape))
        number = declare(_typed(counted, one), Given("one", Count))
        router.add_api_route(path, rows, methods=[method], summary=listing.query.__doc__)
        router.add_api_route(f"{path}/count", number, methods=[method], summary="How many of them.")


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


def add_one(
    router: APIRouter,
    listing: Listing[Any, Any],
    path: str = "/{id}",
    literals: Collection[str] = (),
    completed: Completed = _as_it_is,
) -> None:
    """Add the route that answers one record by its id.

    Args:
        router: where to add it.
        listing: the query that knows the records.
        path: below the router's prefix.
        literals: paths in the place of an id that other methods have; they win over ids.
        completed: completes the record by the settings.
    """

    async def one(store: StoreDep, id: str) -> Response:
        if id in literals:
            raise HTTPException(405)
        return answer(completed(await store.database.read(partial(listing.get, identity=id)), store.settings))

    declare(one, Given("one", listing.shape))
    router.add_api_route(path, one, methods=["GET"], summary=listing.shape.__doc__)


def add_text(router: APIRouter, text: Text, path: str) -> None:
    """Add the route that answers a long text of one record, or 204 where it has none.

    Args:
        router: where to add it.
        text: reads it by the record's id; its own words say what it is.
        path: below the router's prefix, with ``{id}``.
    """

    async def one_text(store: StoreDep, id: str) -> Response:
        return answer_text(await store.database.read(lambda connection: text(connection, id)))

    declare(one_text, Given("text"))
    router.add_api_route(path, one_text, methods=["GET"], summary=text.__doc__)


def add_file(router: APIRouter, content: File, path: str) -> None:
    """Add the route that answers the content of one variable.

    Args:
        router: where to add it.
        content: reads it by the variable's id.
        path: below the router's prefix, with ``{variable_id}``.
    """

    async def get_data(store: StoreDep, variable_id: str) -> Response:
        """The content of a Bytes or File variable."""
        async with store.database.reading() as connection:
            found = await content(connection, variable_id)
        return answer_file(found.data, found.info)

    declare(get_data, Given("file"))
    router.add_api_route(path, get_data, methods=["GET"])
