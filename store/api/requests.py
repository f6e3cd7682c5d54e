"""How a request becomes a shape of the contract.

The framework's own validation is not used: its texts and statuses are not the contract's. Instead a route takes
``Annotated[ExternalTaskQuery, body(ExternalTaskQuery)]`` or ``Annotated[IncidentQuery, params(IncidentQuery)]``.

What is called by the framework are coroutines, also where they wait for nothing: a plain function would be handed over
to a thread, and its answer back, for each request.
"""

import json
import re
from asyncio import to_thread
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, cast, get_args

from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from retriage.store.api.bodies import read_body
from retriage.store.api.large_json import WINDOW, TooDeep, TooMany, read_json
from retriage.store.api.scalars import first_scalar, split
from retriage.store.api.state import Store
from retriage.store.contract.errors import ContractError, invalid
from retriage.store.contract.model import Shape
from retriage.store.contract.queries import Query, TimeFilter, VariableFilter
from retriage.store.contract.size import check_conditions
from retriage.store.contract.values import INT_MAX, Bool, Int, Long, is_absent, nearest_moment
from retriage.store.queries.sorting import check_sort_values
from retriage.store.settings import StoreSettings

ShapeT = TypeVar("ShapeT", bound=Shape)
QueryT = TypeVar("QueryT", bound=Query)
RowT = TypeVar("RowT")

_SETS = {"external_task_id_in", "job_ids", "process_instance_ids"}
"""Lists whose empty text is one empty element, which matches nothing; for all others it is no filter."""


class Body(Generic[ShapeT]):
    """Reads the JSON body as a shape."""

    def __init__(self, model: type[ShapeT]) -> None:
        self.model = model

    async def __call__(self, request: Request) -> ShapeT:
        """The shape; see ``body``. It is kept with the request: a body can be read once."""
        if not hasattr(request.state, "body"):
            async with read_body(request) as raw:
                request.state.body = await self._read(request, raw)
        read: ShapeT = request.state.body
        return read

    async def _read(self, request: Request, raw: bytearray) -> ShapeT:
        media = request.headers.get("content-type")
        if (media is not None or raw) and (media or "").partition(";")[0].strip().lower() != "application/json":
            raise ContractError(415, "NotSupportedException", "HTTP 415 Unsupported Media Type")
        store: Store = request.app.state.store
        settings = store.settings
        if len(raw) > WINDOW:
            shape = await to_thread(parse, self.model, raw, settings)
        elif not raw.strip():
            return self.model()
        else:
            shape = parse(self.model, raw, settings)
        request.state.conditions = check_conditions(shape, _most_conditions(request))
        return shape


def body(model: type[Shape]) -> Any:
    """A dependency that reads the JSON body. An empty body is ``{}``; unknown properties are ignored.

    Raises (when called by the framework):
        ContractError: 415 for another media type, or a body without one; 400 for malformed JSON (empty message), a
            wrong value, more conditions or more of anything than the settings allow; 413 and 503, see ``read_body``.
    """
    return Depends(Body(model))


def parse(model: type[ShapeT], raw: bytes | bytearray, settings: StoreSettings) -> ShapeT:
    """JSON text to a shape; see ``body``. It may be written in UTF-8, UTF-16 or UTF-32, with a mark or without."""
    try:
        if (encoding := json.detect_encoding(raw)) != "utf-8":
            raw = raw.decode(encoding).encode()
        if len(raw) > WINDOW and _LIST.match(raw):
            raise invalid("A JSON object is needed, not a list")
        value = read_json(raw, depth=settings.max_json_depth, elements=settings.max_json_elements)
    except TooDeep:
        raise invalid(f"The JSON is nested deeper than {settings.max_json_depth} levels.") from None
    except TooMany:
        raise invalid(f"The JSON has more than {settings.max_json_elements} elements.") from None
    except ValueError:
        raise invalid("") from None
    if not isinstance(value, dict):
        raise invalid(f"A JSON object is needed, not {_json_kind(value)}")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(_sentence(error)) from None


