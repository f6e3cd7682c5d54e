"""How a request becomes a shape of the contract.

The framework's own validation is not used: its texts and statuses are not the contract's. Instead a route takes
``Annotated[ExternalTaskQuery, body(ExternalTaskQuery)]`` or ``Annotated[IncidentQuery, params(IncidentQuery)]``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast, get_args

from fastapi import Depends, Request
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import from_json

from store.contract.errors import ContractError, invalid
from store.contract.model import Shape
from store.contract.queries import ExternalTaskQuery, Query, TimeFilter, VariableFilter
from store.contract.values import INT_MAX, LONG_MAX, parse_moment
from store.queries.sorting import check_get_sorting

ShapeT = TypeVar("ShapeT", bound=Shape)
QueryT = TypeVar("QueryT", bound=Query)

_SETS = {"external_task_id_in", "job_ids", "process_instance_ids"}
"""Lists whose empty text is one empty element, which matches nothing; for all others it is no filter."""


def body(model: type[ShapeT]) -> Any:
    """A dependency that reads the JSON body. An empty body is ``{}``; unknown properties are ignored.

    Raises (when called by the framework):
        ContractError: 415 for another media type, 400 for malformed JSON (empty message) or a wrong value.
    """

    async def read(request: Request) -> ShapeT:
        raw = await request.body()
        if not raw.strip():
            return model()
        media = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if media != "application/json" and not media.endswith("+json"):
            raise ContractError(415, "NotSupportedException", "HTTP 415 Unsupported Media Type")
        return parse(model, raw)

    return Depends(read)


def parse(model: type[ShapeT], raw: bytes) -> ShapeT:
    """JSON text to a shape; see ``body``."""
    try:
        value = from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise invalid("") from None
    if not isinstance(value, dict):
        raise invalid(f"A JSON object is needed, not {_json_kind(value)}")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(_sentence(error)) from None


def _json_kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"Cannot read property '{where}': {what}"


def params(model: type[QueryT]) -> Any:
    """A dependency that reads a query from the query string: the first value of each name, unknown names ignored.

    Raises (when called by the framework):
        ContractError: 400 for a value that cannot be read, or sort parameters that do not fit.
    """
    readers = {
        field.alias or name: (name, _reader(model, name, field))
        for name, field in model.model_fields.items()
        if name not in ("sorting", "or_queries")
    }

    def read(request: Request) -> QueryT:
        values: dict[str, Any] = {}
        for alias, (name, reader) in readers.items():
            text = request.query_params.getlist(alias)[:1]
            if text:
                values[name] = reader(alias, text[0])
        query = model.model_construct(**dict.fromkeys(model.model_fields) | values)
        check_get_sorting(query)
        return cast(QueryT, query)

    return Depends(read)


Reader = Callable[[str, str], Any]


def _reader(model: type[Query], name: str, field: FieldInfo) -> Reader:
    kinds = get_args(field.annotation)
    if bool in kinds:
        return _read_bool
    if int in kinds:
        return _read_int
    if datetime in kinds:
        return _read_moment
    if list[VariableFilter] in kinds:
        return _read_variables
    if list[TimeFilter] in kinds:
        return _read_times
    if any(getattr(kind, "__origin__", None) is list for kind in kinds):
        if name in _SETS or (model is ExternalTaskQuery and name == "process_definition_key_in"):
            return lambda _, text: text.split(",")
        return lambda _, text: text.split(",") if text.strip() else None
    return lambda _, text: text


def _unreadable(name: str, text: str, inner: str, kind: str) -> ContractError:
    return invalid(
        f"Cannot set query parameter '{name}' to value '{text}': Cannot convert value {inner} to java type {kind}"
    )


def _read_bool(name: str, text: str) -> bool:
    known = {"true": True, "false": False, "1": True, "0": False}
    if text.strip() not in known:
        raise _unreadable(name, text, text, "java.lang.Boolean")
    return known[text.strip()]


def _read_int(name: str, text: str) -> int:
    try:
        value = int(text.strip())
    except ValueError:
        value = LONG_MAX + 1
    if not -LONG_MAX - 1 <= value <= LONG_MAX:
        raise _unreadable(name, text, text, "java.lang.Long")
    return value


def _read_moment(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return parse_moment(text)
    except (ValueError, OverflowError):
        raise _unreadable(name, text, f'"{text}"', "java.util.Date") from None


def _read_variables(name: str, text: str) -> list[VariableFilter]:
    found = []
    for part in text.split(","):
        pieces = part.split("_")
        if len(pieces) != 3 or not pieces[2]:
            raise invalid(
                f"Cannot set query parameter '{name}' to value '{text}': "
                "variable query parameter has to have format KEY_OPERATOR_VALUE."
            )
        found.append(VariableFilter(name=pieces[0], operator=pieces[1], value=pieces[2]))
    return found


def _read_times(name: str, text: str) -> list[TimeFilter]:
    found = []
    for part in text.split(","):
        operator, underscore, value = part.partition("_")
        if not underscore:
            raise invalid(
                f"Cannot set query parameter '{name}' to value '{text}': "
                "condition query parameter has to have format OPERATOR_VALUE."
            )
        found.append(TimeFilter(operator=operator, value=value))
    return found


@dataclass(frozen=True)
class Page:
    """The slice that was asked for. ``size`` is none for all rows; an ``empty`` page has no rows whatever matches."""

    first: int = 0
    size: int | None = None

    @property
    def empty(self) -> bool:
        """Whether no row can be in it. A -1 in either place means that, observed on Camunda 7.24.0."""
        return self.first < 0 or (self.size is not None and self.size <= 0)


def _page(request: Request) -> Page:
    first = _page_number(request.query_params, "firstResult")
    size = _page_number(request.query_params, "maxResults")
    return Page(first or 0, size)


def _page_number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        value = INT_MAX + 1
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise ContractError(404, "QueryParamException", "HTTP 404 Not Found")
    return value


PageDep = Annotated[Page, Depends(_page)]
"""``firstResult`` and ``maxResults`` of the query string, also of POST lists."""


def flag_param(request: Request, name: str) -> bool:
    """A flag of the query string; false when it is absent.

    Raises:
        ContractError: 400, it is neither true nor false.
    """
    text = request.query_params.get(name)
    return False if text is None else _read_bool(name, text)
