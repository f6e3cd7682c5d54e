"""What happens next in a run and why: what its gate waits for, what goes out then, why it is held. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.runs.driver import GATE_CAUSES
from console.runs.gate import FEWEST, wilson
from console.runs.task_check import CHANGES
from console.text.ink import Ink
from console.text.words import count, things

if TYPE_CHECKING:
    from console.runs.run_view import RunView, WaveView


@dataclass(frozen=True)
class NextStep:
    """What happens next.

    Attributes:
        head: in a few words.
        why: sentences about it, the most important first.
        ink: how the head is written.
    """

    head: str
    why: tuple[str, ...]
    ink: Ink


@dataclass(frozen=True)
class GateReading:
    """What the gate of a wave has seen.

    Attributes:
        wave: which wave.
        again: tasks that failed again.
        decided: tasks that tell.
        low: lower end of the 95 % interval of the share that fails again.
        high: its upper end.
        limit: share that may.
    """

    wave: int
    again: int
    decided: int
    low: float
    high: float
    limit: float

    @property
    def early(self) -> bool:
        """Too few are decided to judge by the interval."""
        return self.decided < FEWEST


def gate_reading(view: RunView) -> GateReading | None:
    """What the gate of the wave at work has seen, or that of the last one that was; nothing before the first."""
    begun = [wave for wave in view.waves if wave.state not in ("planned", "dropped")]
    if not begun:
        return None
    wave = begun[-1]
    counts = wave.counts
    low, high = wilson(counts.again, counts.decided) if counts.decided else (0.0, 1.0)
    return GateReading(wave.wave, counts.again, counts.decided, low, high, view.run.gate)


def next_step(view: RunView, watched: float | None = None) -> NextStep:
    """What happens next in a run.

    Args:
        view: the run.
        watched: seconds for which the wave at work was watched, where they are known better than by the journal.
    """
    match view.word:
        case "preparing":
            return NextStep("Its tasks are being written down.", ("Nothing is sent before all of them are.",), "accent")
        case "void":
            return NextStep("It never began.", (view.said,), "warning")
        case "passed":
            open = view.counts.open
            were = "was" if open == 1 else "were"
            later = f"{things(open, 'task')} {were} open when the gate passed their wave: its batch (enter) shows more."
            return NextStep("Every wave went through.", (_result(view), *((later,) if open else ())), "good")
        case "stopped":
            return NextStep("Stopped.", (view.said, _result(view)), "warning")
        case "interrupted" | "held":
            return _held(view)
    wave = at_work(view)
    if wave is None:
        return NextStep("The next wave begins.", (), "accent")
    if wave.state in ("planned", "sending"):
        return _sending(view, wave)
    return _watching(view, wave, wave.watched if watched is None else watched)


def at_work(view: RunView) -> WaveView | None:
    """The first wave that is not over."""
    return next((one for one in view.waves if one.state in ("planned", "sending", "watching")), None)


def waiting_waves(view: RunView) -> list[WaveView]:
    """Those that have not begun."""
    return [one for one in view.waves if one.state == "planned"]


def _held(view: RunView) -> NextStep:
    by_gate = view.word == "held" and view.run.cause in GATE_CAUSES
    wave = at_work(view)
    head = "Held after an interruption." if view.word == "interrupted" or view.run.cause == "interrupted" else "Held."
    if by_gate and wave is not None:
        head = f"Held by the gate of wave {wave.wave}."
    said = view.said.removeprefix("Held after an interruption: ")
    why = [said[:1].upper() + said[1:]]
    rest = waiting_waves(view)
    if rest:
        tasks = sum(one.tasks for one in rest)
        left = f" with {things(tasks, 'task')}" if tasks else ""
        are = "is" if len(rest) == 1 else "are"
        why.append(f"{things(len(rest), 'wave')}{left} {are} not sent; nothing goes on by itself.")
    elif wave is not None:
        why.append("It is the last wave.")
    return NextStep(head, tuple(why), "failed" if by_gate else "warning")


def _sending(view: RunView, wave: WaveView) -> NextStep:
    are = "is" if wave.tasks == 1 else "are"
    why = [f"Its {things(wave.tasks, 'task')} {are} looked at again first, then sent{_paced(view)}."]
    if wave.left_out:
        why.append(f"Left out: {left_out_said(wave)}.")
    why.append(f"Then it is watched for {view.run.watch:g} s. {_after(view, wave)}")
    return NextStep(f"Wave {wave.wave} is being sent.", tuple(why), "accent")


def _paced(view: RunView) -> str:
    return f", {view.run.pace:g} a minute" if view.run.pace is not None else ""


def _watching(view: RunView, wave: WaveView, watched: float) -> NextStep:
    counts, limit = wave.counts, view.run.gate
    last = _following(view, wave) is None
    left = max(view.run.watch - watched, 0)
    if counts.not_set:
        why = [f"The batch has still to set {things(counts.not_set, 'task')}: the watch begins when it has."]
    elif counts.decided < FEWEST:
        why = [f"{count(counts.decided)} of {things(counts.total, 'task')} decided: nothing is judged below {FEWEST}."]
    else:
        low, high = wilson(counts.again, counts.decided)
        why = [
            f"By {things(counts.decided, 'task')} decided, {100 * low:.1f} to {100 * high:.1f}% fail again: it passes "
            f"when all of that is below {100 * limit:g}%{', at the end of its watch' if last else ''}, and holds when "
            "all of it is above."
        ]
    if counts.open:
        or_else = "neither can be said" if last and counts.decided >= FEWEST else "tasks are still open"
        why.append(f"If {or_else} after {view.run.watch:g} s, it is held.")
    why.append(_after(view, wave))
    return NextStep(
        f"Wave {wave.wave} is watched: {watched:.0f} of {view.run.watch:g} s, {left:.0f} s left.", tuple(why), "accent"
    )


def _following(view: RunView, wave: WaveView) -> WaveView | None:
    return next((one for one in view.waves if one.wave > wave.wave), None)


def _after(view: RunView, wave: WaveView) -> str:
    following = _following(view, wave)
    if following is None:
        return "It is the last wave."
    return f"When it passes, wave {following.wave} goes out with {things(following.tasks, 'task')}."


def _result(view: RunView) -> str:
    counts = view.counts
    told = [f"{count(counts.done)} done", f"{count(counts.again)} failed again"]
    told += [f"{count(counts.open)} still open"] if counts.open else []
    told += [f"{count(counts.cancelled)} cancelled"] if counts.cancelled else []
    told += [f"{count(counts.unknown)} not known"] if counts.unknown else []
    return f"{', '.join(told)}, when last looked at."


def left_out_said(wave: WaveView) -> str:
    """How many tasks of a wave were left out and why."""
    return ", ".join(f"{count(number)} {CHANGES.get(why, why)}" for why, number in wave.left_out.items())  # type: ignore[call-overload]
