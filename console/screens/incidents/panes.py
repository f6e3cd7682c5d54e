"""What the panes of the groups say: who is in the group, and what one of them said."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.words import age, clock, count, percent, short, things, version_of
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.causes.group_members import GroupMember
    from retriage.console.causes.groups import Group
    from retriage.console.reading.incident_tasks import TaskFacts

SHOWN = 3
"""Names of a breakdown that are shown with their numbers."""
KINDS = {
    "T": "external task",
    "J": "job",
    "C": "failure in a called process",
    "?": "incident",
}


class Back(NamedTuple):
    """A launch of this console, and how many of its tasks are in a group once more."""

    launch: int
    at: datetime
    tasks: int
    here: int


class TaskSpread(NamedTuple):
    """What is known of the tasks of a group."""

    topics: Counter[str]
    workers: Counter[str]
    asked: int


def told_of(group: Group, facts: TaskFacts, most: int) -> TaskSpread:
    """Topics and workers of the tasks asked for, among the first members of the group."""
    return TaskSpread(*facts.tell(islice(group.members(), most)))


def group_pane(
    group: Group, told: TaskSpread, facts: TaskFacts, again: int | None, back: list[Back], now: datetime, room: int
) -> list[Item]:
    """Members, the newest first, and how they are spread over versions and workers; at most ``room`` lines."""
    below: list[Item] = [Spans(tuple(spans)) for spans in _spread(group, told)]
    below.append(Spans(tuple(_when(group, again, now))))
    if back:
        below.append(Spans((_back(back),)))
    most = max(room - len(below) - 1, 1)
    above: list[Item] = [Spans(tuple(_member(member, facts, now))) for member in group.samples[:most]]
    left = group.count - len(above)
    more = f".. {count(left)} more   " if left > 0 else ""
    return [*above, Spans(((more, "muted"), ("enter", "accent"), (" lists them", "muted"))), *below]


def group_lines(
    group: Group, told: TaskSpread, again: int | None, back: list[Back], now: datetime, sample: GroupMember | None
) -> list[Item]:
    """The same in four lines, with one raw message."""
    first = group.span()
    spread = [span for line in _spread(group, told) for span in line]
    return [
        Spans((*spread, (f"first {age(first[0], now)}" if first else "gone", "muted"))),
        Prose(f"raw: {_said(sample)}", "failed", lines=1),
        Spans(tuple(_note(group) or [("no note   ", "faint"), ("N", "accent"), (" writes one", "muted")])),
        Spans((_back(back),) if back else tuple(_again(again))),
    ]


def sample_pane(group: Group, sample: GroupMember | None, room: int, split: bool) -> list[Item]:
    """One message as it came, what can be done with it, and the note."""
    fold: list[Span] = [("|", "accent"), (" keep causes apart", "muted")]
    if split:
        fold += [("   +", "accent"), (" join", "muted")]
    keys: list[Item] = [
        Spans((("n", "accent"), (" next message   ", "muted"), ("e", "accent"), (" details in full", "muted"))),
        Spans(tuple(fold)),
    ]
    note = _note(group)
    if note:
        keys.append(Spans(tuple(note)))
    return [Prose(_said(sample), "failed", lines=max(room - len(keys) - 1, 1)), Spans(), *keys]


def _said(sample: GroupMember | None) -> str:
    if sample is None:
        return "(no incident is left in this group)"
    return inert(sample.incident_message or "") or "(no message)"


def _member(member: GroupMember, facts: TaskFacts, now: datetime) -> list[Span]:
    fact = facts.get(member)
    key = fact.business_key if fact is not None and fact.business_key else short(member.configuration)
    process = (member.process_definition_id or "-").split(":")[0]
    gone = "  gone" if member.kind == "T" and facts.gone(member) else ""
    again = f"  {things(fact.retries, 'try', 'tries')}" if fact is not None and fact.retries else ""
    held = "  suspended" if fact is not None and fact.suspended else ""
    return [
        (f"{cut(inert(key), 20).rstrip():<16}  ", "strong"),
        (cut(f"{inert(process)} {version_of(member.process_definition_id or '')}".strip(), 24).rstrip() + "  ", ""),
        (f"{age(member.incident_timestamp, now)}  ", "muted"),
        (inert(short(member.process_instance_id)), "muted"),
        (f"{gone}{again}{held}", "warning"),
    ]


def _spread(group: Group, told: TaskSpread) -> list[list[Span]]:
    """Versions; topics where there is more than one; workers, as far as their tasks were asked for."""
    lines = [_breakdown("versions ", group.versions())]
    if told.workers:
        part = f"(of {count(told.asked)} asked)  " if told.asked < group.count else ""
        lines.append([*_breakdown("workers ", told.workers), (part, "faint")])
    if len(told.topics) > 1:
        lines.append(_breakdown("topics ", told.topics))
    return [line for line in lines if line]


def _breakdown(label: str, names: Counter[str]) -> list[Span]:
    found = [(name, number) for name, number in names.items() if number > 0]
    shown = sorted(found, key=lambda pair: (-pair[1], pair[0]))
    if not shown:
        return []
    spans: list[Span] = [(label, "muted")]
    for name, number in shown[:SHOWN]:
        spans += [(f"{cut(inert(name), 24).rstrip()} ", "strong"), (f"{count(number)}  ", "")]
    if len(shown) > SHOWN:
        spans.append((f"+{len(shown) - SHOWN} more  ", "muted"))
    return spans


def _when(group: Group, again: int | None, now: datetime) -> list[Span]:
    span = group.span()
    if span is None:
        return [("all of them have closed", "good")]
    said: list[Span] = [(f"first {age(span[0], now)}  last {age(span[1], now)}  ", "muted")]
    return [*said, *_again(again)]


def _again(again: int | None) -> list[Span]:
    if again is None:
        return [("retried before? not known", "faint")]
    if not again:
        return [("never retried, it seems", "faint")]
    return [(f"{count(again)} failed again", "warning")]


def _back(back: list[Back]) -> Span:
    """The latest launches whose tasks are here again."""
    shares = ", ".join(percent(one.here, one.tasks) for one in back[:3])
    times = ", ".join(clock(one.at) for one in back[:3])
    many = "last launch" if len(back) == 1 else f"last {min(len(back), 3)} launches"
    return f"{many}: {shares} failed again here ({times})", "warning"


def _note(group: Group) -> list[Span]:
    notes = [(note, number) for note, number in group.notes.most_common(2) if number > 0]
    if not notes:
        return []
    note, number = notes[0]
    on = "" if number == group.count else f" (on {count(number)})"
    more = "  and others" if len(notes) > 1 else ""
    return [("note: ", "muted"), (cut(inert(note), 200).rstrip(), "accent"), (f"{on}{more}", "muted")]
