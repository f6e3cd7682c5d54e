"""Deployments: what an upload says of itself, and files that are refused."""

from typing import Any

import httpx
import pytest

from tests.contract.engine import Engine
from tests.contract.world import fresh
from tests.store.drawings import END, HEAD, START, file, flows, process, task

BEGIN = flows("begin>a")


async def upload(engine: Engine, drawing: bytes, **settings: str) -> httpx.Response:
    parts = [(name.replace("_", "-"), (None, value)) for name, value in settings.items()]
    return await engine.http.post("/deployment/create", files=[*parts, ("data", ("order.bpmn", drawing))])


async def deployed(engine: Engine, drawing: bytes, **settings: str) -> list[dict[str, Any]]:
    """The definitions that an upload made."""
    response = await upload(engine, drawing, **settings)
    assert response.status_code == 200, response.text
    return list((response.json()["deployedProcessDefinitions"] or {}).values())


def drawn(key: str, days: str = "30") -> bytes:
    return file(process(START, END, flows("begin>done"), key=key, days=days))


@pytest.mark.parametrize("setting", ["enable_duplicate_filtering", "deploy_changed_only"])
@pytest.mark.parametrize(("name", "value", "versions"), [("", "true", 1), (None, "true", 2), ("", " true ", 2)])
async def test_duplicates_are_looked_for_below_a_name(
    engine: Engine, setting: str, name: str | None, value: str, versions: int
) -> None:
    key = fresh("order")
    settings = {setting: value} | ({} if name is None else {"deployment_name": fresh(name)})
    made = [await deployed(engine, drawn(key), **settings) for _ in range(2)]
    assert [one["version"] for definitions in made for one in definitions] == [1, 2][:versions]


@pytest.mark.parametrize(
    ("sources", "made"),
    [
        (["a", "a", "b", "a"], [0, 0, 1, 1]),
        ([None, None, "", "a", None, ""], [0, 0, 0, 1, 1, 1]),
        (["", None, "", ""], [0, 1, 1, 1]),
        (["", ""], [0, 1]),
        (["a", None, "a"], [0, 1, 1]),
        (["process application", None, ""], [0, 0, 0]),
    ],
)
async def test_duplicates_are_looked_for_below_a_source(
    engine: Engine, sources: list[str | None], made: list[int]
) -> None:
    """Where all is there already, the last deployment of the name is answered, whatever its source."""
    settings = {"enable_duplicate_filtering": "true", "deployment_name": fresh("deployment")}
    drawing = drawn(fresh("order"))
    ids: list[str] = []
    for source, number in zip(sources, made, strict=True):
        more = {} if source is None else {"deployment_source": source}
        answer = (await upload(engine, drawing, **settings, **more)).json()
        new = answer["deployedProcessDefinitions"] is not None
        assert new == (answer["id"] not in ids)
        ids += [answer["id"]] if new else []
        assert ids.index(answer["id"]) == number
        if new:
            assert answer["source"] == source


async def test_duplicates_are_looked_for_below_a_tenant(engine: Engine) -> None:
    settings = {"enable_duplicate_filtering": "true", "deployment_name": fresh("deployment")}
    drawing = drawn(fresh("order"))
    tenant = {"tenant_id": fresh("t")}
    first = (await upload(engine, drawing, **settings, **tenant)).json()
    second = (await upload(engine, drawing, **settings)).json()
    again = (await upload(engine, drawing, **settings, **tenant)).json()
    assert first["id"] != second["id"] == again["id"]
    assert again["deployedProcessDefinitions"] is None


@pytest.mark.parametrize(
    ("said", "startable"),
    [(None, True), ("true", True), ("TRUE", True), ("false", False), ("", False), ("yes", False)],
)
async def test_definitions_for_task_lists(engine: Engine, said: str | None, startable: bool) -> None:
    key = fresh("order")
    more = "" if said is None else f'camunda:isStartableInTasklist="{said}"'
    (made,) = await deployed(engine, file(process(START, END, flows("begin>done"), key=key, more=more)))
    assert made["startableInTasklist"] is startable
    assert (await engine.get(f"/process-definition/{made['id']}"))["startableInTasklist"] is startable
    (listed,) = await engine.get("/process-definition", key=key)
    assert listed["startableInTasklist"] is startable


