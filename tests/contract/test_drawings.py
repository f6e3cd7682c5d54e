"""What processes do: gateways and conditions, error boundary events, priorities, extension properties, versions."""

import re
from typing import Any

import pytest

from tests.contract.engine import Engine
from tests.contract.stage import WORKER, Stage, deploy, stage
from tests.contract.world import World, fresh
from tests.store.drawings import CAUGHT, END, FORKED, START, catch, file, flows, process, task


def choosing(*conditions: str) -> bytes:
    """A process for each condition on ``amount``: ``p0``, ``p1``, …"""
    return file(
        *(
            process(
                f'<startEvent id="begin{n}"/>',
                f'<exclusiveGateway id="how{n}" default="how{n}-no{n}"/>',
                task(f"yes{n}"),
                task(f"no{n}"),
                flows(f"begin{n}>how{n}", f"how{n}>yes{n}?${{amount {one}}}", f"how{n}>no{n}"),
                key=f"p{n}",
            )
            for n, one in enumerate(conditions)
        )
    )


DATE = {"value": "2026-03-01T09:15:00.000+0000", "type": "Date"}
BYTES = {"value": "YWJj", "type": "Bytes"}
NO_LONG = "Cannot coerce 'x' to class java.lang.Long"
COMPARED: dict[str, dict[str, tuple[Any, Any]]] = {
    "== 5": {
        "whole": (5, True),
        "text": ("5", True),
        "decimal": (5.5, False),
        "empty": ("", False),
        "null": (None, False),
        "a word": ("five", "Cannot coerce 'five' to class java.lang.Long"),
        "truth": (True, "Cannot coerce from class java.lang.Boolean to class java.lang.Long"),
        "date": (DATE, "Cannot coerce from class java.util.Date to class java.lang.Long"),
        "bytes": (BYTES, "Cannot coerce from class [B to class java.lang.Long"),
    },
    "< 5.5": {
        "whole": (5, True),
        "text": ("5.75", False),
        "null": (None, False),
        "date": (DATE, "Cannot coerce from class java.util.Date to class java.lang.Double"),
    },
    "!= 'x'": {
        "same": ("x", False),
        "other": ("X", True),
        "whole": (5, NO_LONG),
        "date": (DATE, True),
        "null": (None, True),
    },
    "< 'x'": {"less": ("a", True), "truth": (True, True), "whole": (5, NO_LONG), "date": (DATE, True)},
    "== true": {
        "truth": (True, True),
        "text": ("TRUE", True),
        "other": ("yes", False),
        "date": (DATE, "Cannot coerce from class java.util.Date to class java.lang.Boolean"),
    },
    ">= true": {
        "truth": (True, True),
        "text": ("7", False),
        "whole": (1, "Cannot coerce from class java.lang.Boolean to class java.lang.Long"),
    },
    "== null": {"null": (None, True), "text": ("null", False), "date": (DATE, False)},
    ">= null": {"null": (None, True), "whole": (1, False)},
}


@pytest.mark.parametrize("condition", COMPARED)
async def test_a_gateway_chooses_by_its_condition(engine: Engine, condition: str) -> None:
    made = await stage(engine, choosing(condition))
    found = {name: await _chosen(made, value) for name, (value, _) in COMPARED[condition].items()}
    assert found == {name: expected for name, (_, expected) in COMPARED[condition].items()}


async def _chosen(made: Stage, value: Any) -> Any:
    """Whether the condition held, or why it could not be told."""
    response = await made.start("p0", amount=value)
    if response.status_code == 200:
        return "yes0" in await made.tasks(response.json()["id"])
    assert response.status_code == 500, response.text
    message: str = response.json()["message"]
    assert "Error while evaluating expression: ${amount " in message
    return message.partition("Cause: ")[2]


