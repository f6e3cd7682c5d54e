"""What becomes of a launch, step by step, and the sentence in which the operator is told of each step."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from retriage.console.operations.operation import Operation
from retriage.console.text.ink import Ink
from retriage.console.text.words import clock, short, things
from retriage.store.contract.records import Batch


@dataclass(frozen=True)
class Sending:
    """It is about to be sent, for so many tasks or other units, in words."""

    units: str


@dataclass(frozen=True)
class NotKept:
    """The journal cannot be written, for this reason."""

    why: str


@dataclass(frozen=True)
class NotSent:
    """It was not sent, or could not be: nothing was changed."""

    why: str


@dataclass(frozen=True)
class RefusedByEngine:
    """The engine said no in an error of the contract, or a proxy found it too large: nothing was changed."""

    sentence: str
    too_large: bool = False


@dataclass(frozen=True)
class NoAnswer:
    """It was sent, and no answer proves what became of it: its batch is looked for now."""

    sentence: str


@dataclass(frozen=True)
class Launched:
    """Its batch is there.

    Attributes:
        batch: the batch.
        operation: what it does.
        jobs: how many were expected.
        certain: it is known to be its own: the engine answered so, or something proves it.
        number: the launch in the journal, where that is told: one that was looked for.
    """

    batch: Batch
    operation: Operation
    jobs: int
    certain: bool = True
    number: int | None = None


@dataclass(frozen=True)
class Proven:
    """The batch that was probably its own is its own."""

    number: int | None
    batch_id: str


@dataclass(frozen=True)
class Disproved:
    """The batch that was probably its own is another's."""

    number: int | None
    batch_id: str


@dataclass(frozen=True)
class NotFound:
    """No such batch was found yet; it is looked for on and on.

    Attributes:
        looked_at: when the engine last answered a look; ``None`` where every look has failed.
        problem: why the last look failed, empty where it did not.
        until: when it will be known at the latest that there is none, if the engine answers then.
        perhaps: so many batches may be it, and none is for certain.
        number: the launch in the journal.
    """

    looked_at: datetime | None
    problem: str
    until: datetime
    perhaps: int = 0
    number: int | None = None


@dataclass(frozen=True)
class NotCarriedOut:
    """It was not carried out, and this proves it."""

    number: int | None
    proof: str


@dataclass(frozen=True)
class CarriedOut:
    """It was carried out: its units are what it makes them. Its batch is gone, and the engine keeps no ended ones."""

    number: int | None
    operation: Operation


@dataclass(frozen=True)
class NeverKnown:
    """The engine shows nothing any more that could tell what became of it."""

    number: int | None


@dataclass(frozen=True)
class GivenBack:
    """How far instances or executions have got back what they had, or were set, by a request each.

    Attributes:
        number: how many are to get it.
        came: what came of how many by now.
        stopped: why no more are tried, as a sentence; empty where nothing stops it.
        refusal: what the engine last said when it refused one.
        over: nothing more is sent.
        unit: what they are.
        gives_back: they get back what they had.
    """

    number: int
    came: Counter[str]
    stopped: str = ""
    refusal: str = ""
    over: bool = False
    unit: str = "instance"
    gives_back: bool = True

    @property
    def rest(self) -> int:
        """How many have not got it back."""
        return self.number - self.came["done"]

    @property
    def sentence(self) -> str:
        """In words."""
        said = f"{self.came['done']:,} of {things(self.number, self.unit)} {got_what(self.gives_back)}"
        if not self.over:
            return f"{said} …"
        untried = self.number - self.came.total() + self.came["unsent"]
        left = [
            f"{self.came['gone']:,} ended" if self.came["gone"] else "",
            f"{self.came['changed']:,} changed by somebody" if self.came["changed"] else "",
            f"{self.came['refused']:,} refused ({self.refusal.rstrip('.')})" if self.came["refused"] else "",
            f"{self.came['unknown']:,} not known" if self.came["unknown"] else "",
            f"{untried:,} not tried" if untried else "",
        ]
        said = "; ".join([said, *filter(None, left)])
        again = "Order the undo again to go on." if self.gives_back else "Resume the run to go on."
        return f"{self.stopped.rstrip('.')}. {said}. {again}" if self.stopped else f"{said}."


