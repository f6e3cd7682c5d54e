"""What happens next in a run and why: what its gate waits for, what goes out then, why it is held. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retriage.console.operations.work_counts import WorkCounts
from retriage.console.runs.driver import GATE_CAUSES
from retriage.console.runs.gate import FEWEST, judge, wilson, without
from retriage.console.runs.run_view import NOTHING_SENT, gate_of, left_out_said
from retriage.console.text.ink import Ink
from retriage.console.text.words import count, things

if TYPE_CHECKING:
    from retriage.console.runs.run_view import RunView, WaveView


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
        counts: what has become of its tasks.
        low: lower end of the 95 % interval of the share that fails again: it is held early above the limit.
        limit: share that may.
    """

    wave: int
    counts: WorkCounts
    low: float
    limit: float

    @property
    def best(self) -> float:
        """The share that fails again where no further task does."""
        return self.counts.again / max(self.counts.judged, 1)

    @property
    def worst(self) -> float:
        """The share that fails again where every task does that is not decided."""
        return self.counts.at_worst / max(self.counts.judged, 1)


def gate_reading(view: RunView) -> GateReading | None:
    """What the gate of the wave at work has seen, or that of the last one that was; nothing before the first."""
    begun = [wave for wave in view.waves if wave.state not in ("planned", "dropped")]
    if not begun:
        return None
    wave = begun[-1]
    counts = wave.counts
    low = wilson(counts.again, counts.settled)[0] if counts.settled >= FEWEST else 0.0
    return GateReading(wave.wave, counts, low, view.run.gate)


def next_step(view: RunView, watched: float | None = None) -> NextStep:
    """What happens next in a run.

    Args:
        view: the run.
        watched: seconds for which the wave at work was watched, where they are known better than by the journal.
    """
    match view.word:
        case "preparing":
            return NextStep(
                f"Its {view.operation.unit}s are being written down.",
                ("Nothing is sent before all of them are.",),
                "accent",
            )
        case "void":
            return NextStep("It never began.", (view.said,), "warning")
        case "passed":
            return NextStep("Every wave went through.", (_result(view),), "good")
        case "finished":
            nothing = view.run.cause == NOTHING_SENT
            return NextStep("Finished." if not nothing else "Nothing was sent.", (view.said, _result(view)), "warning")
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
        head = f"Held by the gate of wave {wave.wave}." if view.operation.gated else f"Held at wave {wave.wave}."
    said = view.said.removeprefix("Held after an interruption: ")
    why = [said[:1].upper() + said[1:]]
    if by_gate and wave is not None and within_after_all(view, wave):
        by_now = (
            f"it is within the limit: at worst {worst_said(wave.counts)}" if view.operation.gated else "all are set"
        )
        why.append(f"By now {by_now}. R releases it.")
    rest = waiting_waves(view)
    if rest:
        tasks = sum(one.tasks for one in rest)
        left = f" with {view.operation.units(tasks)}" if tasks else ""
        are = "is" if len(rest) == 1 else "are"
        why.append(f"{things(len(rest), 'wave')}{left} {are} not sent; nothing goes on by itself.")
    elif wave is not None:
        why.append("It is the last wave.")
    return NextStep(head, tuple(why), "failed" if by_gate else "warning")


def within_after_all(view: RunView, wave: WaveView) -> bool:
    """A wave that the gate held would pass by what has become of its tasks since."""
    return judge(gate_of(view.run), wave.counts, watch_over=True).judgement == "pass"


def _sending(view: RunView, wave: WaveView) -> NextStep:
    are = "is" if wave.tasks == 1 else "are"
    why = [f"Its {view.operation.units(wave.tasks)} {are} looked at again first, then sent{_paced(view)}."]
    if wave.left_out:
        why.append(f"Left out: {left_out_said(wave.left_out, view.operation)}.")
    watched = (
        f"watched for {view.run.watch:g} s" if view.operation.gated else f"watched until all {view.operation.state}"
    )
    why.append(f"Then it is {watched}. {_after(view, wave)}")
    return NextStep(f"Wave {wave.wave} is being sent.", tuple(why), "accent")


def _paced(view: RunView) -> str:
    return f", {view.run.pace:g} a minute" if view.run.pace is not None else ""


def _watching(view: RunView, wave: WaveView, watched: float) -> NextStep:
    counts, limit = wave.counts, view.run.gate
    if not view.operation.gated:
        return _reaching(view, wave, watched)
    last = _following(view, wave) is None
    left = max(view.run.watch - watched, 0)
    why: list[str] = []
    if counts.not_set:
        are = "is" if counts.not_set == 1 else "are"
        why.append(f"The watch starts once the last {things(counts.not_set, view.operation.unit)} {are} set.")
    judged = view.operation.units(counts.judged)
    decided = f"{count(counts.settled)} of {judged} decided, {count(counts.again)} failed again"
    decided += without(counts)
    why.append(
        f"{decided}; at worst {worst_said(counts)}: it passes when that is within {100 * limit:g}%"
        f"{', at the end of its watch' if last else ''}."
    )
    if counts.open:
        why.append(f"If it is not after {view.run.watch:g} s, it is held; too many early failures hold it at once.")
    why.append(_after(view, wave))
    return NextStep(
        f"Wave {wave.wave} is watched: {watched:.0f} of {view.run.watch:g} s, {left:.0f} s left.", tuple(why), "accent"
    )


def _reaching(view: RunView, wave: WaveView, watched: float) -> NextStep:
    """A wave that passes when all of its units show that the operation has reached them."""
    counts, operation, limit = wave.counts, view.operation, view.run.watch
    why = [f"{count(counts.done)} of {operation.units(counts.judged)} {operation.state} by now{without(counts)}."]
    if counts.open:
        why.append(f"It is held where none more is for {limit:g} s: {max(limit - watched, 0):.0f} s left.")
    return NextStep(f"Wave {wave.wave} is at work.", (*why, _after(view, wave)), "accent")


def worst_said(counts: WorkCounts) -> str:
    """The worst case in numbers: everything that is not decided fails again."""
    share = 100 * counts.at_worst / max(counts.judged, 1)
    return f"{count(counts.at_worst)} of {count(counts.judged)} fail ({share:.1f}%)"


def _following(view: RunView, wave: WaveView) -> WaveView | None:
    return next((one for one in view.waves if one.wave > wave.wave), None)


def _after(view: RunView, wave: WaveView) -> str:
    following = _following(view, wave)
    if following is None:
        return "It is the last wave."
    return f"When it passes, wave {following.wave} goes out with {view.operation.units(following.tasks)}."


def _result(view: RunView) -> str:
    counts = view.counts
    told = [f"{count(counts.done)} done"]
    told += [f"{count(counts.again)} failed again"] if view.operation.gated else []
    told += [f"{count(counts.open)} still open"] if counts.open else []
    told += [f"{count(counts.changed)} changed by somebody"] if counts.changed else []
    told += [f"{count(counts.cancelled)} cancelled"] if counts.cancelled else []
    told += [f"{count(counts.unknown)} gone, outcome not kept"] if counts.unknown else []
    told += [f"{count(counts.gone)} ended before"] if counts.gone else []
    return f"{', '.join(told)} {view.as_of}".rstrip() + "."