async def test_a_tenant_without_letters_is_a_tenant(engine: Engine) -> None:
    key = fresh("order")
    (without,), (empty,) = await deployed(engine, drawn(key)), await deployed(engine, drawn(key), tenant_id="")
    assert [(one["tenantId"], one["version"]) for one in (without, empty)] == [(None, 1), ("", 1)]


@pytest.mark.parametrize("days", ["007", "P007D", "0" * 40 + "7", "P" + "0" * 40 + "7D", "+7"])
async def test_days_may_begin_with_zeros(engine: Engine, days: str) -> None:
    (made,) = await deployed(engine, drawn(fresh("order"), days))
    assert made["historyTimeToLive"] == 7


GATEWAY = '<exclusiveGateway id="how"/>'
REFUSED = {
    "a condition on the only flow": file(process(START, GATEWAY, END, flows("begin>how", "how>done?${x == 1}"))),
    "text in definitions": file("hello", process(START, task("a"), BEGIN)),
    "text in a process": file(process("hello", START, task("a"), BEGIN)),
    "text in a task": file(process(START, task("a", inside="hello"), BEGIN)),
    "text in extensions": file(process(START, task("a", inside="<extensionElements>x</extensionElements>"), BEGIN)),
    "attribute of definitions": file(process(START, task("a"), BEGIN)).replace(b"<definitions", b'<definitions x="1"'),
    "attribute of a process": file(process(START, task("a"), BEGIN, more='colour="red"')),
    "attribute of a process that is not run": file('<process id="idle" colour="red"/>'),
    "attribute of a task": file(process(START, task("a", 'colour="red"'), BEGIN)),
    "a flag that is neither": file('<process id="idle" isExecutable="yes"/>'),
    "no target namespace": file(process(START, task("a"), BEGIN)).replace(b' targetNamespace="http://shop"', b""),
    "extensions after flows": file(process(START, task("a", inside="<outgoing/><extensionElements/>"), BEGIN)),
    "outgoing before incoming": file(process(START, task("a", inside="<outgoing/><incoming/>"), BEGIN)),
    "extensions twice": file(process(START, task("a", inside="<extensionElements/><extensionElements/>"), BEGIN)),
    "documentation at the end": file(process(START, task("a"), BEGIN, "<documentation/>")),
    "lanes at the end": file(process(START, task("a"), BEGIN, '<laneSet id="lanes"/>')),
    "notes before nodes": file(process('<textAnnotation id="note"/>', START, task("a"), BEGIN)),
    "documentation of definitions": file("<documentation/>", process(START, task("a"), BEGIN)),
    "an element of another vendor": file(process(START, task("a"), BEGIN, '<x:y xmlns:x="urn:x"/>')),
}


@pytest.mark.parametrize("drawing", REFUSED.values(), ids=REFUSED)
async def test_forms_that_are_refused(engine: Engine, drawing: bytes) -> None:
    response = await upload(engine, drawing)
    assert (response.status_code, response.json()["type"]) == (400, "ParseException"), response.text


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-16LE", "ISO-8859-1", "US-ASCII", "windows-1252", "utf8"])
async def test_encodings(engine: Engine, encoding: str) -> None:
    key = fresh("order")
    text = drawn(key).decode().replace("UTF-8", encoding)
    (made,) = await deployed(engine, text.encode(encoding))
    assert made["key"] == key


@pytest.mark.parametrize("encoding", ["unicode_escape", "rot13", "nonsense", "utf-7"])
async def test_what_is_no_encoding(engine: Engine, encoding: str) -> None:
    drawing = (HEAD.replace("UTF-8", encoding) + "</definitions>").encode()
    assert (await upload(engine, drawing)).status_code == (500 if engine.is_reference else 400)