async def test_a_condition_on_an_unknown_variable(engine: Engine) -> None:
    made = await stage(engine, choosing("== 5"))
    response = await made.start("p0")
    assert (response.status_code, response.json()["type"]) == (500, "RestException")
    expected = "Unknown property used in expression: ${amount == 5}. Cause: Cannot resolve identifier 'amount'"
    assert response.json()["message"].endswith(expected)


@pytest.mark.parametrize(
    ("drawn", "ways"),
    [
        (["how>large?${amount > 100}", "how>small"], {150: "large", 50: "small"}),
        (["how>small", "how>large?${amount > 100}"], {150: "small", 50: "small"}),
        (
            ["how>large?${amount > 100}", "how>small", "how>tiny?${amount < 10}"],
            {150: "large", 50: "small", 5: "small"},
        ),
    ],
    ids=["last", "first", "between"],
)
async def test_one_flow_without_a_condition_is_taken_in_its_turn(
    engine: Engine, drawn: list[str], ways: dict[int, str]
) -> None:
    tasks = [task(name) for name in ("large", "small", "tiny")]
    made = await stage(engine, file(process(START, '<exclusiveGateway id="how"/>', *tasks, flows("begin>how", *drawn))))
    for amount, way in ways.items():
        assert set(await made.tasks(await made.started("order", amount=amount))) == {way}


@pytest.mark.parametrize(
    ("default", "drawn", "bare"),
    [
        ("", ["how>large", "how>small", "how>tiny?${amount < 10}"], ["large", "small"]),
        ('default="how-tiny"', ["how>large", "how>small?${amount < 10}", "how>tiny"], ["large"]),
    ],
)
async def test_more_flows_without_a_condition(engine: Engine, default: str, drawn: list[str], bare: list[str]) -> None:
    tasks = [task(name) for name in ("large", "small", "tiny")]
    gateway = f'<exclusiveGateway id="how" {default}/>'
    answer = await deploy(engine, file(process(START, gateway, *tasks, flows("begin>how", *drawn))))
    assert answer.status_code == 400, answer.text
    assert [problem["message"] for problem in answer.json()["details"]["order.bpmn"]["errors"]] == [
        f"Exclusive Gateway 'how' has outgoing sequence flow 'how-{name}' without condition "
        "which is not the default flow."
        for name in bare
    ]


async def test_flows_need_no_ids(engine: Engine) -> None:
    drawn = flows("begin>how", "how>large?${amount > 100}", "how>small", "large>done", "small>done")
    drawing = process(
        START, '<exclusiveGateway id="how"/>', task("large"), task("small"), END, re.sub(' id="[^"]*"', "", drawn)
    )
    made = await stage(engine, file(drawing))
    for amount, way in ((150, "large"), (50, "small")):
        instance = await made.started("order", amount=amount)
        assert set(await made.tasks(instance)) == {way}
        await made.work(instance, way, "complete")
        assert await made.state(instance) == "COMPLETED"


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1])
@pytest.mark.parametrize("whole", [False, True], ids=["of a task", "of all tasks"])
async def test_a_priority_that_is_drawn_has_32_bits(engine: Engine, number: int, whole: bool) -> None:
    def drawing(priority: int) -> bytes:
        more = f'camunda:taskPriority="{priority}"'
        return file(
            process(START, task("charge", "" if whole else more), flows("begin>charge"), more=more if whole else "")
        )

    answer = await deploy(engine, drawing(number))
    assert (answer.status_code, answer.json()["type"]) == (400, "ParseException")
    made = await stage(engine, drawing(number - 1 if number > 0 else number + 1))
    found = await made.tasks(await made.started("order"))
    assert abs(found["charge"]["priority"] - number) == 1


async def test_a_fork_and_its_join(engine: Engine) -> None:
    made = await stage(engine, FORKED)
    instance = await made.started("order")
    assert set(await made.tasks(instance)) == {"pack", "bill"}
    await made.work(instance, "bill", "complete")
    assert set(await made.tasks(instance)) == {"pack"}
    await made.work(instance, "pack", "complete", variables={"weight": {"value": 2.5}})
    assert set(await made.tasks(instance)) == {"ship"}
    assert await made.variables(instance) == {"weight": 2.5}
    await made.work(instance, "ship", "complete")
    assert await made.state(instance) == "COMPLETED"


