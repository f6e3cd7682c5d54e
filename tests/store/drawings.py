"""BPMN files for the tests of the store, written as short as they can be read."""

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'xmlns:operaton="http://operaton.org/schema/1.0/bpmn" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="http://shop">\n'
)


def file(*parts: str) -> bytes:
    """A BPMN file with these children of ``definitions``."""
    return (HEAD + "\n".join(parts) + "\n</definitions>\n").encode()


def process(*parts: str, key: str = "order", more: str = "", days: str | None = "30") -> str:
    """A process with these children; ``more`` are further attributes."""
    kept = "" if days is None else f' camunda:historyTimeToLive="{days}"'
    return f'<process id="{key}" isExecutable="true"{kept} {more}>\n' + "\n".join(parts) + "\n</process>"


def task(name: str, more: str = "", inside: str = "") -> str:
    """An external task whose topic is its name."""
    return f'<serviceTask id="{name}" camunda:type="external" camunda:topic="{name}" {more}>{inside}</serviceTask>'


def flows(*pairs: str) -> str:
    """Flows written ``source>target`` or ``source>target?condition``; the id is ``source-target``."""
    made = []
    for pair in pairs:
        way, _, condition = pair.partition("?")
        source, _, target = way.partition(">")
        inside = ""
        if condition:
            condition = condition.replace("&", "&amp;").replace("<", "&lt;")
            inside = f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression>'
        made.append(
            f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'
        )
    return "\n".join(made)


def catch(name: str, host: str, reference: str | None = None, more: str = "") -> str:
    """An error boundary event."""
    error = f'errorRef="{reference}"' if reference else ""
    return f'<boundaryEvent id="{name}" attachedToRef="{host}"><errorEventDefinition {error} {more}/></boundaryEvent>'


START = '<startEvent id="begin"/>'
END = '<endEvent id="done"/>'

ONE_TASK = file(process(START, task("charge"), END, flows("begin>charge", "charge>done")))

FORKED = file(
    process(
        START,
        '<parallelGateway id="split"/>',
        task("pack"),
        task("bill"),
        '<parallelGateway id="join"/>',
        task("ship"),
        END,
        flows("begin>split", "split>pack", "split>bill", "pack>join", "bill>join", "join>ship", "ship>done"),
    )
)

CAUGHT = file(
    '<error id="declined" errorCode="DECLINED"/>',
    process(
        START,
        task("charge"),
        catch("refused", "charge", "declined", 'camunda:errorCodeVariable="code" camunda:errorMessageVariable="why"'),
        task("call"),
        END,
        flows("begin>charge", "charge>done", "refused>call", "call>done"),
    ),
)

CHOOSING = file(
    process(
        START,
        task("look", 'camunda:taskPriority="${rank}"'),
        '<exclusiveGateway id="how" default="how-small"/>',
        task("large"),
        task("small"),
        END,
        flows("begin>look", "look>how", "how>large?${amount >= 100}", "how>small", "large>done", "small>done"),
    )
)


JUDGED = file(
    process(
        START,
        '<exclusiveGateway id="judge" camunda:asyncBefore="true"/>',
        task("good"),
        END,
        flows("begin>judge", "judge>good?${ok == 1}", "judge>done?${ok == 2}", "good>done"),
        key="judged",
    )
)
"""A process whose first job fails while the variable ``ok`` is missing."""