def got_what(gives_back: bool) -> str:
    """What units got by a request each, in words that follow their number."""
    return "got back what they had" if gives_back else "got the new value"


LaunchEvent = (
    Sending
    | NotKept
    | NotSent
    | RefusedByEngine
    | NoAnswer
    | Launched
    | Proven
    | Disproved
    | NotFound
    | NotCarriedOut
    | CarriedOut
    | NeverKnown
    | GivenBack
)


def sentence_of(event: LaunchEvent) -> tuple[str, Ink]:
    """An event in words, and their ink."""
    match event:
        case Sending(units):
            return f"Launching a batch for {units} …", ""
        case NotKept(why):
            return f"The journal cannot be written: {why}. This launch cannot be undone from here.", "warning"
        case NotSent(why) | RefusedByEngine(why, _):
            return why, "failed"
        case NoAnswer(sentence):
            return f"{sentence} Looking for its batch …", "warning"
        case Launched():
            return _launched(event)
        case Proven(number, batch_id):
            return f"Batch {short(batch_id)} belongs to {_which(number)}: this is now proven.", "good"
        case Disproved(number, batch_id):
            return (
                f"Batch {short(batch_id)} does not belong to {_which(number)}; its own is still looked for.",
                "failed",
            )
        case NotFound():
            return _not_found(event), "failed"
        case NotCarriedOut(number, proof):
            return f"{_capital(_which(number))} was not carried out: {proof}.", "warning"
        case CarriedOut(number, operation):
            told = f"its {operation.unit}s {operation.state}; its batch is gone, and this engine keeps no ended ones"
            return f"{_capital(_which(number))} was carried out: {told}.", "warning"
        case GivenBack():
            bad = event.stopped or event.came["refused"]
            return event.sentence, "failed" if bad else "" if not event.over else "warning" if event.rest else "good"
        case NeverKnown(number):
            return f"What became of {_which(number)} can no longer be known: look at its tasks.", "failed"


def about_of(event: LaunchEvent) -> str:
    """The launch that an event is about, where what is told later of the same launch takes its place."""
    match event:
        case NotFound() | Launched() | Proven() | Disproved() | NotCarriedOut() | CarriedOut() | NeverKnown():
            return f"launch {event.number}" if event.number is not None else ""
        case _:
            return ""


def _launched(event: Launched) -> tuple[str, Ink]:
    more = event.batch.total_jobs - event.jobs
    drift = f", {abs(more):,} {'more' if more > 0 else 'fewer'} than were counted" if more else ""
    jobs = f"{things(event.batch.total_jobs, 'job')}{drift}, {event.operation.each}"
    if event.certain:
        which = f" ({_which(event.number)})" if event.number is not None else ""
        return f"Batch {short(event.batch.id)} launched{which}: {jobs}.", "warning" if more else "good"
    probably = f"probably belongs to {_which(event.number)}"
    return f"Batch {short(event.batch.id)} {probably}: {jobs}. Nothing proves it yet.", "warning"


def _not_found(event: NotFound) -> str:
    later = f"it is looked for until {clock(event.until)}, and the journal (6) will say"
    if event.perhaps:
        return f"Look at 4 before launching again: {things(event.perhaps, 'batch', 'batches')} may be it; {later}."
    if event.looked_at is None:
        why = event.problem.rstrip(".")
        return f"Could not look for it: {why}. Do not launch again yet: it is looked for until that is known."
    return f"Do not launch again yet: at {clock(event.looked_at)} its batch was not there; {later}."


def _which(number: int | None) -> str:
    return f"launch {number}" if number is not None else "the launch"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
