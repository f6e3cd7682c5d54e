"""What is refused, and that everything that is wrong is said at once."""

import pytest

from retriage.store.bpmn import NotSupported, parse
from retriage.store.bpmn.parse import MAX_ID
from retriage.store.bpmn.xml import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS
from tests.store.drawings import END, HEAD, START, catch, file, flows, process, task

BEGIN = flows("begin>a")


def _timer(time: str) -> str:
    definition = f"<timerEventDefinition>{time}</timerEventDefinition>"
    return f'<intermediateCatchEvent id="a">{definition}</intermediateCatchEvent>'


def _tried(cycle: str) -> str:
    said = f"<camunda:failedJobRetryTimeCycle>{cycle}</camunda:failedJobRetryTimeCycle>"
    inner = f"<extensionElements>{said}</extensionElements>"
    return f'<serviceTask id="a" camunda:type="external" camunda:topic="t">{inner}</serviceTask>'


def refusal(xml: bytes) -> NotSupported:
    with pytest.raises(NotSupported) as caught:
        parse(xml, "order.bpmn")
    return caught.value


def problems(*parts: str, more: str = "", days: str | None = "30") -> list[str]:
    return [problem.message for problem in refusal(file(process(*parts, more=more, days=days))).problems]


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"hello",
        b"<definitions>",
        b"<a></b>",
        b"\xff\xfe\x00",
        b"<a>&undefined;</a>",
        b'<a b="1" b="2"/>',
    ],
)
def test_what_is_no_xml(xml: bytes) -> None:
    assert "well-formed" in refusal(xml).problems[0].message


@pytest.mark.parametrize(
    "document_type",
    [
        "<!DOCTYPE definitions>",
        '<!DOCTYPE d SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE d [<!ENTITY % p SYSTEM "http://localhost/x"> %p;]>',
    ],
)
def test_document_types_are_refused(document_type: str) -> None:
    xml = HEAD.replace("?>\n", f"?>\n{document_type}\n", 1) + "</definitions>"
    found = refusal(xml.encode()).problems
    assert "DOCTYPE" in found[0].message
    assert found[0].line == 2


@pytest.mark.parametrize("encoding", ["nonsense", "unicode_escape", "rot13", "hex", "utf-7", "koi8-r", "cp037"])
def test_encodings_that_are_refused(encoding: str) -> None:
    xml = HEAD.replace("UTF-8", encoding) + "</definitions>"
    assert refusal(xml.encode()).problems[0].message == f"The encoding '{encoding}' is not supported."


def test_size_depth_and_number_are_bounded() -> None:
    assert "larger" in refusal(b" " * (MAX_BYTES + 1)).problems[0].message
    deep = "<x>" * (MAX_DEPTH + 1) + "</x>" * (MAX_DEPTH + 1)
    assert "deeper" in refusal(deep.encode()).problems[0].message
    many = "<x>" + "<y/>" * (MAX_ELEMENTS + 1) + "</x>"
    assert "elements" in refusal(many.encode()).problems[0].message


def test_another_root() -> None:
    assert "BPMN" in refusal(b"<html/>").problems[0].message


@pytest.mark.parametrize(
    "element",
    [
        '<userTask id="a"/>',
        '<scriptTask id="a"/>',
        '<subProcess id="a"/>',
        '<callActivity id="a"/>',
        '<inclusiveGateway id="a"/>',
        '<eventBasedGateway id="a"/>',
        '<intermediateCatchEvent id="a"/>',
        '<startEvent id="a"><timerEventDefinition/></startEvent>',
        '<endEvent id="a"><terminateEventDefinition/></endEvent>',
        '<serviceTask id="a" camunda:class="org.Thing"/>',
        '<serviceTask id="a" camunda:expression="${thing}"/>',
        '<serviceTask id="a"/>',
        '<serviceTask id="a" camunda:type="external" camunda:topic="${where}"/>',
        _tried("${often}"),
        _tried("R3/2030-01-01T00:00:00/PT5M"),
        _timer("<timeCycle>R3/PT5M</timeCycle>"),
        _timer("<timeDuration>R3/PT5M</timeDuration>"),
        _timer("<timeDuration>${a.b}</timeDuration>"),
        _timer(""),
        '<intermediateCatchEvent id="a"><messageEventDefinition/></intermediateCatchEvent>',
        task("a", 'camunda:asyncBefore="true" camunda:jobPriority="high"'),
        task("a", 'isForCompensation="true"'),
        task("a", inside="<multiInstanceLoopCharacteristics/>"),
        task("a", inside="<extensionElements><camunda:inputOutput/></extensionElements>"),
        task("a", inside="<extensionElements><camunda:errorEventDefinition/></extensionElements>"),
        task("a", inside='<extensionElements><camunda:executionListener event="end"/></extensionElements>'),
        task("a", 'camunda:taskPriority="high"'),
        task("a", 'camunda:taskPriority="${a.b}"'),
        task("a", 'camunda:taskPriority="99999999999999999999"'),
        '<sequenceFlow id="a" sourceRef="begin" targetRef="a"><extensionElements>'
        '<camunda:executionListener expression="${x}" event="take"/></extensionElements></sequenceFlow>',
    ],
)
def test_elements_that_the_store_does_not_run(element: str) -> None:
    found = refusal(file(process(START, element, BEGIN))).problems
    assert any(problem.main_element == "a" and problem.line == 5 for problem in found)


