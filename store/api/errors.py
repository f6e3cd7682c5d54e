"""The one place that turns errors into the contract's error body."""

import logging

from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from retriage.store.contract.errors import ContractError, ErrorBody, engine_error, invalid, not_stored, stale
from retriage.store.database import Race, is_damaged, is_too_long, is_unavailable, lost_race

log = logging.getLogger(__name__)

_CONTAINER = {
    404: ("NotFoundException", "HTTP 404 Not Found"),
    405: ("NotAllowedException", "HTTP 405 Method Not Allowed"),
}

_DEADLOCK = 10000
"""The engine's code of a transaction that the database has ended because it and another waited for each other."""


def _respond(status: int, body: ErrorBody) -> Response:
    return Response(body.model_dump_json(by_alias=True), status, media_type="application/json")


def refuse(error: ContractError) -> Response:
    """The answer of a refusal."""
    return _respond(error.status, error.body)


async def _contract(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ContractError)
    return refuse(error)


async def _container(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    type_, message = _CONTAINER.get(error.status_code, ("WebApplicationException", str(error.detail)))
    response = _respond(error.status_code, ErrorBody(type=type_, message=message))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _persistence(_request: Request, error: Exception) -> Response:
    race = lost_race(error)
    if race is Race.STALE:
        return _respond(500, stale("statement").body)
    if is_too_long(error):
        return refuse(invalid("The request names more than the database takes in one statement."))
    if is_damaged(error):
        log.error("the database is damaged (`retriage doctor --store` says how far): %s", getattr(error, "orig", error))
        return refuse(engine_error("The store's database is damaged. Stop the server, and ask `retriage doctor`."))
    if is_unavailable(error):
        log.error("the database did not serve: %s", " ".join(str(getattr(error, "orig", None) or error).split()))
    else:
        log.error("a statement failed", exc_info=error)
    return refuse(not_stored(_DEADLOCK if race is Race.DEADLOCK else 0))


async def _anything(_request: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return _respond(500, ErrorBody(type=type(error).__name__, message=str(error)))


async def _hung_up(_request: Request, _error: Exception) -> Response:
    """The client has gone in the middle of its request: nobody reads this, and nothing is wrong."""
    return Response(status_code=400)


def install(app: FastAPI) -> None:
    """Answer every error of this application with the contract's body."""
    app.add_exception_handler(ContractError, _contract)
    app.add_exception_handler(HTTPException, _container)
    app.add_exception_handler(SQLAlchemyError, _persistence)
    app.add_exception_handler(ClientDisconnect, _hung_up)
    app.add_exception_handler(Exception, _anything)
