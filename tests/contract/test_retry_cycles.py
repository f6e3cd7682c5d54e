"""``failedJobRetryTimeCycle``: how often jobs are tried, and how long they rest between two attempts."""

from datetime import timedelta

import pytest

from tests.contract.answers import moment, refused
from tests.contract.engine import Engine
from tests.contract.stage import frozen
from tests.contract.test_token_jobs import JUDGED, MISSING

CYCLES = {
    "R5/PT10M": [(5, None), (4, 10), (3, 10)],
    " R2/PT1H ": [(2, None), (1, 60), (0, 60)],
    "R/PT5M": [(2**31 - 1, None), (2**31 - 2, 5)],
    "R0/PT5M": [(1, None), (0, 0)],
    "PT5M": [(2, None), (1, 5), (0, 5)],
    "PT1M,PT2M,PT30M": [(4, None), (3, 1), (2, 2), (1, 30), (0, 30)],
    "often": [(3, None), (2, None)],
    "": [(3, None), (2, None)],
}
"""Retry time cycles, and retries of a new job and after each failure, with the minutes until it is due again."""


@pytest.mark.parametrize("cycle", CYCLES)
async def test_a_process_says_how_often_a_job_is_tried(engine: Engine, cycle: str) -> None:
    said = f"<camunda:failedJobRetryTimeCycle>{cycle}</camunda:failedJobRetryTimeCycle>"
    judge = '<exclusiveGateway id="judge" camunda:asyncBefore="true"/>'
    assert judge.encode() in JUDGED
    extended = judge.replace("/>", f"><extensionElements>{said}</extensionElements></exclusiveGateway>")
    made = await frozen(engine, JUDGED.replace(judge.encode(), extended.encode()))
    instance = await made.started("order")
    for number, (retries, minutes) in enumerate(CYCLES[cycle]):
        if number:
            refused(
                await engine.http.post(f"/job/{(await made.job(instance))['id']}/execute"),
                404,
                "InvalidRequestException",
                MISSING,
            )
        job = await made.job(instance)
        assert job["retries"] == retries
        assert (job["dueDate"] is None) == (minutes is None)
        if minutes is not None:
            (log,) = await engine.get(
                "/history/job-log",
                jobId=job["id"],
                failureLog=True,
                sortBy="occurrence",
                sortOrder="desc",
                maxResults=1,
            )
            pause = moment(job["dueDate"]) - moment(log["timestamp"])
            assert abs(pause - timedelta(minutes=minutes)) < timedelta(seconds=5)
