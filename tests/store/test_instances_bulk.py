"""Orders to many instances at once, where all of a store are meant: tests that share an engine cannot ask for that."""

import httpx

from tests.contract.bpmn import Drawing, Step


async def test_an_empty_query_means_all_instances(http: httpx.AsyncClient) -> None:
    drawing = Drawing("all", [Step("Charge", "charge")])
    parts = [("deployment-name", (None, "all")), ("data", (drawing.resource, drawing.xml(), "text/xml"))]
    assert (await http.post("/deployment/create", files=parts)).status_code == 200
    for _ in range(3):
        assert (await http.post("/process-definition/key/all/start", json={})).status_code == 200
    for query in ("processInstanceQuery", "historicProcessInstanceQuery"):
        for suspended in (True, False):
            body = {"suspended": suspended, "processInstanceIds": [], query: {}}
            assert (await http.put("/process-instance/suspended", json=body)).status_code == 204
            found = (await http.get("/process-instance")).json()
            assert [instance["suspended"] for instance in found] == [suspended] * 3
