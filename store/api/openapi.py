"""The OpenAPI document: made from what the routes declare and from the contract's shapes, never written by hand."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from retriage.store.api.declared import Given, given_by, has_one_media_type
from retriage.store.api.requests import Body, FlagParam, IntParam, Params, TextParam, query_string_fields, read_page
from retriage.store.api.uploads import Form
from retriage.store.contract.errors import ErrorBody
from retriage.store.contract.queries import Query, TimeFilter, VariableFilter

Json = dict[str, Any]
Key = tuple[str, JsonSchemaMode]

ENGINE_ERRORS = (
    "IllegalArgumentException",
    "InvalidRequestException",
    "NullValueException",
    "OptimisticLockingException",
    "ProcessEngineException",
    "ProcessEnginePersistenceException",
    "RestException",
)
"""What a 500 of the contract is called: a check of the engine that no resource translates, a lost race, or a
variable that lacks what its type needs."""

_INT = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_PAGE = {
    "firstResult": "How many of the matching rows are skipped.",
    "maxResults": "At most this many rows are answered; all without it.",
}
_FORMS = {VariableFilter.__name__: " name_operator_value", TimeFilter.__name__: " operator_value"}
_SAID = ("type", "anyOf", "items", "pattern", "examples")
_REFUSALS = {
    400: "A value cannot be read, or the engine refuses the request.",
    401: "The engine asks for a user and password.",
    404: "There is no such thing.",
    405: "The path has no such method.",
    406: "The client does not accept what is answered here.",
    413: "The upload is too large.",
    415: "The body is of another media type, or does not say what it is.",
    500: "A check of the engine that no resource translates, or a lost race.",
}


def document(routers: Iterable[APIRouter], root: str, title: str, version: str, about: str) -> Json:
    """The document.

    Args:
        routers: where the routes are; those kept out of the schema are left out.
        root: path before all of theirs.
        title: name of the service.
        version: version of the contract.
        about: a few sentences.
    """
    described = [
        route
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
    ]
    schemas = _Schemas(described)
    paths: dict[str, Json] = {}
    for route in described:
        for method in sorted(route.methods or ()):
            paths.setdefault(root + route.path_format, {})[method.lower()] = _operation(route, method, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": about},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.definitions.items())),
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
        "security": [{}, {"basic": []}],
    }


class _Untitled(GenerateJsonSchema):
    """Schemas whose fields have no title: it would only repeat the name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False


class _Schemas:
    """Every model that a route reads or gives, as a schema that may be referred to."""

    def __init__(self, routes: list[APIRoute]) -> None:
        self._adapters: dict[Key, TypeAdapter[Any]] = {}
        for route in routes:
            given = _given(route)
            if given.model is not None:
                self._note(given.model, "serialization")
            for reader in _readers(route.dependant):
                if isinstance(reader, Body):
                    self._note(reader.model, "validation")
        inputs = [(key, key[1], adapter) for key, adapter in self._adapters.items()]
        self._made, whole = TypeAdapter.json_schemas(
            inputs, ref_template="#/components/schemas/{model}", schema_generator=_Untitled
        )
        self.definitions: dict[str, Json] = whole.get("$defs", {})
        self.definitions["ErrorBody"] = _refusal_body()
        self.definitions["EngineError"] = _refusal_body(ENGINE_ERRORS)

    def _note(self, model: Any, mode: JsonSchemaMode) -> None:
        self._adapters.setdefault((repr(model), mode), TypeAdapter(model))

    def of(self, model: Any, mode: JsonSchemaMode) -> Json:
        """The schema of a model that a route reads (``validation``) or gives (``serialization``)."""
        key = repr(model), mode
        return self._made[key, mode]


def _refusal_body(types: tuple[str, ...] = ()) -> Json:
    """The body of a refusal; a few carry more properties than the three that all have."""
    made = ErrorBody.model_json_schema(schema_generator=_Untitled)
    properties = {name: field for name, field in made["properties"].items() if name != "extra"}
    if types:
        properties["type"] = {"type": "string", "enum": list(types)}
    return {"type": "object", "description": ErrorBody.__doc__, "properties": properties, "required": list(properties)}


def _given(route: APIRoute) -> Given:
    given = given_by(route.endpoint)
    assert given is not None, f"{route.methods} {route.path} does not say what it answers"
    return given


