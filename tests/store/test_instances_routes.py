"""Deployments, definitions and orders to instances, over the contract."""

from typing import Any

import httpx
import pytest

from retriage.store.settings import StoreSettings
from tests.store.drawings import END, FORKED, ONE_TASK, START, file, flows, process


async def deploy(http: httpx.AsyncClient, content: bytes = ONE_TASK, **settings: str) -> dict[str, Any]:
    answer = await http.post(
        "/deployment/create", files={"data": ("order.bpmn", content)}, data={"deployment-name": "orders", **settings}
    )
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def start(http: httpx.AsyncClient, path: str = "key/order", **body: Any) -> dict[str, Any]:
    answer = await http.post(f"/process-definition/{path}/start", json=body)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_answer_to_a_deployment(http: httpx.AsyncClient) -> None:
    made = await deploy(http, **{"deployment-source": "ci", "tenant-id": "blue"})
    (definition,) = made.pop("deployedProcessDefinitions").values()
    assert made == {
        "links": [{"method": "GET", "href": f"http://store/engine-rest/deployment/{made['id']}", "rel": "self"}],
        "id": made["id"],
        "name": "orders",
        "source": "ci",
        "deploymentTime": made["deploymentTime"],
        "tenantId": "blue",
        "deployedCaseDefinitions": None,
        "deployedDecisionDefinitions": None,
        "deployedDecisionRequirementsDefinitions": None,
    }
    assert definition == {
        "id": definition["id"],
        "key": "order",
        "category": "http://shop",
        "description": None,
        "name": None,
        "version": 1,
        "resource": "order.bpmn",
        "deploymentId": made["id"],
        "diagram": None,
        "suspended": False,
        "tenantId": "blue",
        "versionTag": None,
        "historyTimeToLive": 30,
        "startableInTasklist": True,
    }
    filtering = {"enable-duplicate-filtering": "true", "deployment-source": "ci", "tenant-id": "blue"}
    again = await deploy(http, **filtering)
    assert (again["id"], again["deployedProcessDefinitions"]) == (made["id"], None)


@pytest.mark.parametrize(
    ("request_", "status", "type_", "message"),
    [
        (
            {"files": {"deployment-name": (None, "x")}},
            400,
            "InvalidRequestException",
            "No deployment resources contained in the form upload.",
        ),
        (
            {"files": {"data": (None, "x")}},
            400,
            "InvalidRequestException",
            "No file name found in the deployment resource described by form parameter 'null'.",
        ),
        (
            {"content": b"zzz", "headers": {"content-type": "multipart/form-data"}},
            400,
            "RestException",
            "multipart/form-data cannot be processed",
        ),
        ({"json": {}}, 415, "NotSupportedException", "HTTP 415 Unsupported Media Type"),
        (
            {"files": {"data": ("a.bpmn", b"x" * StoreSettings().max_upload_bytes)}},
            413,
            "RestException",
            "A body may have 32000000 bytes, and this one has more.",
        ),
        (
            {"files": {"data": ("a.txt", b"x"), "deployment-activation-time": (None, "2999-01-01T00:00:00")}},
            400,
            "InvalidRequestException",
            "A deployment-activation-time in the future is not supported.",
        ),
    ],
)
async def test_uploads_that_are_refused(
    http: httpx.AsyncClient, request_: dict[str, Any], status: int, type_: str, message: str
) -> None:
    answer = await http.post("/deployment/create", **request_)
    assert (answer.status_code, answer.json()["type"], answer.json()["message"]) == (status, type_, message)


async def test_a_parse_exception_has_its_details(http: httpx.AsyncClient) -> None:
    wrong = file(process(START, '<userTask id="ask"/>', flows("begin>ask")))
    answer = await http.post("/deployment/create", files={"data": ("wrong.bpmn", wrong)})
    body = answer.json()
    assert (answer.status_code, set(body)) == (400, {"type", "message", "code", "details"})
    assert body["details"]["wrong.bpmn"]["errors"][0]["mainElementId"] == "ask"
    assert (await http.get("/deployment/count")).json() == {"count": 0}


