"""Failed jobs retried by commands alone on real engines: in waves, held, gone on with, and undone.

Which jobs there are, with which retries, and how often each has failed is asked of the engine by REST, by nothing of
the console.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.test_old_engine import REAL, asked, engine
from tests.acceptance.test_run_night import Shell, wait_for
from tests.engines import camunda
from tests.store.drawings import JUDGED

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
NUMBER = 10


def jobs(http: httpx.Client) -> dict[str, int]:
    """Jobs of the process with their retries."""
    found: list[dict[str, Any]] = asked(http, "POST", "/job", json={"processDefinitionKey": "judged"})
    return {one["id"]: one["retries"] for one in found}


def failures(http: httpx.Client) -> Counter[str]:
    """So often each job of the process has failed."""
    query = {"processDefinitionKey": "judged", "failureLog": True}
    return Counter(one["jobId"] for one in asked(http, "POST", "/history/job-log", json=query))


@pytest.mark.parametrize("kind", REAL)
def test_failed_jobs_go_in_waves_and_come_back(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        asked(http, "POST", "/deployment/create", files={"judged.bpmn": ("judged.bpmn", JUDGED)})
        start = "/process-definition/key/judged/start"
        instances = [str(asked(http, "POST", start, json={})["id"]) for _ in range(NUMBER)]
        wait_for(lambda: list(jobs(http).values()) == [0] * NUMBER, "not all jobs fail")
        of = {one["processInstanceId"]: one["id"] for one in asked(http, "GET", "/job")}
        order = [of[instance] for instance in instances]
        before = failures(http)
        for instance in instances[1:]:
            path = f"/process-instance/{instance}/variables/ok"
            asked(http, "PUT", path, json={"value": 1, "type": "Integer"})
        shell = Shell(tmp_path, str(http.base_url))
        there = ["--engine", str(http.base_url), "--env", "TEST"]
        run = ["run", *there, "--jobs", "process:judged", "--retries", "1", "--waves", "4,rest", "--gate", "20%"]

        code, events, said = shell.run(*run, "--watch", "5s", "--yes", "--json")
        assert (events[0]["do"], events[0]["tasks"], events[0]["waves"]) == ("retry-jobs", NUMBER, [4, 6]), said
        held = events[-1]
        assert (code, held["event"], held["cause"], held["done"], held["again"]) == (6, "held", "failed-again", 3, 1)
        assert shell.wave(1) == set(order[:4])
        assert jobs(http) == dict.fromkeys([order[0], *order[4:]], 0)
        assert failures(http) - before == {order[0]: 1}

        # Of the rest one is cancelled before it is sent, and one is suspended: it gets a retry, and cannot run.
        gone, rests = order[4:6]
        asked(http, "DELETE", f"/process-instance/{instances[4]}")
        asked(http, "PUT", f"/job/{rests}/suspended", json={"suspended": True})
        code, events, said = shell.run("watch", "1", *there, "--resume", "--yes", "--json")
        last = events[-1]
        assert (code, last["state"], last["done"], last["again"], last["suspended"]) == (8, "finished", 7, 1, 1), said
        sent = next(one for one in events if one.get("state") == "sent")
        assert (sent["sent"], sent["leftOut"]) == (5, {"gone": 1})
        assert jobs(http) == {order[0]: 0, rests: 1}
        assert asked(http, "GET", "/external-task/count") == {"count": 7}
        query = {"processDefinitionKey": "judged", "successLog": True}
        done = Counter(one["jobId"] for one in asked(http, "POST", "/history/job-log", json=query))
        assert done == dict.fromkeys(set(order) - {order[0], gone, rests}, 1)
        assert asked(http, "GET", "/incident", params={"configuration": rests}) == []

        code, _, said = shell.run("undo", "1", *there, "--yes")
        assert (code, jobs(http)) == (0, {order[0]: 0, rests: 0}), said
        assert len(asked(http, "GET", "/incident", params={"configuration": rests})) == 1