def _readers(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call


def _operation(route: APIRoute, method: str, schemas: _Schemas) -> Json:
    parameters = [_parameter(field.alias, "", {"type": "string"}, "path") for field in route.dependant.path_params]
    statuses = {400, 401, 405, 500} | ({404} if parameters else set())
    if has_one_media_type(_given(route)):
        statuses.add(406)
    operation: Json = {
        "tags": list(route.tags),
        "summary": _first_line(route.summary or route.endpoint.__doc__ or ""),
        "operationId": _operation_id(route, method),
        "parameters": parameters,
    }
    for reader in _readers(route.dependant):
        if isinstance(reader, Params):
            parameters += _filters(reader.model)
        elif isinstance(reader, TextParam):
            parameters.append(_parameter(reader.name, reader.description, {"type": "string"}))
        elif isinstance(reader, IntParam):
            parameters.append(_parameter(reader.name, reader.description, _INT))
            statuses.add(404)
        elif isinstance(reader, FlagParam):
            kind = {"type": "boolean", "default": reader.default}
            parameters.append(_parameter(reader.name, reader.description, kind))
        elif reader is read_page:
            parameters += [_parameter(name, text, _INT) for name, text in _PAGE.items()]
            statuses.add(404)
        elif content := _content(reader, schemas):
            operation["requestBody"] = {"content": content, "required": isinstance(reader, Form)}
            statuses |= {404, 415} | ({413} if isinstance(reader, Form) else set())
    given = _given(route)
    refusals = {str(status): _refusal(status, status != 401 or given.needs_user) for status in statuses}
    operation["responses"] = _answer(given, schemas) | refusals
    return operation


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].replace("``", "`")


def _operation_id(route: APIRoute, method: str) -> str:
    words = re.findall(r"[a-zA-Z]+", route.path_format)
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _content(reader: Any, schemas: _Schemas) -> Json | None:
    if isinstance(reader, Body):
        return {"application/json": {"schema": schemas.of(reader.model, "validation")}}
    if isinstance(reader, Form):
        settings = {name: {"type": "string", "description": text} for name, text in reader.settings.items()}
        file = {"type": "string", "contentMediaType": "application/octet-stream", "description": "A file."}
        schema = {"type": "object", "properties": settings | {"data": file}, "additionalProperties": file}
        return {"multipart/form-data": {"schema": schema}}
    return None


def _parameter(name: str, description: str, schema: Json, place: str = "query") -> Json:
    described = {"description": description} if description else {}
    return {"name": name, "in": place, "required": place == "path", "schema": schema} | described


def _filters(model: type[Query]) -> Iterator[Json]:
    """A query's fields as parameters of the query string: lists and comparisons have forms of their own there."""
    schema = model.model_json_schema()
    properties = (schema["$defs"][model.__name__] if "$ref" in schema else schema)["properties"]
    for _, alias, field in query_string_fields(model):
        schema = _plain(properties[alias])
        description = field.description or ""
        if schema.get("type") == "array":
            of = schema["items"].get("$ref", "").rpartition("/")[2]
            description = f"{description} Comma-separated{_FORMS.get(of, '')}."
            schema = {"type": "string"}
        yield _parameter(alias, description, schema)


def _plain(schema: Json) -> Json:
    """The schema of a value that is there: nothing is null in a query string."""
    schema = {
        name: value for name, value in schema.items() if name in ("type", "anyOf", "items", "pattern", "examples")
    }
    if "anyOf" in schema:
        present = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return present[0] if len(present) == 1 else {"anyOf": present}
    if isinstance(schema.get("type"), list):
        return schema | {"type": next(name for name in schema["type"] if name != "null")}
    return schema


def _answer(given: Given, schemas: _Schemas) -> Json:
    nothing = {"204": {"description": "Done, or nothing to answer."}}
    if given.form == "nothing":
        return nothing
    if given.form == "text":
        return {"200": {"description": "A text.", "content": {"text/plain": {"schema": {"type": "string"}}}}} | nothing
    if given.form == "file":
        return {"200": {"description": "A file.", "content": {"*/*": {"schema": {"type": "string"}}}}}
    schema = schemas.of(given.model, "serialization")
    if given.form == "list":
        schema = {"type": "array", "items": schema}
    return {"200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}}}


def _refusal(status: int, has_body: bool) -> Json:
    if not has_body:
        return {"description": _REFUSALS[status]}
    name = "EngineError" if status == 500 else "ErrorBody"
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": _REFUSALS[status], "content": {"application/json": {"schema": schema}}}
