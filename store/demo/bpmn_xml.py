"""BPMN 2.0 XML of a demo process."""

from xml.sax.saxutils import quoteattr

from retriage.store.demo.processes import Activity, Process

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"\n'
    '                  xmlns:camunda="http://camunda.org/schema/1.0/bpmn"\n'
    '                  id="definitions" targetNamespace="http://retriage.example/demo">\n'
)


def draw(process: Process) -> bytes:
    """The process as a BPMN file, UTF-8: start, external tasks, forks and joins, boundary errors, end."""
    page = _Page()
    page.element("startEvent", "Start", name="Started")
    last = "Start"
    for number, step in enumerate(process.steps, start=1):
        last = page.one(last, step[0]) if len(step) == 1 else page.fork(last, number, step)
    page.element("endEvent", "End", name="Done")
    page.flow(last, "End")
    tag = f" camunda:versionTag={quoteattr(process.tag)}" if process.tag else ""
    opening = (
        f"  <bpmn:process id={quoteattr(process.key)} name={quoteattr(process.name)} "
        f'isExecutable="true" camunda:historyTimeToLive="180"{tag}>\n'
    )
    body = "".join(f"    {line}\n" for line in page.lines)
    errors = "".join(f"  {line}\n" for line in page.errors)
    return f"{_HEAD}{errors}{opening}{body}  </bpmn:process>\n</bpmn:definitions>\n".encode()


class _Page:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._flows = 0

    def one(self, before: str, activity: Activity) -> str:
        """A step of a single activity, behind a merge if an error handler leads back to it. Answers its id."""
        if activity.handler is None or activity.error_code is None:
            self.task(activity)
            self.flow(before, activity.id)
            return activity.id
        merge, caught = f"Before{activity.id}", f"{activity.id}Refused"
        self.element("exclusiveGateway", merge)
        self.task(activity)
        self.errors.append(
            f'<bpmn:error id="{activity.error_code}" name="{activity.error_code}" errorCode="{activity.error_code}" />'
        )
        self.lines.append(
            f'<bpmn:boundaryEvent id="{caught}" attachedToRef="{activity.id}">'
            f'<bpmn:errorEventDefinition errorRef="{activity.error_code}" /></bpmn:boundaryEvent>'
        )
        self.task(activity.handler)
        for source, target in (
            (before, merge),
            (merge, activity.id),
            (caught, activity.handler.id),
            (activity.handler.id, merge),
        ):
            self.flow(source, target)
        return activity.id

    def fork(self, before: str, number: int, step: tuple[Activity, ...]) -> str:
        """A step whose activities run at the same time. Answers the id of the join."""
        fork, join = f"Fork{number}", join_id(number)
        self.element("parallelGateway", fork)
        self.element("parallelGateway", join)
        self.flow(before, fork)
        for activity in step:
            self.task(activity)
            self.flow(fork, activity.id)
            self.flow(activity.id, join)
        return join

    def task(self, activity: Activity) -> None:
        priority = f' camunda:taskPriority="{activity.priority}"' if activity.priority else ""
        self.lines.append(
            f"<bpmn:serviceTask id={quoteattr(activity.id)} name={quoteattr(activity.name)} "
            f'camunda:type="external" camunda:topic={quoteattr(activity.topic)}{priority} />'
        )

    def element(self, tag: str, id_: str, name: str | None = None) -> None:
        named = f" name={quoteattr(name)}" if name else ""
        self.lines.append(f"<bpmn:{tag} id={quoteattr(id_)}{named} />")

    def flow(self, source: str, target: str) -> None:
        self._flows += 1
        self.lines.append(f'<bpmn:sequenceFlow id="flow{self._flows}" sourceRef="{source}" targetRef="{target}" />')


def join_id(number: int) -> str:
    """The id of the gateway that ends the step with this number, counted from 1."""
    return f"Join{number}"