async def test_lists_of_deployments(http: httpx.AsyncClient) -> None:
    first = (await deploy(http, **{"deployment-source": "ci"}))["id"]
    second = (await deploy(http, **{"deployment-name": "other", "tenant-id": "blue"}))["id"]
    for query, wanted in [
        ({}, [first, second]),
        ({"name": "orders"}, [first]),
        ({"nameLike": "oth%"}, [second]),
        ({"withoutSource": "true"}, [second]),
        ({"tenantIdIn": "blue"}, [second]),
        ({"tenantIdIn": "blue", "includeDeploymentsWithoutTenantId": "true"}, [first, second]),
        ({"after": "2999-01-01T00:00:00.000+0000"}, []),
        ({"sortBy": "name", "sortOrder": "desc"}, [second, first]),
        ({"firstResult": "1"}, [second]),
    ]:
        assert [one["id"] for one in (await http.get("/deployment", params=query)).json()] == wanted
    assert (await http.get(f"/deployment/{first}")).json()["links"] == []
    for method, word in (("GET", "does"), ("DELETE", "do")):
        answer = await http.request(method, "/deployment/zz")
        message = f"Deployment with id 'zz' {word} not exist"
        assert (answer.status_code, answer.json()["message"]) == (404, message)
    assert (await http.delete(f"/deployment/{first}?cascade=true")).status_code == 204
    assert (await http.get("/process-definition/count")).json() == {"count": 1}


async def test_lists_of_definitions(http: httpx.AsyncClient) -> None:
    ids = [next(iter((await deploy(http, content))["deployedProcessDefinitions"])) for content in (ONE_TASK, FORKED)]
    blue = await deploy(http, ONE_TASK.replace(b'key="order"', b""), **{"tenant-id": "blue"})
    ids += blue["deployedProcessDefinitions"]
    for query, wanted in [
        ({"key": "order"}, {0, 1, 2}),
        ({"latestVersion": "true"}, {1, 2}),
        ({"version": "2"}, {1}),
        ({"keysIn": "order,x"}, {0, 1, 2}),
        ({"withoutTenantId": "true"}, {0, 1}),
        ({"tenantIdIn": "blue", "includeProcessDefinitionsWithoutTenantId": "true"}, {0, 1, 2}),
        ({"deploymentId": blue["id"]}, {2}),
        ({"suspended": "true"}, set()),
        ({"incidentType": "failedExternalTask"}, set()),
        ({"nameLike": "%"}, set()),
        ({"resourceNameLike": "%.bpmn"}, {0, 1, 2}),
        ({"deployedAfter": "2999-01-01T00:00:00.000+0000"}, set()),
    ]:
        found = (await http.get("/process-definition", params=query)).json()
        assert {one["id"] for one in found} == {ids[index] for index in wanted}
        count = (await http.get("/process-definition/count", params=query)).json()
        assert count == {"count": len(wanted)}
    for key in ("category", "key", "id", "name", "version", "deploymentId", "deployTime", "tenantId", "versionTag"):
        found = (await http.get("/process-definition", params={"sortBy": key, "sortOrder": "desc"})).json()
        assert len(found) == 3
    assert (await http.get("/process-definition/key/order")).json()["id"] == ids[1]
    assert (await http.get("/process-definition/key/order/tenant-id/blue")).json()["id"] == ids[2]
    assert (await http.get(f"/process-definition/{ids[0]}")).json()["version"] == 1
    xml = (await http.get(f"/process-definition/{ids[0]}/xml")).json()
    assert xml == {"id": ids[0], "bpmn20Xml": ONE_TASK.decode()}
    assert (await http.get("/process-definition/key/order/xml")).json()["bpmn20Xml"] == FORKED.decode()


