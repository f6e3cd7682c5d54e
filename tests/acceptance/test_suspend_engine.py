"""Instances suspended and activated by commands alone on real engines, in waves, and the undo of it.

Which instances are suspended is asked of the engine by REST, by nothing of the console.
"""

from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_old_engine import REAL, asked, engine
from tests.acceptance.test_run_night import Shell
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
NUMBER = 40


def suspended(http: httpx.Client) -> set[str]:
    """Ids of the instances that the engine calls suspended."""
    return {one["id"] for one in asked(http, "GET", "/process-instance", params={"suspended": "true"})}


@pytest.mark.parametrize("kind", REAL)
def test_waves_of_suspension_and_their_undo(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        drawing = Drawing("order", [Step("Charge", "charge-card")])
        asked(http, "POST", "/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
        everyone = {asked(http, "POST", "/process-definition/key/order/start", json={})["id"] for _ in range(NUMBER)}
        before = set(sorted(everyone)[:3])
        for id in before:
            asked(http, "PUT", f"/process-instance/{id}/suspended", json={"suspended": True})
        shell = Shell(tmp_path, str(http.base_url))
        there = ["--engine", str(http.base_url), "--env", "TEST"]
        order = ["run", *there, "--do", "suspend", "--instances", "process:order", "--waves", "5,rest"]
        code, (plan,), said = shell.run(*order, "--dry-run", "--json")
        assert (code, plan["do"], plan["instances"], plan["waves"]) == (0, "suspend", 37, [5, 32]), said
        assert (plan["retries"], plan["leftOut"], suspended(http)) == (None, {"already": 3}, before)
        code, events, said = shell.run(*order, "--yes", "--json")
        assert (code, events[-1]["state"], events[-1]["done"]) == (0, "passed", 37), said
        assert suspended(http) == everyone
        sizes = [batch["totalJobs"] for batch in asked(http, "GET", "/history/batch")]
        assert sorted(sizes) == [5, 32]
        freed = min(everyone - before)
        asked(http, "PUT", f"/process-instance/{freed}/suspended", json={"suspended": False})
        code, events, said = shell.run("undo", "1", *there, "--yes", "--json")
        assert (code, events[0]["back"], events[0]["leftAlone"]) == (0, {"activate": 36}, {"changed": 1}), said
        assert suspended(http) == before
        # By the tasks of the instances: those without any are not meant.
        code, events, said = shell.run(
            "run", *there, "--do", "activate", "--query", "topic:charge-card suspended", "--yes", "--json"
        )
        assert (code, events[-1]["done"]) == (0, 3), said
        assert suspended(http) == set()