def test_everything_is_said_at_once() -> None:
    found = refusal(
        file(process(START, '<userTask id="a"/>', '<scriptTask id="b"/>', flows("begin>a", "a>nowhere"), days=None))
    ).problems
    assert [problem.main_element for problem in found] == ["a", "b", "a-nowhere", "order"]
    assert all(problem.line and problem.column for problem in found)


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (None, "ENGINE-12018 History Time To Live (TTL) cannot be null."),
        ("abc", 'Cannot parse historyTimeToLive: For input string: "abc"'),
        ("P1Y", 'Cannot parse historyTimeToLive: For input string: "P1Y"'),
        ("99999999999", 'Cannot parse historyTimeToLive: For input string: "99999999999"'),
        ("P" + "9" * 5000 + "D", 'Cannot parse historyTimeToLive: For input string: "P999'),
        ("-3", "Cannot parse historyTimeToLive: negative value is not allowed"),
    ],
)
def test_time_to_live(days: str | None, sentence: str) -> None:
    (found,) = problems(START, END, flows("begin>done"), days=days)
    assert found.startswith(sentence)
    assert found.partition(f": {sentence}")[1]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ((END,), "process must define a startEvent element"),
        ((START, '<startEvent id="other"/>'), "Several start events"),
        ((START, flows("begin>nope")), "Invalid destination 'nope' of sequence flow 'begin-nope'"),
        ((START, flows("nope>begin")), "Invalid source 'nope' of sequence flow 'nope-begin'"),
        ((START, '<serviceTask id="a" camunda:type="external"/>', BEGIN), "must specify a 'topic' attribute"),
        ((START, END, flows("begin>done?${a == 1}")), "out of exclusive gateways only"),
        ((START, task("a"), flows("begin>a", "a>begin")), "can not have incoming"),
        ((START, END, task("a"), flows("begin>done", "done>a")), "can not have outgoing"),
        ((START, task("a"), catch("b", "begin"), BEGIN), "no service task 'begin'"),
        ((START, task("a"), '<boundaryEvent id="b" attachedToRef="a"/>', BEGIN), "exactly one error event"),
        ((START, START), "several elements with the id 'begin'"),
        ((START, "<endEvent/>"), "'endEvent' needs an id"),
        ((START, f'<endEvent id="{"x" * (MAX_ID + 1)}"/>'), "longer than"),
        *((((START, f'<endEvent id="{name}"/>'), "is not an id")) for name in ("a b", "1a", "a/b", "a:b", "\u202ea")),
    ],
)
def test_drawings_that_make_no_sense(parts: tuple[str, ...], sentence: str) -> None:
    assert any(sentence in found for found in problems(*parts))


