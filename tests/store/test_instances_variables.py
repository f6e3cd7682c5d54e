"""Variables: how clients send them, how they are kept, and their routes."""

from typing import Any

import httpx
import pytest

from retriage.store.commands.typed import typed_value
from retriage.store.contract.errors import ContractError
from tests.store.drawings import ONE_TASK

SERIALIZED = {"objectTypeName": "java.util.HashMap", "serializationDataFormat": "application/json"}


@pytest.mark.parametrize(
    ("sent", "kind", "value"),
    [
        ({"value": 5}, "Integer", 5),
        ({"value": 3_000_000_000}, "Long", 3_000_000_000),
        ({"value": 1.5}, "Double", 1.5),
        ({"value": True}, "Boolean", True),
        ({"value": "2026-04-01T00:00:00.000+0200"}, "String", "2026-04-01T00:00:00.000+0200"),
        ({"value": None}, "Null", None),
        ({}, "Null", None),
        ({"value": "5", "type": "Integer"}, "Integer", 5),
        ({"value": 5, "type": "integer"}, "Integer", 5),
        ({"value": 5, "type": "Double"}, "Double", 5.0),
        ({"value": 5, "type": "String"}, "String", "5"),
        ({"value": "true", "type": "Boolean"}, "Boolean", True),
        ({"value": None, "type": "Integer"}, "Integer", None),
        ({"value": "2026-04-01T00:00:00.000+0200", "type": "Date"}, "Date", "2026-03-31T22:00:00.000+0000"),
        ({"value": "aGVsbG8=", "type": "Bytes"}, "Bytes", "aGVsbG8="),
        ({"value": '{"a":1}', "type": "Json"}, "Json", '{"a":1}'),
        ({"value": [1], "type": None}, "Object", "[1]"),
        ({"value": "9_-Q==x", "type": "File", "valueInfo": {"filename": "a"}}, "File", "9/+Q"),
        ({"value": "9_-QA", "type": "File", "valueInfo": {"filename": "a"}}, "File", "9/+Q"),
        ({"value": "YQ", "type": "File", "valueInfo": {"filename": "a"}}, "File", "YQ=="),
    ],
)
def test_values_that_are_read(sent: dict[str, Any], kind: str, value: Any) -> None:
    made = typed_value(sent)
    assert (made.type, made.value, type(made.value)) == (kind, value, type(value))


