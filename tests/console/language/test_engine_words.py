"""Every word and every sort key of the filter line is a question that the engine answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.engine.connect import Demo
from retriage.console.language import SUBJECTS, parse
from tests.support.demo_copies import built_world, copied_world

LINES = {
    "tasks": [
        "topic:a process:b worker:w tenant:a,b activity:x instance:i execution:e definition:d id:1",
        "process:a,b activity:a,b instance:i,j id:1,2",
        "retries:0 locked suspended",
        "retries:>0 -locked -suspended",
        "processname:n processname~50%",
        "priority>=5 priority<=9",
        "priority>9 priority<3",
        "lock<5m lock>-1h",
        "var.x=1 var.y=1.5 var.z=true var.n=null var.s~a var.s!~b var.q!=x var.w>=2",
        "ignorecase:names,values var.x=a",
    ],
    "incidents": [
        'type:failedExternalTask error:"a, b" process:a,b activity:x instance:i task:t tenant:a,b id:x',
        'error~"50% _" age>1h age<9d',
        "definition:a:1:b execution:e failedactivity:f cause:c rootcause:r jobdefinition:a,b",
    ],
    "instances": [
        "key:a process:a activity:a,b tenant:a id:a,b definition:d deployment:d topmost:x root leaf shared",
        "key~b process:a,b -process:c -tenant incident suspended",
        "error:x error~x type:failedJob incidentid:x -suspended",
        "caller:x called:x",
        'var.x=1 var.s~x ignorecase:names,values any:"key~a suspended" any:"process:a var.x=1"',
    ],
    "batches": ["type:x suspended failed by:ann id:x tenant:a,b age>1h started>1d", "-suspended -failed -tenant"],
    "history": [
        "key:a process:a processname:n definition:d finished incident ownincident incidentstatus:open type:failedJob",
        "key:a,b process:a,b -process:c processname~n -finished error:x incidentid:a,b retrying age>1h started>9d",
        "key~x error~y ended>1d ended<1h worked>1d worked<1h jobran>1d jobran<1h activity:a passed:b at:c by:ann",
        'id:x topmost:y root tenant:a var.x=1 var.s~x ignorecase:names,values any:"key~a state:active"',
        "id:x,y -id:z called:x -tenant state:active",
        "caller:x state:suspended",
        "state:completed",
        "state:externallyterminated",
        "state:internallyterminated",
    ],
    "jobs": [
        "definition:d retries:0 failed error:x suspended executable acquired kind:timer tenant:a shared",
        "priority>3 priority<9",
        "id:x -suspended retries:>0 kind:message -tenant due<5m due>-1h created>1h age>2h",
        "id:x,y",
        "instance:i process:p processdefinition:p failedactivity:a execution:e",
        "instance:i,j",
        "activity:a",
    ],
}
SORTED = {
    name: [f"sort:{said}" for word in subject.words if word.name == "sort" for said in word.choices()]
    for name, subject in SUBJECTS.items()
}
METHODS = {
    "tasks": ("external_tasks", "count_external_tasks"),
    "incidents": ("incidents", "count_incidents"),
    "instances": ("process_instances", "count_process_instances"),
    "batches": ("batches", "count_batches"),
    "history": ("historic_process_instances", "count_historic_process_instances"),
    "jobs": ("jobs", "count_jobs"),
}


DEMO = Demo(tasks=60, seed=7, workers=False)


@pytest.fixture(scope="module")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world, built once."""
    return built_world(tmp_path_factory.mktemp("world"), DEMO)


@pytest.fixture
async def client(world_file: Path, tmp_path: Path) -> AsyncIterator[EngineClient]:
    """Of an engine with a copy of the world."""
    async with copied_world(world_file, tmp_path, DEMO) as opened:
        yield opened


@pytest.mark.parametrize("name", SUBJECTS)
async def test_every_word_is_answered(client: EngineClient, name: str) -> None:
    page, count = (getattr(client, method) for method in METHODS[name])
    said: set[str] = set()
    for line in [*LINES[name], *SORTED[name]]:
        parsed = parse(line, name)
        assert parsed.mistakes == [], line
        said |= {field for field, value in parsed.query if value is not None}
        rows = await page(parsed.query, 0, 100)
        assert await count(parsed.query) == len(rows) or len(rows) == 100, line
    words = {field for word in SUBJECTS[name].words for field in word.fields()}
    assert words <= said


async def test_filters_filter(client: EngineClient) -> None:
    everything = await client.external_tasks(parse("", "tasks").query, 0, 100)
    some = await client.external_tasks(parse("retries:0 topic:charge-card sort:created-desc", "tasks").query, 0, 100)
    expected = [task for task in everything if task.retries == 0 and task.topic_name == "charge-card"]
    assert 0 < len(some) == len(expected) < len(everything)
    times = [task.create_time for task in some if task.create_time is not None]
    assert times == sorted(times, reverse=True)
