"""Instances suspended by keys: the dialog, the page of the run, its undo. The truth is read from the store's file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.operations.dialog import OperationDialog
from retriage.console.screens.runs.screen import RunScreen
from retriage.console.screens.tasks.detail import TaskDetail
from tests.console.runs.a_run import Scene, scene
from tests.console.screens.runs.a_run_on_screen import PROD, OnScreen, on_screen
from tests.console.settle import loaded
from tests.store.drawings import FORKED
from tests.support.fault_proxy import Answer

TWO_BRANCHES = FORKED.replace(b'"order"', b'"other"')


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 12) as one:
        one.works = False
        yield one


def suspended(night: Scene) -> set[str]:
    return {str(row[0]) for row in night.sql("SELECT id FROM process_instance WHERE state = 'SUSPENDED'")}


async def instances(seen: OnScreen) -> None:
    await seen.press("3")
    await seen.so(lambda: seen.app.screen.VIEW == "instances" and loaded(seen.app))  # type: ignore[attr-defined]


async def passed(seen: OnScreen) -> None:
    await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)
    await seen.sees("PASSED")


async def test_all_that_match_are_suspended_and_set_back(night: Scene) -> None:
    one = str(night.sql("SELECT min(id) FROM process_instance")[0][0])
    await night.http.put(f"/process-instance/{one}/suspended", json={"suspended": True})
    async with on_screen(night) as seen:
        await instances(seen)
        await seen.press("A")
        found = await seen.operation("S")
        await seen.sees("Suspend 11 instances", "11  active", "1  suspended already", "Press E if that is meant")
        assert '"processInstanceIds"' in seen.text
        await seen.press("L")
        assert suspended(night) == {one}
        await seen.press("E")
        await seen.so(lambda: not found.preparation.why_not("", ""))
        await seen.press("L")
        await passed(seen)
        assert len(suspended(night)) == 12
        await seen.sees("11 of 11 instances are suspended", "No gate", "11 instances to be suspended as batch")
        await seen.order("Z", "11 instances are activated again.")
        await seen.so(lambda: suspended(night) == {one})
        await seen.press("escape")
        await instances(seen)


async def test_waves_are_cut_in_the_dialog_and_the_undo_is_among_the_steps(night: Scene) -> None:
    async with on_screen(night) as seen:
        await instances(seen)
        await seen.press("space", "space", "space")
        found = await seen.operation("S")
        await seen.sees("Suspend 3 instances", "3 marked instances")
        found.query_one("#waves").query_one("Input").value = "1, rest"  # type: ignore[attr-defined]
        await seen.sees("2 waves: 1 + 2")
        await seen.so(lambda: found.delay.over)
        found.action_begin()
        await passed(seen)
        assert night.sql("SELECT total_jobs FROM batch ORDER BY start_time, id") == [(1,), (2,)]
        assert len(suspended(night)) == 3
        await seen.order("Z", "3 instances are activated again.")
        await seen.so(lambda: not suspended(night))
        await seen.sees("undone", "3 instances activated again as batch")


async def test_the_instance_under_the_cursor_is_activated(night: Scene) -> None:
    for (id,) in night.sql("SELECT id FROM process_instance"):
        await night.http.put(f"/process-instance/{id}/suspended", json={"suspended": True})
    async with on_screen(night) as seen:
        await instances(seen)
        await seen.operation("V")
        await seen.sees("Activate 1 instance", "the instance under the cursor")
        await seen.press("L")
        await passed(seen)
        assert len(suspended(night)) == 11


async def test_there_is_nothing_to_activate(night: Scene) -> None:
    async with on_screen(night) as seen:
        await instances(seen)
        await seen.operation("V")
        await seen.press("L")
        await seen.sees("There is nothing to activate.", "1  active already")
        await seen.press("escape")
        assert not suspended(night)


async def test_instances_of_marked_tasks_are_suspended_and_the_one_of_a_task_is_activated_from_its_page(
    night: Scene,
) -> None:
    async with on_screen(night) as seen:
        await seen.press("space", "space", "space")
        await seen.operation("S")
        await seen.sees("Suspend 3 instances", "those of the tasks chosen", "3  active")
        await seen.press("L")
        await passed(seen)
        before = suspended(night)
        assert len(before) == 3
        await seen.press("1")
        await seen.so(lambda: seen.app.screen.VIEW == "tasks")  # type: ignore[attr-defined]
        await seen.press("g", "enter")
        await seen.so(lambda: isinstance(seen.app.screen, TaskDetail))
        await seen.operation("V")
        await seen.sees("Activate 1 instance")
        await seen.press("L")
        await passed(seen)
        assert len(before - suspended(night)) == 1
        assert suspended(night) < before


@pytest.mark.parametrize(
    ("key", "said"),
    [("S", "Suspend 12 instances"), ("V", "Activate 0 instances"), ("B", "Repeat an activity of 12 instances")],
)
async def test_beside_the_causes_a_key_takes_the_whole_cause(night: Scene, key: str, said: str) -> None:
    async with on_screen(night) as seen:
        await seen.so(lambda: seen.app.screen.causes.total == 1 and seen.app.screen._whole)  # type: ignore[attr-defined]
        await seen.press("tab")
        await seen.so(lambda: seen.app.screen.causes.has_focus)  # type: ignore[attr-defined]
        await seen.operation(key)
        await seen.sees(said)
        await seen.press("escape")
        await seen.press("tab")
        await seen.so(lambda: seen.app.screen.query_one("#live").has_focus)
        await seen.press(key)
        await seen.sees("This key acts on tasks, or on a cause")
        assert not isinstance(seen.app.screen, OperationDialog)


def places(night: Scene) -> dict[str, list[int | None]]:
    """Activity -> retries of the tasks there."""
    found: dict[str, list[int | None]] = {}
    for activity, retries in night.sql("SELECT activity_id, retries FROM external_task ORDER BY retries"):
        found.setdefault(activity, []).append(retries)
    return found


async def test_the_activity_of_marked_tasks_is_begun_anew_by_keys(night: Scene) -> None:
    async with on_screen(night) as seen:
        await seen.press("space", "space", "space")
        found = await seen.operation("B")
        await seen.sees("Repeat an activity of 3 instances", "at charge", "3  at this activity", "no way back")
        assert "/modification/executeAsync" in seen.text
        await seen.press("L")
        await seen.sees("Type the number of instances, 3, to go on.")
        await seen.press("3")
        await seen.so(lambda: not found.preparation.why_not("", "3") and found.delay.over)
        await seen.press("enter", "enter", "L")
        await passed(seen)
        assert places(night) == {"charge": [None] * 3 + [0] * 9}
        await seen.sees("3 of 3 instances have begun charge anew")


async def test_the_activity_of_one_task_is_skipped_from_its_page(night: Scene) -> None:
    async with on_screen(night) as seen:
        await seen.press("enter")
        await seen.so(lambda: isinstance(seen.app.screen, TaskDetail))
        found = await seen.operation("K")
        await seen.sees("Skip an activity of 1 instance", "go on behind it")
        await seen.press("L", "1")
        await seen.so(lambda: not found.preparation.why_not("", "1") and found.delay.over)
        await seen.press("enter", "enter", "L")
        await passed(seen)
        assert places(night) == {"charge": [0] * 11}


async def test_tasks_at_several_activities_open_no_dialog(night: Scene) -> None:
    parts = {"deployment-name": (None, "other"), "data": ("other.bpmn", TWO_BRANCHES)}
    assert (await night.http.post("/deployment/create", files=parts)).status_code == 200
    assert (await night.http.post("/process-definition/key/other/start", json={})).status_code == 200
    async with on_screen(night) as seen:
        await seen.press("A", "K")
        await seen.sees("These tasks are at 3 activities (bill, charge, pack)")
        assert not isinstance(seen.app.screen, OperationDialog)


async def test_instances_are_cancelled_by_keys_with_the_number_typed(night: Scene) -> None:
    async with on_screen(night) as seen:
        await instances(seen)
        await seen.press("space", "space", "space")
        marked = set(seen.app.screen.table.marks.ids)  # type: ignore[attr-defined]
        found = await seen.operation("D")
        await seen.sees("Cancel 3 instances", "3  external tasks", "end with them", "There is no way back")
        assert "/process-instance/delete" in seen.text
        await seen.press("L")
        await seen.sees("Type the number of instances, 3, to go on.")
        await seen.press(*"3")
        found.query_one("#reason").query_one("Input").value = "INC-9"  # type: ignore[attr-defined]
        found.query_one("#skip").query_one("Input").value = "tasks"  # type: ignore[attr-defined]
        await seen.sees("tasks cannot be skipped")
        found.query_one("#skip").query_one("Input").value = "called"  # type: ignore[attr-defined]
        await seen.so(lambda: not found.preparation.why_not("INC-9", "3") and found.delay.over)
        await seen.press("enter", "enter", "L")
        await passed(seen)
        ended = night.sql("SELECT id, delete_reason FROM process_instance WHERE end_time IS NOT NULL")
        assert {str(id): why for id, why in ended} == dict.fromkeys(marked, "INC-9")
        await seen.sees("3 of 3 instances are cancelled", "3 instances to be cancelled as batch")
        await seen.press("Z")
        await seen.sees("There is no way back")


async def test_prod_wants_the_safety_off_a_reason_and_the_number(night: Scene) -> None:
    async with on_screen(night, PROD) as seen:
        await instances(seen)
        await seen.press("space", "space")
        found = await seen.operation("S")
        await seen.press("L")
        await seen.sees("safety")
        assert not suspended(night)
        seen.app.session.connection.safety.arm()
        found.write()
        await seen.press("L")
        await seen.sees("Type a reason: it is required on PROD.")
        found.query_one("#reason").query_one("Input").value = "INC-1"  # type: ignore[attr-defined]
        found.query_one("#count").query_one("Input").value = "2"  # type: ignore[attr-defined]
        await seen.so(lambda: not found.preparation.why_not("INC-1", "2"))
        found.action_begin()
        await passed(seen)
        assert len(suspended(night)) == 2


async def values(night: Scene) -> dict[str, dict[str, object]]:
    """What instances have, of those that have anything: asked past the console."""
    found = {}
    for (id,) in night.sql("SELECT id FROM process_instance"):
        there = (await night.http.get(f"/process-instance/{id}/variables")).json()
        found[str(id)] = {name: one["value"] for name, one in there.items()}
    return {id: one for id, one in found.items() if one}


def types(found: OperationDialog, field: str, text: str) -> None:
    place = found.query_one(f"#{field}", Field)
    place.value = text
    place.enter()


async def fixing(seen: OnScreen) -> OperationDialog:
    await seen.press("C")
    await seen.so(lambda: isinstance(seen.app.screen, OperationDialog))
    found = seen.app.screen
    assert isinstance(found, OperationDialog)
    await seen.sees("Type what is to be set")
    return found


async def test_a_variable_is_fixed_by_keys_and_the_tasks_are_retried_when_it_shows(night: Scene) -> None:
    async with on_screen(night) as seen:
        await seen.press("space", "space", "space")
        marked = set(seen.app.screen.table.marks.ids)  # type: ignore[attr-defined]
        theirs = {
            str(instance)
            for id, instance in night.sql("SELECT id, process_instance_id FROM external_task")
            if str(id) in marked
        }
        assert len(theirs) == 3
        found = await fixing(seen)
        types(found, "set", "amount")
        await seen.press("enter")
        await seen.sees("Write it like NAME=TEXT")
        types(found, "set", "amount:Integer=130")
        await seen.sees("Enter reads what the instances have.")
        await seen.press("enter")
        await seen.sees("No instance has amount. w, if a new one is meant.")
        await seen.press("L")
        assert night.sql("SELECT count(*) FROM batch") == [(0,)]
        await seen.press("w")
        await seen.sees("Retry 3 tasks", "3  to be retried", "amount: nobody has it", "1 wave: 3")
        await seen.sees("An undo needs a request each for 3 instances")
        await seen.sees("/process-instance/variables-async", "--set amount=VALUE", "--new --gate 5%")
        await seen.so(lambda: found.preparation.to_be_read is not None and found.delay.over)
        await seen.press("L")
        await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)
        await seen.so(lambda: len(night.sql("SELECT 1 FROM external_task WHERE retries = 1")) == 3)
        assert await values(night) == {id: {"amount": 130} for id in theirs}
        assert {str(id) for (id,) in night.sql("SELECT id FROM external_task WHERE retries = 1")} == marked
        night.works = True
        await seen.sees("PASSED", "3 done")


@pytest.mark.parametrize(
    ("may", "said"),
    [
        ("true", "An undo needs a request each for 12 instances: no batch can do it."),
        ("false", "No undo for 12 instances: the right UPDATE_VARIABLE is missing."),
    ],
)
async def test_what_an_undo_needs_is_said_in_one_line_of_80_columns(night: Scene, may: str, said: str) -> None:
    for which, answer in (("", may), ("?!", "true")):
        granted = Answer(200, f'{{"authorized": {answer}}}'.encode(), "application/json")
        which = f"({which}.*permissionName=UPDATE)" if which else ".*permissionName=UPDATE"
        night.faults.play(granted, on=rf"/authorization/check\?{which}")
    async with on_screen(night, size=(80, 24)) as seen:
        await instances(seen)
        await seen.press("A")
        types(await fixing(seen), "set", "amount:Integer=130")
        await seen.press("enter", "w")
        await seen.sees("12  instances in the run", said)


async def test_what_was_typed_after_the_instances_were_read_is_read_for_again(night: Scene) -> None:
    for (id,) in night.sql("SELECT id FROM process_instance"):
        await night.http.put(f"/process-instance/{id}/variables/amount", json={"value": -5, "type": "Integer"})
    two = [str(id) for (id,) in night.sql("SELECT id FROM process_instance ORDER BY id LIMIT 2")]
    for id in two:
        await night.http.put(f"/process-instance/{id}/variables/amount", json={"value": -6, "type": "Integer"})
    async with on_screen(night) as seen:
        await instances(seen)
        await seen.press("A")
        found = await fixing(seen)
        types(found, "set", "amount=7")
        await seen.press("enter")
        await seen.sees("12 instances", "amount: 12 Integer, most often -5 (10), -6 (2)")
        types(found, "only-if", "amount=-6")
        await seen.sees("Enter reads what the instances have.")
        assert found.preparation.why_not("", "")
        await seen.press("enter")
        await seen.sees("2 instances", "10  without what --only-if names", "--only-if amount=VALUE")
        await seen.press("E")
        await seen.so(lambda: not found.preparation.why_not("", "") and found.delay.over)
        await seen.press("L")
        await passed(seen)
        changed = {id for id, one in (await values(night)).items() if one == {"amount": 7}}
        assert changed == set(two)


async def hide(night: Scene, *places: int) -> dict[str, int]:
    """Give tasks of the instances at these places, by id, an amount of their own; return execution -> amount."""
    for (id,) in night.sql("SELECT id FROM process_instance"):
        await night.http.put(f"/process-instance/{id}/variables/amount", json={"value": -5, "type": "Integer"})
    rows = night.sql("SELECT execution_id FROM external_task ORDER BY process_instance_id")
    hiding = {str(rows[place][0]): -100 - place for place in places}
    for execution, value in hiding.items():
        body = {"value": value, "type": "Integer"}
        await night.http.put(f"/execution/{execution}/localVariables/amount", json=body)
    return hiding


async def local(night: Scene, executions: dict[str, int]) -> dict[str, int]:
    answers = {id: await night.http.get(f"/execution/{id}/localVariables/amount") for id in executions}
    return {id: answer.json()["value"] for id, answer in answers.items()}


async def test_tasks_whose_local_variable_hides_the_value_are_left_out_until_h_takes_them(night: Scene) -> None:
    hiding = await hide(night, 1, 4, 6)
    async with on_screen(night, size=(80, 24)) as seen:
        await seen.press("A")
        found = await fixing(seen)
        types(found, "set", "amount=130")
        await seen.press("enter")
        await seen.sees("9  to be retried", "3  with a local variable that hides the new value  left out")
        await seen.sees("A local variable hides the new value from 3 tasks. h sets it too.")
        await seen.press("h")
        await seen.sees("12  to be retried", "3  executions hiding the value  get it too, by a request each")
        await seen.sees("12  tasks in the run", "Local variables that hide the new value are set too. h leaves them")
        await seen.sees("then POST /execution/{id}/localVariables, 3 requests; then retries", "--local")
        assert await local(night, hiding) == hiding
        await seen.press("h")
        await seen.sees("9  tasks in the run", "3  with a local variable")
        await seen.press("h")
        await seen.sees("12  tasks in the run")
        found.query_one("#waves").query_one("Input").value = "rest"  # type: ignore[attr-defined]
        await seen.press("E")
        await seen.so(lambda: not found.preparation.why_not("", "") and found.delay.over)
        await seen.press("L")
        await seen.so(lambda: len(night.sql("SELECT 1 FROM external_task WHERE retries = 1")) == 12)
        assert await local(night, hiding) == dict.fromkeys(hiding, 130)
        night.works = True
        await passed(seen)


async def test_h_sets_the_local_variables_of_instances_too(night: Scene) -> None:
    hiding = await hide(night, 2)
    async with on_screen(night, size=(80, 24)) as seen:
        await instances(seen)
        await seen.press("A")
        found = await fixing(seen)
        types(found, "set", "amount=130")
        await seen.press("enter")
        await seen.sees("12  running", "1  local variables of that name  HIDE the new value from workers")
        await seen.sees("1 local variable hides the new value. h sets them too.")
        await seen.press("h")
        await seen.sees("1  executions hiding the value  get it too", "POST /execution/{id}/localVariables, 1 request")
        await seen.press("E")
        await seen.so(lambda: not found.preparation.why_not("", "") and found.delay.over)
        await seen.press("L")
        await passed(seen)
        assert await local(night, hiding) == dict.fromkeys(hiding, 130)


async def test_who_may_not_set_single_variables_is_told_so_before(night: Scene) -> None:
    hiding = await hide(night, 2)
    for which, answer in (("", "false"), ("?!", "true")):
        granted = Answer(200, f'{{"authorized": {answer}}}'.encode(), "application/json")
        which = f"({which}.*permissionName=UPDATE)" if which else ".*permissionName=UPDATE"
        night.faults.play(granted, on=rf"/authorization/check\?{which}")
    async with on_screen(night, size=(80, 24)) as seen:
        await instances(seen)
        await seen.press("A")
        types(await fixing(seen), "set", "amount=130")
        await seen.press("enter", "h")
        await seen.sees("This user may not change variables of single instances")
        await seen.press("E", "L")
        await seen.sees("Set variables", "1  executions hiding the value")
        assert await local(night, hiding) == hiding
        assert night.sql("SELECT count(*) FROM batch") == [(0,)]
