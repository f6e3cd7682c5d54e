"""Modification of one process instance: tokens that are started and cancelled, and where they are afterwards."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.answers import in_the_words_of_a_library, refused
from tests.contract.engine import Engine
from tests.contract.stage import Record, Stage, frozen, stage
from tests.contract.world import typed
from tests.store.drawings import END, START, catch, file, flows, process, task

TWO = file(process(START, task("one"), task("two"), END, flows("begin>one", "one>two", "two>done")))
BRANCHES = file(
    process(
        START,
        '<parallelGateway id="split"/>',
        task("a"),
        task("b"),
        '<parallelGateway id="join"/>',
        task("last"),
        END,
        flows("begin>split", "split>a", "split>b", "a>join", "b>join", "join>last", "last>done"),
    )
)
CHOICE = file(
    process(
        START,
        task("a"),
        '<exclusiveGateway id="choice" default="choice-no"/>',
        task("yes"),
        task("no"),
        flows("begin>a", "a>choice", "choice>yes?${ok == 1}", "choice>no"),
    )
)


def before(activity: str, **more: Any) -> Record:
    """Start a token before an activity."""
    return {"type": "startBeforeActivity", "activityId": activity, **more}


def after(activity: str, **more: Any) -> Record:
    """Start a token after an activity."""
    return {"type": "startAfterActivity", "activityId": activity, **more}


def along(flow: str) -> Record:
    """Start a token on a flow."""
    return {"type": "startTransition", "transitionId": flow}


def cancel(activity: str | None = None, **more: Any) -> Record:
    """Cancel the tokens of an activity, or what else is named."""
    return {"type": "cancel", **({} if activity is None else {"activityId": activity}), **more}


async def modified(engine: Engine, instance: str, *instructions: Record, **more: Any) -> httpx.Response:
    """The answer to a modification."""
    body = {"instructions": list(instructions), **more}
    return await engine.http.post(f"/process-instance/{instance}/modification", json=body)


async def modify(engine: Engine, instance: str, *instructions: Record, **more: Any) -> None:
    """A modification that must succeed."""
    response = await modified(engine, instance, *instructions, **more)
    assert (response.status_code, response.content) == (204, b""), response.text


@pytest.mark.parametrize(
    ("instructions", "places", "state"),
    [
        ([cancel("one"), after("one")], ["two"], "ACTIVE"),
        ([after("one"), cancel("one")], ["two"], "ACTIVE"),
        ([before("two"), cancel("one")], ["two"], "ACTIVE"),
        ([cancel("one"), before("one")], ["one"], "ACTIVE"),
        ([before("one"), cancel("one")], [], "EXTERNALLY_TERMINATED"),
        ([before("two")], ["one", "two"], "ACTIVE"),
        ([before("done")], ["one"], "ACTIVE"),
        ([cancel("one"), after("two")], [], "COMPLETED"),
        ([cancel("one"), before("done")], [], "COMPLETED"),
        ([before("done"), cancel("one")], [], "EXTERNALLY_TERMINATED"),
        ([cancel("one")], [], "EXTERNALLY_TERMINATED"),
        ([cancel("two")], ["one"], "ACTIVE"),
        ([cancel("nope")], ["one"], "ACTIVE"),
        ([cancel("one"), along("one-two")], ["two"], "ACTIVE"),
        ([along("two-done")], ["one"], "ACTIVE"),
        ([before("begin")], ["one", "one"], "ACTIVE"),
        ([after("begin"), cancel("one"), before("two")], ["two"], "ACTIVE"),
        ([before("two"), before("two"), cancel("one")], ["two", "two"], "ACTIVE"),
        ([cancel("one"), cancel("one"), before("two"), cancel("two")], [], "EXTERNALLY_TERMINATED"),
    ],
    ids=str,
)
async def test_one_task_after_another(
    engine: Engine, instructions: list[Record], places: list[str], state: str
) -> None:
    made = await stage(engine, TWO)
    instance = await made.started("order")
    await modify(engine, instance, *instructions)
    assert await made.state(instance) == state
    if places:
        assert await made.places(instance) == places
    else:
        past = await engine.get(f"/history/process-instance/{instance}")
        assert past["deleteReason"] is None
        assert past["endTime"] is not None


@pytest.mark.parametrize(
    ("instructions", "places"),
    [
        ([after("a"), cancel("a")], ["b", "join"]),
        ([cancel("a")], ["b"]),
        ([after("a"), cancel("a"), after("b"), cancel("b")], ["last"]),
        ([before("last"), cancel("a"), cancel("b")], ["last"]),
        ([before("split")], ["a", "a", "b", "b"]),
        ([after("split")], "Cannot start after activity split; activity has more than one outgoing sequence flow"),
        ([before("join"), cancel("a")], ["b", "join"]),
        ([cancel("join")], ["a", "b"]),
        ([before("join"), cancel("join")], ["a", "b"]),
    ],
    ids=str,
)
async def test_branches(engine: Engine, instructions: list[Record], places: list[str] | str) -> None:
    made = await stage(engine, BRANCHES)
    instance = await made.started("order")
    response = await modified(engine, instance, *instructions)
    if isinstance(places, str):
        refused(response, 500, "ProcessEngineException", places, 0)
        places = ["a", "b"]
    assert await made.places(instance) == places


async def test_a_skipped_branch_lets_the_others_go_on(engine: Engine) -> None:
    made = await stage(engine, BRANCHES)
    instance = await made.started("order")
    await modify(engine, instance, cancel("a"), after("a"))
    await made.work(instance, "b", "complete")
    assert await made.places(instance) == ["last"]


async def test_a_cancelled_branch_is_missed_for_ever(engine: Engine) -> None:
    made = await stage(engine, BRANCHES)
    instance = await made.started("order")
    await modify(engine, instance, cancel("a"))
    await made.work(instance, "b", "complete")
    assert await made.places(instance) == ["join"]
    await modify(engine, instance, before("join"))
    assert await made.places(instance) == ["last"]


async def test_a_choice_sees_the_variables_of_now(engine: Engine) -> None:
    made = await stage(
        engine,
        CHOICE.replace(b' default="choice-no"', b"").replace(
            b'<sequenceFlow id="choice-no" sourceRef="choice" targetRef="no">',
            b'<sequenceFlow id="choice-no" '
            b'sourceRef="choice" targetRef="no"><conditionExpression xsi:type="tFormalExpression">${ok == 2}'
            b"</conditionExpression>",
        ),
    )
    instance = await made.started("order")
    sentence = "Unknown property used in expression: ${ok == 1}. Cause: Cannot resolve identifier 'ok'"
    for instructions in ([cancel("a"), after("a")], [before("choice")]):
        response = await modified(engine, instance, *instructions)
        assert (response.status_code, response.json()["message"]) == (500, sentence)
        assert await made.places(instance) == ["a"]
    await modify(engine, instance, before("choice", variables={"ok": {"value": 2}}))
    assert await made.places(instance) == ["a", "no"]
    await engine.order("PUT", f"/process-instance/{instance}/variables/ok", {"value": 1})
    await modify(engine, instance, cancel("no"), cancel("a"), after("a"))
    assert await made.places(instance) == ["yes"]
    await modify(engine, instance, cancel("yes"), along("choice-no"))
    assert await made.places(instance) == ["no"]


async def test_what_becomes_of_tasks(engine: Engine) -> None:
    """A cancelled one is gone with its lock and its incident; a started one is new."""
    made = await stage(engine, TWO)
    instance = await made.started("order")
    old = (await made.tasks(instance))["one"]
    path = f"/external-task/{old['id']}"
    await engine.order("POST", f"{path}/lock", {"workerId": "w", "lockDuration": 60_000})
    await engine.order(
        "POST", f"{path}/failure", {"workerId": "w", "retries": 0, "errorMessage": "no", "retryTimeout": 9}
    )
    await modify(engine, instance, cancel("one"), before("one"))
    new = (await made.tasks(instance))["one"]
    assert new["id"] != old["id"]
    assert (new["retries"], new["workerId"], new["errorMessage"]) == (None, None, None)
    assert (await engine.http.get(path)).status_code == 404
    assert (await engine.http.post(f"{path}/complete", json={"workerId": "w"})).status_code == 404
    assert await made.ends(instance) == ["one deletionLog"]
    (past,) = await engine.get("/history/incident", processInstanceId=instance)
    assert (past["deleted"], past["resolved"]) == (True, False)
    assert await engine.get("/incident", processInstanceId=instance) == []


async def test_variables_stay_and_local_ones_are_lost(engine: Engine) -> None:
    made = await stage(engine, TWO)
    instance = await made.started("order", kept=1)
    execution = (await made.tasks(instance))["one"]["executionId"]
    await made.work(instance, "one", "failure", retries=1, localVariables={"mine": typed(2)})
    assert (await engine.get(f"/execution/{execution}/localVariables"))["mine"]["value"] == 2
    await modify(engine, instance, cancel("one"), before("two"))
    assert await made.variables(instance) == {"kept": 1}
    assert (await engine.http.get(f"/execution/{execution}/localVariables")).status_code == 500


async def test_variables_of_an_instruction(engine: Engine) -> None:
    made = await stage(engine, TWO)
    instance = await made.started("order")
    given = {"text": typed("x"), "number": {"value": "12", "type": "integer"}, "own": {"value": 1, "local": True}}
    await modify(engine, instance, cancel("one"), after("one", variables=given))
    assert await made.variables(instance) == {"text": "x", "number": 12, "own": 1}


async def test_tokens_are_cancelled_by_their_ids(engine: Engine) -> None:
    made = await stage(engine, TWO)
    instance = await made.started("order")
    await modify(engine, instance, before("one"))
    old, new = sorted(one["id"] for one in (await made.tree(instance))["childActivityInstances"])
    await modify(engine, instance, cancel(activityInstanceId=old))
    (left,) = (await made.tree(instance))["childActivityInstances"]
    assert left["id"] == new
    assert left["id"] == (await made.tasks(instance))["one"]["activityInstanceId"]
    await modify(engine, instance, cancel(activityInstanceId=instance), before("two"))
    assert await made.places(instance) == ["two"]
    await modify(engine, instance, cancel(activityInstanceId=instance))
    assert await made.state(instance) == "EXTERNALLY_TERMINATED"


async def test_tokens_that_wait_for_jobs(engine: Engine) -> None:
    parts = (
        '<parallelGateway id="split"/>',
        task("a", 'camunda:asyncBefore="true"'),
        task("b", 'camunda:asyncBefore="true"'),
    )
    made = await frozen(engine, file(process(START, *parts, flows("begin>split", "split>a", "split>b"))))
    instance = await made.started("order")
    transitions = (await made.tree(instance))["childTransitionInstances"]
    of_a = next(one["id"] for one in transitions if one["activityId"] == "a")
    jobs = await made.jobs(instance)
    await modify(engine, instance, cancel(transitionInstanceId=of_a))
    assert await made.places(instance) == ["(b)"]
    assert len(await made.jobs(instance)) == 1
    log = await engine.get("/history/job-log", processInstanceId=instance, deletionLog=True)
    assert [one["jobId"] for one in log] == [next(job["id"] for job in jobs if job["executionId"] == of_a)]
    await modify(engine, instance, before("a"))
    assert await made.places(instance) == ["(a)", "(b)"]
    await modify(engine, instance, cancel("b"))
    assert await made.places(instance) == ["(a)"]
    await made.execute(instance)
    assert await made.places(instance) == ["a"]


async def test_a_boundary_event_interrupts_its_activity(engine: Engine) -> None:
    made = await stage(
        engine,
        file(process(START, task("work"), catch("caught", "work"), task("call"), flows("begin>work", "caught>call"))),
    )
    instance = await made.started("order")
    await modify(engine, instance, before("caught"))
    assert await made.places(instance) == ["call"]
    other = await made.started("order")
    await modify(engine, other, after("caught"))
    assert await made.places(other) == ["call", "work"]
    await modify(engine, other, before("work"))
    sentence = "Executions for activity Activity(work) ambiguous"
    refused(await modified(engine, other, before("caught")), 500, "ProcessEngineException", sentence, 0)


async def instance_of(engine: Engine, drawing: bytes = TWO) -> tuple[Stage, str, str]:
    """A stage, an instance, and its definition."""
    made = await stage(engine, drawing)
    return made, await made.started("order"), next(iter(made.definitions))


NO_INSTANCE = "Cancel activity instance 'nope'; Activity instance 'nope' does not exist: activityInstance is null"
NO_TRANSITION = (
    "Cancel transition instance 'nope'; Transition instance 'nope' does not exist: transitionInstance is null"
)
NO_ANCESTOR = (
    "Start before activity 'one' with ancestor activity instance 'nope'; Ancestor activity instance 'nope' does not "
    "exist: ancestorInstance is null"
)


@pytest.mark.parametrize(
    ("instruction", "sentence"),
    [
        (
            before("nope"),
            "Start before activity 'nope'; Element 'nope' does not exist in process '{}': element is null",
        ),
        (after("nope"), "Start after activity 'nope'; Activity 'nope' does not exist: activity is null"),
        (along("nope"), "Start transition 'nope'; Element 'nope' does not exist in process '{}': element is null"),
        (cancel(activityInstanceId="nope"), NO_INSTANCE),
        (cancel(transitionInstanceId="nope"), NO_TRANSITION),
        (before("one", ancestorActivityInstanceId="nope"), NO_ANCESTOR),
    ],
)
async def test_what_is_not_there(engine: Engine, instruction: Record, sentence: str) -> None:
    """What failed takes back what was done before it."""
    made, instance, definition = await instance_of(engine)
    response = await modified(engine, instance, before("two"), cancel("one"), instruction)
    message = f"Cannot perform instruction: {sentence.format(definition)}"
    refused(response, 400, "NotValidException", message, 0)
    assert await made.places(instance) == ["one"]


async def test_ancestors(engine: Engine) -> None:
    made, instance, _ = await instance_of(engine)
    await modify(engine, instance, before("two", ancestorActivityInstanceId=instance))
    assert await made.places(instance) == ["one", "two"]
    child = (await made.tree(instance))["childActivityInstances"][0]["id"]
    response = await modified(engine, instance, before("one", ancestorActivityInstanceId=child))
    sentence = (
        f"Cannot perform instruction: Start before activity 'one' with ancestor activity instance '{child}'; Scope "
        f"execution for '{child}' cannot be found in parent hierarchy of flow element 'one'"
    )
    refused(response, 400, "NotValidException", sentence, 0)


async def test_nothing_leaves_an_end_event(engine: Engine) -> None:
    _, instance, _ = await instance_of(engine)
    sentence = "Cannot start after activity done; activity has no outgoing sequence flow to take"
    refused(await modified(engine, instance, after("done")), 500, "ProcessEngineException", sentence, 0)


EXACTLY_ONE = (
    "For instruction type 'cancel': exactly one, 'activityId', 'activityInstanceId', or 'transitionInstanceId', is "
    "required"
)


@pytest.mark.parametrize(
    ("instruction", "sentence"),
    [
        ({"type": "startBeforeActivity"}, "For instruction type 'startBeforeActivity': 'activityId' must be set"),
        ({"type": "startAfterActivity"}, "For instruction type 'startAfterActivity': 'activityId' must be set"),
        ({"type": "startTransition"}, "For instruction type 'startTransition': 'transitionId' must be set"),
        ({"type": "cancel"}, EXACTLY_ONE),
        (cancel("one", activityInstanceId="x"), EXACTLY_ONE),
        (
            before("nope", variables={"n": {"value": "x", "type": "Integer"}}),
            "Cannot convert value 'x' of type 'Integer' to java type java.lang.Integer",
        ),
    ],
)
async def test_instructions_that_say_too_little(engine: Engine, instruction: Record, sentence: str) -> None:
    _, instance, _ = await instance_of(engine)
    refused(await modified(engine, instance, instruction), 400, "InvalidRequestException", sentence)


@pytest.mark.parametrize("instruction", [{"type": "jump", "activityId": "one"}, {"activityId": "one"}])
async def test_an_unknown_instruction(engine: Engine, instruction: Record) -> None:
    _, instance, _ = await instance_of(engine)
    response = await modified(engine, instance, instruction)
    assert response.status_code == 400
    assert in_the_words_of_a_library(response, engine) or response.json()["type"] == "InvalidRequestException"


@pytest.mark.parametrize("body", [{}, {"instructions": []}, {"instructions": None}])
async def test_no_instructions(engine: Engine, body: Record) -> None:
    made, instance, _ = await instance_of(engine)
    for name in (instance, f"nowhere-{uuid4()}"):
        await engine.order("POST", f"/process-instance/{name}/modification", body)
    assert await made.places(instance) == ["one"]


async def test_an_instance_that_is_not_there(engine: Engine) -> None:
    _, instance, _ = await instance_of(engine)
    await engine.order("DELETE", f"/process-instance/{instance}")
    for name in (instance, "nope"):
        sentence = f"ENGINE-13036 Process instance '{name}' cannot be modified. The process instance does not exist"
        refused(await modified(engine, name, cancel("one")), 500, "ProcessEngineException", sentence, 0)


async def test_a_suspended_instance(engine: Engine) -> None:
    """Nothing can be started there, but all be cancelled."""
    made, instance, _ = await instance_of(engine)
    await engine.order("PUT", f"/process-instance/{instance}/suspended", {"suspended": True})
    for instructions in ([before("two")], [cancel("one"), after("one")], [along("one-two")]):
        response = await modified(engine, instance, *instructions)
        answer = response.json()
        assert (response.status_code, answer["type"], answer["code"]) == (400, "SuspendedEntityInteractionException", 0)
        assert answer["message"].startswith("ENGINE-03043 Execution with id '")
        assert answer["message"].endswith("' is suspended.")
        assert await made.places(instance) == ["one"]
    await modify(engine, instance, cancel("one"), skipCustomListeners=True, skipIoMappings=True, annotation="ticket")
    assert await made.state(instance) == "EXTERNALLY_TERMINATED"


async def test_where_an_instance_is(engine: Engine) -> None:
    drawn = file(process(START, task("work", 'name="Do it"'), flows("begin>work"), more='name="Work"'))
    made, instance, definition = await instance_of(engine, drawn)
    waiting = (await made.tasks(instance))["work"]
    await engine.order("PUT", "/external-task/retries", {"retries": 0, "externalTaskIds": [waiting["id"]]})
    (incident,) = await engine.get("/incident", processInstanceId=instance)
    there = {
        "parentActivityInstanceId": instance,
        "id": waiting["activityInstanceId"],
        "activityId": "work",
        "activityType": "serviceTask",
        "processInstanceId": instance,
        "processDefinitionId": definition,
        "childActivityInstances": [],
        "childTransitionInstances": [],
        "executionIds": [waiting["executionId"]],
        "activityName": "Do it",
        "incidentIds": [incident["id"]],
        "incidents": [{"id": incident["id"], "activityId": "work"}],
        "name": "Do it",
    }
    assert await made.tree(instance) == {
        "id": instance,
        "parentActivityInstanceId": None,
        "activityId": definition,
        "activityType": "processDefinition",
        "processInstanceId": instance,
        "processDefinitionId": definition,
        "childActivityInstances": [there],
        "childTransitionInstances": [],
        "executionIds": [instance],
        "activityName": "Work",
        "incidentIds": [],
        "incidents": [],
        "name": "Work",
    }


async def test_where_a_token_waits_for_a_job(engine: Engine) -> None:
    made = await frozen(engine, file(process(START, task("work", 'camunda:asyncBefore="true"'), flows("begin>work"))))
    instance = await made.started("order")
    job = await made.job(instance)
    tree = await made.tree(instance)
    assert tree["childActivityInstances"] == []
    assert tree["childTransitionInstances"] == [
        {
            "id": job["executionId"],
            "parentActivityInstanceId": instance,
            "processInstanceId": instance,
            "processDefinitionId": job["processDefinitionId"],
            "activityId": "work",
            "activityName": None,
            "activityType": "serviceTask",
            "executionId": job["executionId"],
            "incidentIds": [],
            "incidents": [],
            "targetActivityId": "work",
        }
    ]


async def test_no_tree_of_what_has_ended(engine: Engine) -> None:
    _, instance, _ = await instance_of(engine)
    await engine.order("DELETE", f"/process-instance/{instance}")
    for name in (instance, "nope"):
        response = await engine.http.get(f"/process-instance/{name}/activity-instances")
        refused(response, 404, "InvalidRequestException", f"Process instance with id {name} does not exist")
