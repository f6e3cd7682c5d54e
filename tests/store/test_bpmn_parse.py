"""Reading BPMN: what a process becomes."""

import pytest

from retriage.store.bpmn import ErrorCatch, Flow, Kind, Process, parse
from retriage.store.bpmn.expressions import Priority
from tests.store.drawings import CAUGHT, END, FORKED, ONE_TASK, START, catch, file, flows, process, task


def only(xml: bytes) -> Process:
    found = parse(xml, "order.bpmn")
    assert len(found) == 1
    return found[0]


def test_a_process_and_its_nodes() -> None:
    made = only(ONE_TASK)
    assert (made.key, made.category, made.history_time_to_live, made.start) == ("order", "http://shop", 30, "begin")
    assert made.nodes["begin"].outgoing == (Flow("begin-charge", "charge"),)
    assert made.nodes["charge"].kind is Kind.TASK
    assert made.nodes["charge"].topic == "charge"
    assert made.nodes["done"].incoming == 1


def test_what_a_process_says_of_itself() -> None:
    made = only(
        file(
            process(
                "<documentation>Takes the money.</documentation>",
                START,
                END,
                flows("begin>done"),
                more='name="Order" camunda:versionTag="1.4"',
            )
        )
    )
    assert (made.name, made.version_tag, made.description) == ("Order", "1.4", "Takes the money.")


@pytest.mark.parametrize(("text", "days"), [("0", 0), ("180", 180), ("P5D", 5)])
def test_days_to_live(text: str, days: int) -> None:
    assert only(file(process(START, END, flows("begin>done"), days=text))).history_time_to_live == days


def test_the_vocabulary_of_operaton() -> None:
    made = only(
        file(
            process(
                START,
                '<serviceTask id="a" operaton:type="external" operaton:topic="t" operaton:taskPriority="7"/>',
                flows("begin>a"),
                days=None,
                more='operaton:historyTimeToLive="9" operaton:versionTag="2"',
            )
        )
    )
    assert (made.nodes["a"].topic, made.nodes["a"].priority) == ("t", Priority(7))
    assert (made.history_time_to_live, made.version_tag) == (9, "2")


def test_priority_of_the_task_wins_over_that_of_the_process() -> None:
    made = only(
        file(
            process(
                START,
                task("own", 'camunda:taskPriority="5"'),
                task("common"),
                flows("begin>own", "own>common"),
                more='camunda:taskPriority="${rank}"',
            )
        )
    )
    assert made.nodes["own"].priority == Priority(5)
    assert made.nodes["common"].priority == Priority(variable="rank")
    assert made.reads == {"rank"}


def test_extension_properties() -> None:
    inside = (
        '<extensionElements><camunda:properties><camunda:property name="team" value="red"/>'
        '<camunda:property name="bare"/></camunda:properties></extensionElements>'
    )
    made = only(file(process(START, task("a", inside=inside), flows("begin>a"))))
    assert made.nodes["a"].properties == {"team": "red", "bare": ""}


def test_error_boundary_events() -> None:
    made = only(CAUGHT)
    assert made.nodes["refused"].attached == "charge"
    assert made.nodes["refused"].catch == ErrorCatch("DECLINED", "code", "why")
    assert made.catcher("charge", "DECLINED") == made.nodes["refused"]
    assert made.catcher("charge", "OTHER") is None
    assert made.catcher("call", "DECLINED") is None


def test_the_boundary_event_that_names_the_code_wins() -> None:
    made = only(
        file(
            '<error id="e1" errorCode="A"/>',
            '<error id="bare"/>',
            process(
                START,
                task("a"),
                catch("any", "a"),
                catch("bare-too", "a", "bare"),
                catch("named", "a", "e1"),
                catch("undeclared", "a", "B"),
                flows("begin>a"),
            ),
        )
    )
    assert [getattr(made.catcher("a", code), "id", None) for code in ("A", "B", "C")] == ["named", "undeclared", "any"]
    assert made.nodes["bare-too"].catch == ErrorCatch(None)


def test_several_processes_and_those_that_do_not_run() -> None:
    drawn = file(
        process(START, END, flows("begin>done"), key="first"),
        '<process id="idle"><userTask id="anything"/></process>',
        process('<startEvent id="go"/>', key="second"),
    )
    assert [made.key for made in parse(drawn, "two.bpmn")] == ["first", "second"]


def test_pictures_and_words_are_passed_over() -> None:
    made = only(
        file(
            '<collaboration id="c"><participant id="p" processRef="order"/></collaboration>',
            '<message id="unused"/>',
            process(
                '<laneSet id="l"><lane id="l1"/></laneSet>',
                START,
                task("a", inside="<documentation>why</documentation><incoming>begin-a</incoming>"),
                flows("begin>a"),
                '<textAnnotation id="note"><text>look</text></textAnnotation>',
                '<association id="as" sourceRef="a" targetRef="note"/>',
                '<group id="g"/>',
            ),
            '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" id="d"/>',
        )
    )
    assert set(made.nodes) == {"begin", "a"}


def test_gateways() -> None:
    made = only(FORKED)
    assert made.nodes["split"].kind is Kind.FORK
    assert [flow.target for flow in made.nodes["split"].outgoing] == ["pack", "bill"]
    assert made.nodes["join"].incoming == 2
