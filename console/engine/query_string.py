"""A contract query as the parameters of a GET request.

Lists are comma separated and there is no escape, so a value that holds a comma cannot be said; nor can more than one
sort key. Dates carry their offset, whose ``+`` httpx sends as ``%2B``. Rules of the REST reference ("Get … (GET)").
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from retriage.console.engine.errors import Unsayable
from retriage.store.contract.queries import Query
from retriage.store.contract.values import format_moment


def parameters(query: Query) -> dict[str, str]:
    """Names and values for the query string.

    Raises:
        Unsayable: a list value holds a comma or is empty or null, a filter takes objects, or there are two sort keys.
    """
    said = {}
    for name, value in query.chosen().items():
        wire = type(query).model_fields[name].alias or name
        text = _text(wire, value)
        if text is not None:
            said[wire] = text
    return said | _sorting(query)


def _text(wire: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_moment(value)
    if isinstance(value, list):
        return _list(wire, value)
    return str(value)


def _list(wire: str, values: list[Any]) -> str | None:
    for value in values:
        if isinstance(value, BaseModel):
            raise Unsayable(f"This list of the engine has no filter {wire}.")
        if not value:
            raise Unsayable(f"The engine cannot be asked for an empty value of {wire} in this list.")
        if "," in value:
            raise Unsayable(f"The engine cannot be asked for {wire} values that hold a comma, such as {value!r}.")
    return ",".join(values) or None


def _sorting(query: Query) -> dict[str, str]:
    keys = [(entry.sort_by, entry.sort_order or "asc") for entry in query.sorting or []]
    if query.sort_by is not None:
        keys.insert(0, (query.sort_by, query.sort_order or "asc"))
    if len(keys) > 1:
        raise Unsayable("The engine sorts this list by one key only.")
    return {"sortBy": keys[0][0] or "", "sortOrder": keys[0][1]} if keys else {}