async def test_start(http: httpx.AsyncClient) -> None:
    definition = next(iter((await deploy(http))["deployedProcessDefinitions"]))
    made = await start(http, businessKey="A-1", withVariablesInReturn=True, variables={"a": {"value": 1}})
    href = f"http://store/engine-rest/process-instance/{made['id']}"
    assert made == {
        "links": [{"method": "GET", "href": href, "rel": "self"}],
        "id": made["id"],
        "definitionId": definition,
        "businessKey": "A-1",
        "caseInstanceId": None,
        "ended": False,
        "suspended": False,
        "tenantId": None,
        "definitionKey": "order",
        "variables": {"a": {"type": "Integer", "value": 1, "valueInfo": {}}},
    }
    plain = await start(http, definition)
    assert "variables" not in plain
    named = (await http.post("/engine/default/process-definition/key/order/start")).json()
    assert named["links"][0]["href"].startswith("http://store/engine-rest/engine/default/process-instance/")
    await deploy(http, file(process(START, END, flows("begin>done"))))
    assert (await start(http))["ended"] is True


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "type_", "message"),
    [
        ("GET", "zz", None, 404, "InvalidRequestException", "No matching definition with id zz"),
        ("GET", "zz/xml", None, 404, "InvalidRequestException", "No matching definition with id zz"),
        *(
            (
                method,
                f"key/zz{rest}",
                None,
                404,
                "RestException",
                "No matching process definition with key: zz and no tenant-id",
            )
            for method, rest in (("GET", ""), ("GET", "/xml"), ("POST", "/start"))
        ),
        (
            "GET",
            "key/zz/tenant-id/t",
            None,
            404,
            "RestException",
            "No matching process definition with key: zz and tenant-id: t",
        ),
        (
            "POST",
            "zz/start",
            None,
            500,
            "RestException",
            "Cannot instantiate process definition zz: no deployed process definition found with id 'zz': "
            "processDefinition is null",
        ),
        (
            "POST",
            "zz/start",
            {"variables": {"a": {"value": "x", "type": "Long"}}},
            400,
            "InvalidRequestException",
            "Cannot instantiate process definition zz: Cannot convert value 'x' of type 'Long' to java type "
            "java.lang.Long",
        ),
    ],
)
async def test_definitions_that_are_not_there(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int, type_: str, message: str
) -> None:
    answer = await http.request(method, f"/process-definition/{path}", json=body)
    assert (answer.status_code, answer.json()["type"], answer.json()["message"]) == (status, type_, message)


async def test_suspend_and_delete(http: httpx.AsyncClient) -> None:
    await deploy(http)
    made = (await start(http))["id"]
    path = f"/process-instance/{made}"
    assert (await http.put(f"{path}/suspended", json={"suspended": True})).status_code == 204
    assert (await http.get(path)).json()["suspended"] is True
    assert (await http.get("/external-task")).json()[0]["suspended"] is True
    assert (await http.get(f"/history{path}")).json()["state"] == "SUSPENDED"
    everything = {"suspended": False, "processDefinitionKey": "order"}
    assert (await http.put("/process-instance/suspended", json=everything)).status_code == 204
    assert (await http.get("/external-task/count?active=true")).json() == {"count": 1}
    assert (await http.put("/process-instance/zz/suspended", json={"suspended": True})).status_code == 204
    running = await http.delete(f"/history{path}")
    message = f"Historic process instance with id {made} does not exist"
    assert (running.status_code, running.json()["message"], running.json()["code"]) == (404, message, 0)
    assert (await http.delete(path)).status_code == 204
    gone = await http.delete(path)
    message = f"No process instance found for id '{made}': processInstance is null"
    assert (gone.status_code, gone.json()["message"], gone.json()["code"]) == (404, message, 0)
    assert (await http.delete(f"{path}?failIfNotExists=false")).status_code == 204
    assert (await http.get(f"/history{path}")).json()["state"] == "EXTERNALLY_TERMINATED"
    assert (await http.delete(f"/history{path}")).status_code == 204
    assert (await http.get("/history/process-instance/count")).json() == {"count": 0}
    assert (await http.delete(f"/history{path}?failIfNotExists=false")).status_code == 204