async def test_a_boundary_event_keeps_what_it_catches(engine: Engine) -> None:
    made = await stage(engine, CAUGHT)
    instance = await made.started("order")
    more = {"variables": {"score": {"value": 7}}}
    await made.work(instance, "charge", "bpmnError", errorCode="DECLINED", errorMessage="by the issuer", **more)
    assert set(await made.tasks(instance)) == {"call"}
    assert await made.variables(instance) == {"score": 7, "code": "DECLINED", "why": "by the issuer"}
    assert await made.ends(instance) == ["charge deletionLog"]


async def test_an_error_that_nobody_catches_ends_its_token(engine: Engine) -> None:
    made = await stage(engine, CAUGHT)
    instance = await made.started("order")
    await made.work(instance, "charge", "bpmnError", errorCode="ELSEWHERE")
    assert await made.state(instance) == "COMPLETED"
    assert await made.ends(instance) == ["charge deletionLog"]


async def test_the_code_wins_over_the_event_that_catches_all(engine: Engine) -> None:
    drawing = file(
        '<error id="declined" errorCode="DECLINED"/>',
        process(
            START,
            task("charge"),
            catch("any", "charge"),
            catch("refused", "charge", "declined"),
            task("call"),
            task("repair"),
            END,
            flows("begin>charge", "charge>done", "refused>call", "any>repair"),
        ),
    )
    made = await stage(engine, drawing)
    for code, activity in (("DECLINED", "call"), ("OTHER", "repair")):
        instance = await made.started("order")
        await made.work(instance, "charge", "bpmnError", errorCode=code)
        assert set(await made.tasks(instance)) == {activity}


async def test_an_incident_goes_with_the_error_that_is_caught(engine: Engine) -> None:
    made = await stage(engine, CAUGHT)
    instance = await made.started("order")
    await made.work(instance, "charge", "failure", errorMessage="boom", retries=0)
    (incident,) = await engine.get("/incident", processInstanceId=instance)
    await made.work(instance, "charge", "bpmnError", errorCode="DECLINED")
    assert await engine.get("/incident", processInstanceId=instance) == []
    (entry,) = await engine.get("/history/incident", incidentId=incident["id"])
    assert (entry["deleted"], entry["resolved"]) == (True, False)


async def test_priorities_are_those_of_the_task_or_else_the_process(engine: Engine) -> None:
    drawing = file(
        process(
            START,
            '<parallelGateway id="split"/>',
            task("own", 'camunda:taskPriority="7"'),
            task("asked", 'camunda:taskPriority="${rank}"'),
            task("inherited"),
            flows("begin>split", "split>own", "split>asked", "split>inherited"),
            more='camunda:taskPriority="${rush}"',
        )
    )
    made = await stage(engine, drawing)
    tasks = await made.tasks(await made.started("order", rank=-3, rush=40))
    assert {name: one["priority"] for name, one in tasks.items()} == {"own": 7, "asked": -3, "inherited": 40}


@pytest.mark.parametrize("asked", [True, False])
async def test_extension_properties_are_given_where_they_are_asked_for(engine: Engine, asked: bool) -> None:
    topic = fresh("topic")
    properties = (
        "<extensionElements><camunda:properties>"
        '<camunda:property name="bank" value="north &amp; sons"/><camunda:property name="tries" value="3"/>'
        "</camunda:properties></extensionElements>"
    )
    step = f'<serviceTask id="charge" camunda:type="external" camunda:topic="{topic}">{properties}</serviceTask>'
    made = await stage(engine, file(process(START, step, flows("begin>charge"))))
    await made.started("order")
    wanted = {"topicName": topic, "lockDuration": 60_000, "includeExtensionProperties": asked}
    (given,) = await engine.post("/external-task/fetchAndLock", {"workerId": WORKER, "maxTasks": 1, "topics": [wanted]})
    assert given["extensionProperties"] == ({"bank": "north & sons", "tries": "3"} if asked else {})


