"""What happens next: pure steps, and the expressions that choose among them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from retriage.store.bpmn import CanNotGoOn, Foreign, How, Move, Pause, Process, Steps, Waiting, parse, walk
from retriage.store.bpmn.expressions import Condition, condition, priority
from retriage.store.bpmn.timers import Timer
from retriage.store.bpmn.walk import MAX_STEPS
from tests.store.drawings import CAUGHT, CHOOSING, END, FORKED, ONE_TASK, START, file, flows, process, task


def only(xml: bytes) -> Process:
    return parse(xml, "order.bpmn")[0]


def begin(made: Process, variables: dict[str, Any]) -> Steps:
    return walk(made, Move(How.ENTER, made.start), variables, {})


def leave(made: Process, node: str, variables: dict[str, Any], waiting: dict[str, int]) -> Steps:
    return walk(made, Move(How.LEAVE, node), variables, waiting)


def test_one_task_after_another() -> None:
    made = only(ONE_TASK)
    assert begin(made, {}).tasks == ["charge"]
    assert leave(made, "charge", {}, {}).tasks == []


def test_a_join_waits_for_its_last_token() -> None:
    made = only(FORKED)
    assert begin(made, {}).tasks == ["pack", "bill"]
    first = leave(made, "bill", {}, {})
    assert (first.tasks, first.waiting) == ([], {"join": 1})
    second = leave(made, "pack", {}, first.waiting)
    assert (second.tasks, second.waiting) == (["ship"], {"join": 0})


def test_a_join_counts_tokens_not_flows() -> None:
    twice = leave(only(FORKED), "pack", {}, {"join": 1})
    assert twice.tasks == ["ship"]


def test_a_fork_and_join_without_tasks_between() -> None:
    made = only(
        file(
            process(
                START,
                '<parallelGateway id="split"/>',
                '<exclusiveGateway id="left"/>',
                '<exclusiveGateway id="right"/>',
                '<parallelGateway id="join"/>',
                task("a"),
                flows("begin>split", "split>left", "split>right", "left>join", "right>join", "join>a"),
            )
        )
    )
    steps = begin(made, {})
    assert steps.tasks == ["a"]
    assert not steps.waiting.get("join")


def test_a_task_may_have_several_ways_out_and_none() -> None:
    made = only(file(process(START, task("a"), task("b"), task("c"), flows("begin>a", "a>b", "a>c"))))
    assert leave(made, "a", {}, {}).tasks == ["b", "c"]
    assert leave(made, "b", {}, {}).tasks == []


def test_a_boundary_event_leads_on() -> None:
    assert leave(only(CAUGHT), "refused", {}, {}).tasks == ["call"]


@pytest.mark.parametrize(("amount", "way"), [(100, "large"), (99.5, "small"), ("250", "large"), (None, "small")])
def test_an_exclusive_gateway_chooses(amount: Any, way: str) -> None:
    assert leave(only(CHOOSING), "look", {"amount": amount}, {}).tasks == [way]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "Unknown property used in expression: ${amount >= 100}. Cause: Cannot resolve identifier 'amount'"),
        ({"amount": "many"}, "Cause: Cannot coerce 'many' to class java.lang.Long"),
        ({"amount": True}, "Error while evaluating expression: ${amount >= 100}."),
        ({"amount": Foreign("java.util.Date", "Sun")}, "from class java.util.Date to class java.lang.Long"),
    ],
)
def test_a_condition_without_a_value(variables: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CanNotGoOn) as caught:
        leave(only(CHOOSING), "look", variables, {})
    assert sentence in str(caught.value)


_DATE = Foreign("java.util.Date", "Sun Mar 01 09:15:00 UTC 2026")


@pytest.mark.parametrize(
    ("compared", "value", "holds"),
    [
        ("== 'x'", _DATE, False),
        ("!= 'x'", _DATE, True),
        ("< 'x'", _DATE, True),
        ("== null", _DATE, False),
        ("< true", False, True),
        (">= true", "7", False),
        ("< 'x'", True, True),
        ("== true", "TRUE", True),
        ("< 5", None, False),
    ],
)
def test_what_is_compared_with_what(compared: str, value: Any, holds: bool) -> None:
    """As observed on Camunda 7.24.0."""
    assert read(compared).holds({"amount": value}) == holds


@pytest.mark.parametrize(
    ("compared", "value", "sentence"),
    [
        ("== 5", _DATE, "Cannot coerce from class java.util.Date to class java.lang.Long"),
        ("== true", _DATE, "Cannot coerce from class java.util.Date to class java.lang.Boolean"),
        ("< 5.5", True, "Cannot coerce from class java.lang.Boolean to class java.lang.Double"),
        ("< true", 5, "Cannot coerce from class java.lang.Boolean to class java.lang.Long"),
        ("< true", _DATE, "class java.lang.Boolean cannot be cast to class java.util.Date"),
    ],
)
def test_what_cannot_be_compared(compared: str, value: Any, sentence: str) -> None:
    """As observed on Camunda 7.24.0."""
    with pytest.raises(CanNotGoOn, match=f"Cause: {sentence}"):
        read(compared).holds({"amount": value})


def read(compared: str) -> Condition:
    found = condition(f"${{amount {compared}}}")
    assert found is not None
    return found


def test_no_way_out_of_an_exclusive_gateway() -> None:
    made = only(
        file(
            process(
                START,
                '<exclusiveGateway id="how"/>',
                END,
                task("a"),
                flows("begin>how", "how>done?${x == 1}", "how>a?${x == 2}"),
            )
        )
    )
    with pytest.raises(CanNotGoOn, match="ENGINE-02004 No outgoing sequence flow for the element with id 'how'"):
        begin(made, {"x": 3})


def test_tokens_that_double_without_end_are_stopped() -> None:
    parts, ways = [], ["begin>f0"]
    for number in range(40):
        parts.append(f'<parallelGateway id="f{number}"/><exclusiveGateway id="m{number}"/>')
        ways += [f"f{number}>m{number}", f"m{number}>f{number + 1}"]
        parts.append(f'<exclusiveGateway id="n{number}"/>')
        ways += [f"f{number}>n{number}", f"n{number}>m{number}"]
    parts.append('<endEvent id="f40"/>')
    with pytest.raises(CanNotGoOn, match=str(MAX_STEPS)):
        begin(only(file(process(START, *parts, flows(*ways)))), {})


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("${x == 1}", 1, True),
        ("${x == 1}", 1.0, True),
        ("${x == 1}", "1", True),
        ("${x == 1.5}", 1.5, True),
        ("${x == 1}", None, False),
        ("${x != 1}", None, True),
        ("${x == null}", None, True),
        ("${x != null}", 0, True),
        ("${x == 'a'}", "a", True),
        ('#{ x == "a" }', "b", False),
        ("${x < 'b'}", "a", True),
        ("${x == true}", True, True),
        ("${x == true}", "TRUE", True),
        ("${x != false}", True, True),
        ("${x > 5}", 6, True),
        ("${x > 5}", None, False),
        ("${x <= 5}", "5", True),
        ("${x >= -5}", -5, True),
        ("${x <= null}", None, True),
        ("${x == '1'}", 1, True),
    ],
)
def test_comparisons(text: str, value: Any, holds: bool) -> None:
    made = condition(text)
    assert made is not None
    assert made.holds({"x": value}) is holds


@pytest.mark.parametrize("text", ["", "${x}", "x == 1", "${x = 1}", "${x == y}", "${not == 1}", "${x == 'a' + 'b'}"])
def test_what_is_no_condition(text: str) -> None:
    assert condition(text) is None


def test_priorities() -> None:
    given = priority("${rank}")
    assert given is not None
    assert (given.of({"rank": 7}), given.of({})) == (7, 0)
    for wrong in ("7", True, None):
        with pytest.raises(CanNotGoOn, match=": Priority value is not an Integer"):
            given.of({"rank": wrong})
    constant = priority("-3")
    assert constant is not None
    assert constant.of({}) == -3
    assert [priority(text) for text in ("1_0", "1.5", "", "${}")] == [None] * 4


@pytest.mark.parametrize("text", ["1_000", " 5 ", "5 ", "5L", "0x5", "5.0", "inf", "9223372036854775808"])
def test_texts_that_are_no_whole_numbers(text: str) -> None:
    made = condition("${x == 5}")
    assert made is not None
    with pytest.raises(CanNotGoOn, match="Cannot coerce"):
        made.holds({"x": text})


@pytest.mark.parametrize("text", ["1_000", "inf", "nan", "5L", "0x5", "\u0665", "infinity", "5 d"])
def test_texts_that_are_no_decimals(text: str) -> None:
    made = condition("${x == 5.5}")
    assert made is not None
    with pytest.raises(CanNotGoOn, match="Cannot coerce"):
        made.holds({"x": text})


@pytest.mark.parametrize(
    ("text", "equal"),
    [(" 5.5 ", True), ("5.5f", True), ("55E-1", True), ("5d", False), ("Infinity", False), ("0x1p3", False)],
)
def test_texts_that_are_decimals(text: str, equal: bool) -> None:
    made = condition("${x == 5.5}")
    assert made is not None
    assert made.holds({"x": text}) == equal


def pausing(*parts: str) -> Process:
    return only(file(process(*parts)))


def test_a_token_waits_before_and_after_a_task() -> None:
    made = pausing(
        START,
        task("a", 'camunda:asyncBefore="true" operaton:asyncAfter="true"'),
        flows("begin>a", "a>begin2"),
        '<endEvent id="begin2"/>',
    )
    assert begin(made, {}).jobs == [Waiting("a", Pause.BEFORE)]
    assert walk(made, Move(How.RESUME, "a"), {}, {}).tasks == ["a"]
    assert leave(made, "a", {}, {}).jobs == [Waiting("a", Pause.AFTER, "a-begin2")]
    assert walk(made, Move(How.TAKE, "a-begin2"), {}, {}) == Steps()


def test_one_job_for_each_way_out_and_one_for_none() -> None:
    fork = '<parallelGateway id="fork" camunda:asyncAfter="true"/>'
    made = pausing(
        START, fork, task("a"), task("b", 'camunda:asyncAfter="true"'), flows("begin>fork", "fork>a", "fork>b")
    )
    assert begin(made, {}).jobs == [Waiting("fork", Pause.AFTER, "fork-a"), Waiting("fork", Pause.AFTER, "fork-b")]
    assert leave(made, "b", {}, {}).jobs == [Waiting("b", Pause.AFTER)]


def test_a_choice_is_made_before_the_job_after_it() -> None:
    choice = '<exclusiveGateway id="how" default="how-b" camunda:asyncAfter="true"/>'
    made = pausing(START, choice, task("a"), task("b"), flows("begin>how", "how>a?${x == 1}", "how>b"))
    assert begin(made, {"x": 1}).jobs == [Waiting("how", Pause.AFTER, "how-a")]
    with pytest.raises(CanNotGoOn) as caught:
        begin(made, {})
    assert caught.value.node == "how"


def test_a_job_before_a_join_counts_no_token() -> None:
    join = '<parallelGateway id="join" camunda:asyncBefore="true"/>'
    ways = flows("begin>fork", "fork>a", "fork>b", "a>join", "b>join", "join>done")
    made = pausing(START, '<parallelGateway id="fork"/>', task("a"), task("b"), join, END, ways)
    assert leave(made, "a", {}, {}).waiting == {}
    first = walk(made, Move(How.RESUME, "join"), {}, {})
    assert first.waiting == {"join": 1}
    assert walk(made, Move(How.RESUME, "join"), {}, first.waiting).waiting == {"join": 0}


AT = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "due"),
    [
        ("DURATION", "PT5M", "2026-01-31T10:05:00+00:00"),
        ("DURATION", "P1M", "2026-02-28T10:00:00+00:00"),
        ("DURATION", "P1Y2M3DT4H5M6S", "2027-04-03T14:05:06+00:00"),
        ("DURATION", "P1W", "2026-02-07T10:00:00+00:00"),
        ("DURATION", "PT1.5S", "2026-01-31T10:00:01.500000+00:00"),
        ("DATE", "2030-01-01", "2030-01-01T00:00:00+00:00"),
        ("DATE", "2030-01-01T10:00:00+05:00", "2030-01-01T10:00:00+05:00"),
        ("DATE", "PT5M", "2026-01-31T10:05:00+00:00"),
        ("DURATION", "${when}", "2026-01-31T10:03:00+00:00"),
        ("DATE", "${day}", "2030-01-01T00:00:00+00:00"),
    ],
)
def test_when_timers_are_due(kind: str, text: str, due: str) -> None:
    variables = {"when": "PT3M", "day": Foreign("java.util.Date", "", datetime(2030, 1, 1, tzinfo=UTC))}
    assert Timer(kind, text).due(variables, AT) == datetime.fromisoformat(due)


@pytest.mark.parametrize("text", ["", "soon", "P", "PT", "-PT5M", "P1H", "P999999999Y", "P999999999W", "2030-13-01"])
def test_timers_that_say_nothing(text: str) -> None:
    sentence = f"ENGINE-09027 Exception while resolving duedate '{text}': Invalid format: \"{text}\""
    with pytest.raises(CanNotGoOn) as caught:
        Timer("DURATION", text).due({}, AT)
    assert str(caught.value) == sentence


def test_a_timer_without_its_variable() -> None:
    with pytest.raises(CanNotGoOn, match="Cannot resolve identifier 'when'"):
        Timer("DATE", "${when}").due({}, AT)