_LIST = re.compile(rb"\s*\[")


def _json_kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


_NO_OBJECT = ("model_type", "dict_type")


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = "an object is needed" if first["type"] in _NO_OBJECT else first["msg"].removeprefix("Value error, ")
    return f"Cannot read property '{where}': {what}"


class Params(Generic[QueryT]):
    """Reads a query from the query string."""

    def __init__(self, model: type[QueryT]) -> None:
        self.model = model
        self._readers = {
            alias: (name, _reader(model, name, field)) for name, alias, field in query_string_fields(model)
        }

    async def __call__(self, request: Request) -> QueryT:
        """The query; see ``params``."""
        values: dict[str, Any] = {}
        for alias, (name, reader) in self._readers.items():
            text = request.query_params.getlist(alias)[:1]
            if text:
                values[name] = reader(alias, text[0])
        query = self.model.model_construct(**dict.fromkeys(self.model.model_fields) | values)
        check_sort_values(query)
        request.state.conditions = check_conditions(query, _most_conditions(request))
        return cast(QueryT, query)


def _most_conditions(request: Request) -> int:
    most: int = request.app.state.store.settings.max_conditions
    return most


def query_string_fields(model: type[Query]) -> Iterator[tuple[str, str, FieldInfo]]:
    """The fields of a query that a query string may have: name, name on the wire, declaration."""
    for name, field in model.model_fields.items():
        if name not in ("sorting", "or_queries"):
            yield name, field.alias or name, field


def params(model: type[Query]) -> Any:
    """A dependency that reads a query from the query string: the first value of each name, unknown names ignored.

    Raises (when called by the framework):
        ContractError: 400 for a value that cannot be read, or sort parameters that do not fit.
    """
    return Depends(Params(model))


Reader = Callable[[str, str], Any]


def _reader(model: type[Query], name: str, field: FieldInfo) -> Reader:
    kinds = get_args(field.annotation)
    if bool in kinds:
        return _scalar(Bool, "java.lang.Boolean")
    if int in kinds:
        is_long = get_args(Long)[1] in field.metadata
        return _scalar(Long, "java.lang.Long") if is_long else _scalar(Int, "java.lang.Integer")
    if datetime in kinds:
        return _read_moment
    if list[VariableFilter] in kinds:
        return _read_variables
    if list[TimeFilter] in kinds:
        return _read_times
    if any(getattr(kind, "__origin__", None) is list for kind in kinds):
        if name in _SETS | model.KEEPS_EMPTY:
            return lambda _, text: split(text)
        return lambda _, text: split(text) if text.strip() else None
    return lambda _, text: text


def _unreadable(name: str, text: str, inner: str, kind: str) -> ContractError:
    return invalid(
        f"Cannot set query parameter '{name}' to value '{text}': Cannot convert value {inner} to java type {kind}"
    )


def _scalar(kind: Any, java: str) -> Reader:
    read_value = TypeAdapter(kind).validate_python

    def read(name: str, text: str) -> Any:
        try:
            return read_value(first_scalar(text))
        except ValueError:
            raise _unreadable(name, text, text, java) from None

    return read


def _read_moment(name: str, text: str) -> datetime | None:
    if is_absent(text):
        return None
    try:
        return nearest_moment(text)
    except ValueError:
        raise _unreadable(name, text, f'"{text}"', "java.util.Date") from None


def _read_variables(name: str, text: str) -> list[VariableFilter]:
    found = []
    for part in split(text):
        pieces = split(part, "_")
        if len(pieces) != 3:
            raise invalid(
                f"Cannot set query parameter '{name}' to value '{text}': "
                "variable query parameter has to have format KEY_OPERATOR_VALUE."
            )
        found.append(VariableFilter(name=pieces[0], operator=pieces[1], value=pieces[2]))
    return found