@pytest.mark.parametrize(
    ("sent", "type_", "message"),
    [
        ({"value": "x", "type": "Foo"}, "RestException", "Unsupported value type 'Foo'"),
        *(
            (
                {"value": value, "type": kind},
                "InvalidRequestException",
                f"Cannot convert value '{shown}' of type '{kind}' to java type {java}",
            )
            for value, shown, kind, java in [
                ("x", "x", "Integer", "java.lang.Integer"),
                (1.7, "1.7", "Integer", "java.lang.Integer"),
                (True, "true", "Integer", "java.lang.Integer"),
                (3_000_000_000, "3000000000", "Integer", "java.lang.Integer"),
                (40_000, "40000", "Short", "java.lang.Short"),
                (2**63, "9223372036854775808", "Long", "java.lang.Long"),
                ("1_0", "1_0", "Long", "java.lang.Long"),
                ("nan", "nan", "Double", "java.lang.Double"),
                ("yes", "yes", "Boolean", "java.lang.Boolean"),
                (1, "1", "Boolean", "java.lang.Boolean"),
                ("2026", "2026", "Date", "java.util.Date"),
                (5, "5", "Null", "javax.lang.model.type.NullType"),
                ([1, "a"], "[1, a]", "Integer", "java.lang.Integer"),
            ]
        ),
        (
            {"value": {"a": 1}, "type": "Object", "valueInfo": {}},
            "InvalidRequestException",
            "Must provide 'null' or String value for value of SerializableValue type 'Object'.",
        ),
    ],
)
def test_values_that_are_refused(sent: dict[str, Any], type_: str, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        typed_value(sent)
    assert (caught.value.status, caught.value.body.type, caught.value.message) == (400, type_, message)


@pytest.mark.parametrize("sent", [None, 5, "x", [], {"type": 5}, {"valueInfo": "x"}])
def test_what_is_no_variable(sent: Any) -> None:
    with pytest.raises(ContractError) as caught:
        typed_value(sent)
    assert caught.value.status == 400


async def instance(http: httpx.AsyncClient, **variables: Any) -> str:
    """Start an instance over the contract; gives the path of its variables."""
    upload = {"data": ("order.bpmn", ONE_TASK)}
    assert (await http.post("/deployment/create", files=upload)).status_code == 200
    started = await http.post("/process-definition/key/order/start", json={"variables": variables})
    assert started.status_code == 200, started.text
    return f"/process-instance/{started.json()['id']}/variables"


async def test_what_was_sent_comes_back(http: httpx.AsyncClient) -> None:
    sent: dict[str, Any] = {
        "text": {"type": "String", "value": "a\u0000\u202eb", "valueInfo": {}},
        "none": {"type": "Null", "value": None, "valueInfo": {}},
        "long": {"type": "Long", "value": 2**62, "valueInfo": {}},
        "double": {"type": "Double", "value": 1.5, "valueInfo": {}},
        "no": {"type": "Boolean", "value": False, "valueInfo": {}},
        "due": {"type": "Date", "value": "2026-04-01T00:00:00.123+0000", "valueInfo": {}},
        "thing": {"type": "Object", "value": "{}", "valueInfo": SERIALIZED},
        "nothing": {"type": "Short", "value": None, "valueInfo": {}},
    }
    path = await instance(http, **sent)
    assert (await http.get(path)).json() == sent
    assert (await http.get(f"{path}/due")).json() == sent["due"]


async def test_a_file_never_shows_its_content(http: httpx.AsyncClient) -> None:
    info = {"filename": "a.txt", "mimeType": "text/plain", "more": "x"}
    path = await instance(http, attached={"type": "File", "value": "aGVsbG8=", "valueInfo": info})
    assert (await http.get(f"{path}/attached")).json() == {
        "type": "File",
        "value": None,
        "valueInfo": {"filename": "a.txt", "mimeType": "text/plain"},
    }


async def test_put_post_and_delete(http: httpx.AsyncClient) -> None:
    path = await instance(http, a={"value": 1}, b={"value": 2})
    assert (await http.put(f"{path}/a", json={"value": "x", "type": "String"})).status_code == 204
    change = {"modifications": {"c": {"value": 3}}, "deletions": ["b", "never"]}
    assert (await http.post(path, json=change)).status_code == 204
    assert (await http.post(path)).status_code == 204
    assert (await http.delete(f"{path}/never")).status_code == 204
    now = (await http.get(path)).json()
    assert {name: value["value"] for name, value in now.items()} == {"a": "x", "c": 3}


async def test_refusals(http: httpx.AsyncClient) -> None:
    path = await instance(http)
    gone = "execution zz doesn't exist: execution is null"
    bad = {"value": "q", "type": "Integer"}
    absent = "process instance variable with name x does not exist"
    sentence = "Cannot convert value 'q' of type 'Integer' to java type java.lang.Integer"
    asked: list[tuple[str, str, Any, int, str, str]] = [
        ("GET", "/process-instance/zz/variables", None, 500, "NullValueException", gone),
        ("GET", f"{path}/x", None, 404, "InvalidRequestException", absent),
    ]
    unknown = "/process-instance/zz/variables"
    for method, target, body, verb in [
        ("GET", f"{unknown}/x", None, "get process instance variable x"),
        ("PUT", f"{unknown}/x", {"value": 1}, "put process instance variable x"),
        ("DELETE", f"{unknown}/x", None, "delete process instance variable x"),
        ("POST", unknown, {"deletions": ["x"]}, "modify variables for process instance zz"),
    ]:
        asked.append((method, target, body, 500, "RestException", f"Cannot {verb}: {gone}"))
    for method, target, body, verb in [
        ("PUT", f"{path}/x", bad, "put process instance variable x"),
        ("POST", path, {"modifications": {"x": bad}}, "modify variables for process instance"),
    ]:
        asked.append((method, target, body, 400, "InvalidRequestException", f"Cannot {verb}: {sentence}"))
    for method, target, body, status, type_, message in asked:
        answer = await http.request(method, target, json=body)
        assert (answer.status_code, answer.json()["type"], answer.json()["message"]) == (status, type_, message)
