"""Variables set by commands alone on real engines, in waves, and given back: by batches, and one by one where more
values differ or some were absent, also when that is killed in between.

Values and types are asked of the engine by REST, instance by instance, by nothing of the console.
"""

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.launch.one_by_one import GROUP
from tests.acceptance.test_old_engine import REAL, asked, engine
from tests.acceptance.test_run_night import Shell, wait_for
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.support.fault_proxy import FaultProxy, Slow

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
NUMBER, SHARED = 72, 6
ABSENT = [place for place in range(NUMBER) if place % 8 == 5]
CHANGES = r"^POST .*/process-instance/[^/]+/variables$"
Has = dict[str, dict[str, Any]]


def variables(http: httpx.Client, ids: list[str]) -> Has:
    """Type and value of every variable of every instance."""
    found: Has = {}
    for id in ids:
        answer = asked(http, "GET", f"/process-instance/{id}/variables")
        found[id] = {name: (one["type"], one["value"]) for name, one in answer.items()}
    return found


@pytest.mark.parametrize("kind", REAL)
def test_waves_of_values_and_what_was_there_before(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http, FaultProxy((http.base_url.host, http.base_url.port or 80)) as between:
        drawing = Drawing("order", [Step("Charge", "charge-card")])
        asked(http, "POST", "/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
        ids = []
        for place in range(NUMBER):
            own = max(place - SHARED, 0)
            body = {
                "due": {"value": f"2026-03-{1 + own % 9:02}T10:00:00.000+0100", "type": "Date"},
                "ratio": {"value": 0.5, "type": "Double"},
            }
            if place not in ABSENT:
                body["amount"] = {"value": -1 - own, "type": "Integer"}
            if place % 3:
                body["note"] = {"value": "plain", "type": "String"}
            started = asked(http, "POST", "/process-definition/key/order/start", json={"variables": body})
            ids.append(started["id"])
        before = variables(http, ids)
        # What a task has itself hides what its instance gets.
        hidden = asked(http, "GET", "/external-task", params={"processInstanceId": ids[0]})[0]["executionId"]
        local = {"value": 5, "type": "Integer"}
        asked(http, "PUT", f"/execution/{hidden}/localVariables/amount", json=local)
        shell = Shell(tmp_path, between.root)
        there = ["--engine", between.root, "--env", "TEST"]
        chosen = ["--instances", "process:order", "--waves", "4,rest", "--json"]
        order = ["run", *there, "--do", "set", *chosen, "--set", "amount=130"]
        order += ["--set", "due:Date=2027-01-02T03:04:05.000+0200", "--set", "ratio:=2"]
        code, (plan,), said = shell.run(*order, "--dry-run")
        assert (code, plan["instances"], plan["also"]) == (0, NUMBER, {"hidden": 1}), said
        assert f"An undo needs a request each for {NUMBER - SHARED} instances" in said
        assert variables(http, ids) == before
        code, events, said = shell.run(*order, "--yes")
        assert (code, events[-1]["state"], events[-1]["done"]) == (0, "passed", NUMBER), said
        now = variables(http, ids)
        assert {has["amount"] for has in now.values()} == {("Integer", 130)}
        assert {has["ratio"] for has in now.values()} == {("Double", 2.0)}
        assert {has["due"][0] for has in now.values()} == {"Date"}
        assert len({has["due"] for has in now.values()}) == 1
        assert [has.get("note") for has in now.values()] == [has.get("note") for has in before.values()]
        # Somebody changes one of them: that one is no longer ours to put back.
        asked(http, "PUT", f"/process-instance/{ids[7]}/variables/amount", json={"value": 1, "type": "Long"})
        theirs = variables(http, ids[7:8])
        # The request of one instance is held up, and the console killed when the others of its group are through.
        held = min(ids[place] for place in ABSENT)
        between.faults.play(Slow(), on=f"^POST .*/process-instance/{held}/variables$", times=1)
        killed, single = shell.start("undo", "1", *there, "--yes", "--json"), NUMBER - 1 - SHARED
        wait_for(lambda: between.faults.count(CHANGES) == GROUP - 1, "all of the group but one")
        killed.kill()
        killed.communicate()
        code, events, said = shell.run("undo", "1", *there, "--yes", "--json")
        assert (code, events[0]["tasks"]) == (0, single - (GROUP - 1)), said
        assert events[0]["leftAlone"] == {"changed": 1, "undone": SHARED, "before": GROUP - 1}
        # What is left is few enough for batches, but for those that had none.
        rest = events[0]["oneByOne"]
        assert (rest > 0, events[-1]["came"]) == (True, {"done": rest})
        changed = Counter(one.path for one in between.faults.asked if re.search(CHANGES, f"{one.method} {one.path}"))
        assert (len(changed), set(changed.values())) == (GROUP - 1 + rest, {1})
        wait_for(
            lambda: variables(http, ids) == before | theirs, "what each had, but for the one that somebody changed"
        )
        # A batch that has set all is closed within a minute; until then it may be somebody else's at work.
        for _ in range(240):
            if not asked(http, "GET", "/batch/count")["count"]:
                break
            time.sleep(0.5)
        # A guard, a type of its own, a name that some lack, and one that nobody has.
        order = ["run", *there, "--do", "set", "--instances", "process:order", "--yes", "--json"]
        code, events, said = shell.run(*order, "--set", "note:=7", "--only-if", "note=plain")
        assert (code, events[-1]["done"]) == (0, sum(place % 3 > 0 for place in range(NUMBER))), said
        notes = [has.get("note") for has in variables(http, ids).values()]
        assert notes == [("Integer", 7) if place % 3 else None for place in range(NUMBER)]
        code, events, said = shell.run(*order, "--set", "nota=7")
        assert (code, events, "no instance has nota" in said) == (2, [], True), said