def _read_times(name: str, text: str) -> list[TimeFilter]:
    found = []
    for part in split(text):
        pieces = split(part, "_")
        if len(pieces) != 2:
            raise invalid(
                f"Cannot set query parameter '{name}' to value '{text}': "
                "condition query parameter has to have format OPERATOR_VALUE."
            )
        found.append(TimeFilter(operator=pieces[0], value=pieces[1]))
    return found


@dataclass(frozen=True)
class Page:
    """The slice that was asked for. ``size`` is none for all rows; an ``empty`` page has no rows whatever matches."""

    first: int = 0
    size: int | None = None
    most: int = INT_MAX
    """Rows that an answer may have."""

    @property
    def limit(self) -> int:
        """Rows to ask the database for: one more than an answer may have tells that there are too many."""
        return self.most + 1 if self.size is None else min(self.size, self.most + 1)

    def checked(self, rows: list[RowT]) -> list[RowT]:
        """The rows, if an answer may have so many.

        Raises:
            ContractError: 400, there are more; in the words of an engine with a ``queryMaxResultsLimit``.
        """
        if len(rows) > self.most:
            raise ContractError(400, "BadUserRequestException", f"Max results limit of {self.most} exceeded!", 0)
        return rows

    @property
    def empty(self) -> bool:
        """Whether no row can be in it. A -1 in either place means that, observed on Camunda 7.24.0."""
        return self.first < 0 or (self.size is not None and self.size <= 0)


async def read_page(request: Request) -> Page:
    """``firstResult`` and ``maxResults`` of the query string.

    Raises:
        ContractError: 404, one of them is no number of 32 bits, observed on Camunda 7.24.0.
    """
    first = _page_number(request.query_params, "firstResult")
    size = _page_number(request.query_params, "maxResults")
    store: Store = request.app.state.store
    return Page(first or 0, size, store.settings.max_results)


_NUMBER = re.compile(r"[+-]?\d{1,4000}")
"""A whole number as Java reads it, with nothing around it."""


def _page_number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    value = int(text) if _NUMBER.fullmatch(text) else INT_MAX + 1
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise ContractError(404, "QueryParamException", "HTTP 404 Not Found")
    return value


PageDep = Annotated[Page, Depends(read_page)]
"""``firstResult`` and ``maxResults`` of the query string, also of POST lists."""


class TextParam:
    """Reads a text of the query string."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description

    async def __call__(self, request: Request) -> str | None:
        """The text; see ``text``."""
        return next(iter(request.query_params.getlist(self.name)), None)


def text(name: str, description: str) -> Any:
    """A dependency that reads a text of the query string as it is: the first of its name, none where there is none."""
    return Depends(TextParam(name, description))


class IntParam:
    """Reads a whole number of the query string, in decimal digits and nothing else."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description

    async def __call__(self, request: Request) -> int | None:
        """The number; see ``whole_number``."""
        text = request.query_params.getlist(self.name)[:1]
        if not text or not text[0]:
            return None
        if _WHOLE.fullmatch(text[0]) and -INT_MAX - 1 <= (number := int(text[0])) <= INT_MAX:
            return number
        raise ContractError(404, "QueryParamException", "HTTP 404 Not Found")


_WHOLE = re.compile(r"[+-]?[0-9]{1,99}")


def whole_number(name: str, description: str) -> Any:
    """A dependency that reads a whole number of the query string, none where it is missing or empty.

    Raises (when called by the framework):
        ContractError: 404 for anything else (observed on Camunda 7.24.0).
    """
    return Depends(IntParam(name, description))


class FlagParam:
    """Reads a flag of the query string."""

    def __init__(self, name: str, description: str, default: bool) -> None:
        self.name = name
        self.description = description
        self.default = default

    async def __call__(self, request: Request) -> bool:
        """The flag; see ``flag``."""
        text = request.query_params.get(self.name)
        return text.lower() == "true" if text else self.default


def flag(name: str, description: str, *, default: bool = False) -> Any:
    """A dependency that reads a flag of the query string. What is not ``true``, in any case, is false."""
    return Depends(FlagParam(name, description, default))
