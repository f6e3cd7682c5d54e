"""The description of the contract as one page that needs nothing else: no script, no font, no other host."""

from html import escape
from itertools import groupby
from typing import Any

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --faint: #888; --verb: #2a7d6f; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { border-bottom: 1px solid var(--line); padding: .35rem 0; }
summary { cursor: pointer; }
code, table { font-family: ui-monospace, monospace; font-size: .9rem; }
summary b { color: var(--verb); display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace; }
summary span, td:last-child { font-family: system-ui, sans-serif; color: var(--faint); }
table { border-collapse: collapse; margin: .5rem 0 1rem; width: 100%; }
td { padding: .1rem .8rem .1rem 0; vertical-align: top; }
"""


def page(document: Json) -> str:
    """The OpenAPI document as HTML; every text of it is escaped."""
    info = document["info"]
    operations = [
        (operation["tags"][0], method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    operations.sort(key=lambda found: found[0])
    title = f"{info['title']} {info['version']}"
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1><p>{escape(info['description'])}</p><p><a href=openapi.json>openapi.json</a></p>",
    ]
    for tag, group in groupby(operations, key=lambda found: found[0]):
        parts.append(f"<h2>{escape(tag)}</h2>")
        parts += [_operation(method, path, operation, document) for _, method, path, operation in group]
    return "".join(parts)


def _operation(method: str, path: str, operation: Json, document: Json) -> str:
    summary = f"<b>{method}</b> <code>{escape(path)}</code> <span>{escape(operation['summary'])}</span>"
    rows = [
        (parameter["name"], parameter["in"], _kind(parameter["schema"]), parameter.get("description", ""))
        for parameter in operation["parameters"]
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        rows += [(name, "body", kind, text) for name, kind, text in _fields(content["schema"], document)]
    for status, answer in operation["responses"].items():
        kinds = [_kind(content["schema"]) for content in answer.get("content", {}).values()]
        rows.append((status, "answer", *(kinds or ["nothing"]), answer["description"]))
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<details><summary>{summary}</summary><table>{cells}</table></details>"


def _fields(schema: Json, document: Json) -> list[tuple[str, str, str]]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][_name(schema)]
    properties: Json = schema.get("properties", {})
    return [(name, _kind(field), field.get("description", "")) for name, field in properties.items()]


def _kind(schema: Json) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return "date" if "pattern" in schema else str(schema.get("type", "any value"))


def _name(schema: Json) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
