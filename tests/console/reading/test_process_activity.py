"""What a BPMN file says of an activity, whoever wrote it."""

import pytest

from retriage.console.reading.process_activity import MOST_CHARACTERS, ProcessActivity, read_activity

NAMES = 'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL"'


def drawn(*parts: str) -> str:
    return f"<definitions {NAMES}><process id='p'>{''.join(parts)}</process></definitions>"


def flow(source: str, target: str, prefix: str = "") -> str:
    return f"<{prefix}sequenceFlow id='{source}-{target}' sourceRef='{source}' targetRef='{target}'/>"


TASK = "<serviceTask id='a'/>"


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ((TASK, flow("a", "b"), flow("b", "c")), ProcessActivity(True, 1)),
        (("<b:serviceTask id='a'/>", flow("a", "b", "b:"), flow("a", "c", "b:")), ProcessActivity(True, 2)),
        ((TASK,), ProcessActivity(True, 0)),
        ((TASK, flow("a", "g"), "<exclusiveGateway id='g'/>"), ProcessActivity(True, 1, chooses="g")),
        ((TASK, flow("a", "g"), "<parallelGateway id='g'/>", "<exclusiveGateway id='h'/>"), ProcessActivity(True, 1)),
        (
            ("<serviceTask id='a'><multiInstanceLoopCharacteristics/></serviceTask>", flow("a", "b")),
            ProcessActivity(True, 1, repeated=True),
        ),
        (
            (TASK, "<subProcess id='s'><multiInstanceLoopCharacteristics/></subProcess>", flow("a", "b")),
            ProcessActivity(True, 1),
        ),
        (("<serviceTask id='other'/>", flow("a", "b")), ProcessActivity()),
    ],
)
def test_what_leaves_an_activity(parts: tuple[str, ...], found: ProcessActivity) -> None:
    assert read_activity(drawn(*parts), "a") == found


def test_a_subprocess_around_it_that_is_repeated_is_not_the_activity() -> None:
    inner = f"<subProcess id='s'><multiInstanceLoopCharacteristics/>{TASK}{flow('a', 'b')}</subProcess>"
    assert read_activity(drawn(inner), "a") == ProcessActivity(True, 1)


LAUGHS = "<!DOCTYPE d [<!ENTITY l 'ha'><!ENTITY m '&l;&l;'>]>"


@pytest.mark.parametrize(
    "xml",
    [
        LAUGHS + drawn(TASK, flow("a", "b"), "&m;"),
        "<!DOCTYPE d SYSTEM 'file:///etc/passwd'>" + drawn(TASK, flow("a", "b")),
        drawn(TASK, flow("a", "b"))[:-4],
        "",
        "no xml",
        drawn(TASK, flow("a", "b"), "&nothing;"),
        drawn(TASK, flow("a", "b"), "<x/>" * 200_001),
        drawn(TASK, flow("a", "b")) + " " * MOST_CHARACTERS,
        '<?xml version="1.0" encoding="rot13"?>' + drawn(TASK) + "\ud800",
    ],
)
def test_a_hostile_file_is_not_read(xml: str) -> None:
    assert read_activity(xml, "a") == ProcessActivity()