@pytest.mark.parametrize(
    ("gateway", "ways", "sentence"),
    [
        ("", [], "has no outgoing sequence flows"),
        ("", ["how>done", "how>a"], "'how-done' without condition which is not the default flow"),
        ('default="how-done"', ["how>done?${x == 2}", "how>a?${x == 1}"], "default flow but has a condition"),
        (
            "",
            ["how>done?${x == 1}"],
            "only one outgoing sequence flow ('how-done'). This is not allowed to have a cond",
        ),
        ('default="how-done"', ["how>done?${x == 1}"], "This is not allowed to have a condition"),
        ('default="begin-how"', ["how>done", "how>a?${x == 1}"], "does not leave it"),
        ('default="how-done"', ["how>done", "how>a?${x.y == 1}"], "compare one variable with one literal"),
        ('default="how-done"', ["how>done", "how>a?${execution.kill()}"], "compare one variable with one literal"),
        ('default="how-done"', ["how>done", "how>a?${x == 1} or else"], "compare one variable with one literal"),
    ],
)
def test_exclusive_gateways(gateway: str, ways: list[str], sentence: str) -> None:
    drawn = (START, f'<exclusiveGateway id="how" {gateway}/>', END, task("a"), flows("begin>how", *ways))
    assert any(sentence in found for found in problems(*drawn))


def test_loops_that_would_never_wait() -> None:
    (found,) = refusal(
        file(
            process(
                START,
                '<exclusiveGateway id="one" default="one-two"/>',
                '<exclusiveGateway id="two" default="two-one"/>',
                END,
                flows("begin>one", "one>two", "two>one", "two>done?${x == 1}", "one>done?${x == 1}"),
            )
        )
    ).problems
    assert "loop" in found.message
    assert set(found.elements) == {"order", "one", "two"}


def test_loops_through_a_task_are_fine() -> None:
    drawn = file(process(START, task("a"), task("b"), flows("begin>a", "a>b", "b>a")))
    assert len(parse(drawn, "order.bpmn")) == 1


def test_loops_through_a_job_are_fine() -> None:
    gateway = '<exclusiveGateway id="a" camunda:asyncBefore="true"/><exclusiveGateway id="b"/>'
    assert len(parse(file(process(START, gateway, flows("begin>a", "a>b", "b>a"))), "order.bpmn")) == 1


def test_thousands_of_problems_come_in_a_moment() -> None:
    steps = [f'<exclusiveGateway id="g{number}"/>' for number in range(10_000)]
    ways = [f"g{number}>g{number + 1}" for number in range(9_999)]
    found = refusal(file(process(START, *steps, flows("begin>g0", *ways, "g9999>g0")))).problems
    assert len(found) == 1


def test_the_form_of_the_file() -> None:
    """What the engine's own schema refuses, in its words."""
    drawn = file(
        "hello",
        process(
            '<startEvent id="begin" colour="red"/>',
            task("a", inside="<incoming>begin-a</incoming><extensionElements/>"),
            task("b", inside="words"),
            '<x:y xmlns:x="urn:x"/>',
            more='colour="red" isClosed="yes"',
        ),
    )
    found = refusal(drawn.replace(b' targetNamespace="http://shop"', b"")).problems
    model = '{"http://www.omg.org/spec/BPMN/20100524/MODEL":extensionElements}'
    only = "because the type's content type is element-only."
    assert [(problem.message, problem.main_element) for problem in found if problem.message.startswith("cvc")] == [
        ("cvc-complex-type.4: Attribute 'targetNamespace' must appear on element 'definitions'.", None),
        (f"cvc-complex-type.2.3: Element 'definitions' cannot have character [children], {only}", None),
        ("cvc-complex-type.3.2.2: Attribute 'colour' is not allowed to appear in element 'process'.", "order"),
        ("cvc-datatype-valid.1.2.1: 'yes' is not a valid value for 'boolean'.", "order"),
        ("cvc-complex-type.2.4.a: Invalid content was found starting with element '{\"urn:x\":y}'.", "order"),
        ("cvc-complex-type.3.2.2: Attribute 'colour' is not allowed to appear in element 'startEvent'.", "begin"),
        (f"cvc-complex-type.2.4.a: Invalid content was found starting with element '{model}'.", "a"),
        (f"cvc-complex-type.2.3: Element 'serviceTask' cannot have character [children], {only}", "b"),
    ]


@pytest.mark.parametrize(
    "inside",
    [
        "<extensionElements/><documentation/>",
        "<outgoing>a-b</outgoing><incoming>begin-a</incoming>",
        "<extensionElements/><extensionElements/>",
        "<extensionElements>words</extensionElements>",
        '<extensionElements id="x"/>',
        "<extensionElements><documentation/></extensionElements>",
        '<extensionElements><x xmlns=""/></extensionElements>',
    ],
)
def test_the_form_of_a_task(inside: str) -> None:
    (found,) = problems(START, task("a", inside=inside), BEGIN)
    assert found.startswith("cvc-complex-type.")