async def test_local_variables_end_with_their_task(engine: Engine) -> None:
    drawing = file(process(START, task("one"), task("two"), flows("begin>one", "one>two")))
    made = await stage(engine, drawing)
    instance = await made.started("order")
    given = {"variables": {"kept": {"value": 1}}, "localVariables": {"gone": {"value": 2}}}
    await made.work(instance, "one", "complete", **given)
    assert set(await made.tasks(instance)) == {"two"}
    assert await made.variables(instance) == {"kept": 1}


@pytest.mark.parametrize(("given", "kind", "value"), [({}, "Null", None), ({"who": "me"}, "String", "me")])
async def test_the_initiator_is_kept_in_a_variable(
    engine: Engine, given: dict[str, Any], kind: str, value: str | None
) -> None:
    """Nobody has said who he is: the variable is there, and null, unless the start itself sets it."""
    begin = '<startEvent id="begin" camunda:initiator="who"/>'
    made = await stage(engine, file(process(begin, task("a"), flows("begin>a"))))
    instance = await made.started("order", **given)
    found = await engine.get(f"/process-instance/{instance}/variables")
    assert (found["who"]["type"], found["who"]["value"]) == (kind, value)


NO_XML = {"no XML", "cut off"}
REFUSED: dict[str, bytes] = {
    "no XML": b"this is no XML",
    "cut off": file(process(START, task("charge"), flows("begin>charge")))[:-40],
    "a flow to nowhere": file(process(START, task("charge"), flows("begin>charge", "charge>nowhere"))),
    "no history time to live": file(process(START, task("charge"), flows("begin>charge"), days=None)),
    "an id twice": file(process(START, task("charge"), task("charge"), flows("begin>charge"))),
    "a boundary event on nothing": file(process(START, task("charge"), catch("c", "nowhere"), flows("begin>charge"))),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_file_that_is_refused_leaves_nothing(engine: Engine, name: str) -> None:
    deployments = (await engine.get("/deployment/count"))["count"]
    definitions = (await engine.get("/process-definition/count"))["count"]
    response = await deploy(engine, REFUSED[name])
    if engine.is_reference and name in NO_XML:
        # It blames itself for what is no XML; the store refuses it as any other file that it cannot read.
        assert (response.status_code, response.json()["type"]) == (500, "ProcessEngineException")
        assert response.json()["message"].startswith("ENGINE-09003 Could not parse 'order.bpmn'.")
    else:
        assert (response.status_code, response.json()["type"]) == (400, "ParseException"), response.text
        (about,) = response.json()["details"].values()
        assert about["errors"]
        for problem in about["errors"]:
            assert problem["message"]
            assert isinstance(problem["line"], int)
    assert (await engine.get("/deployment/count"))["count"] == deployments
    assert (await engine.get("/process-definition/count"))["count"] == definitions


async def test_several_processes_of_a_file_and_their_versions(engine: Engine, world: World) -> None:
    first, second = fresh("first"), fresh("second")

    def both(step: str) -> bytes:
        return file(
            *(
                process(
                    f'<startEvent id="{key}-begin"/>',
                    task(f"{key}-{step}"),
                    flows(f"{key}-begin>{key}-{step}"),
                    key=key,
                )
                for key in (first, second)
            )
        )

    old, new = await stage(engine, both("old")), await stage(engine, both("new"))
    for made, version in ((old, 1), (new, 2)):
        found = {(one["key"], one["version"]) for one in made.definitions.values()}
        assert found == {(first, version), (second, version)}
    running = await old.started(first)
    assert set(await old.tasks(running)) == {f"{first}-old"}
    latest = await engine.get(f"/process-definition/key/{first}")
    assert latest["version"] == 2
