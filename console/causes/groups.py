"""Incidents grouped by cause, kept up to date piece by piece. Nothing here takes longer than its piece is long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from operator import itemgetter

from retriage.console.causes.fold import NO_MESSAGE, fold, fold_but
from retriage.console.causes.group_members import GroupMember, Kept, Kind

MOST_GROUPS = 2000
"""Causes that are told apart; messages of further ones are one group."""
OTHERS = "(more causes than are told apart)"
CALLED = "(failed in a called process)"

SAMPLES = 200
"""Members of a group that are kept at hand, the newest."""

QUARTER = 900
"""Seconds of one step of a trend."""
STEPS = 12
"""Steps of a trend, the last one is the present quarter of an hour."""


_MOMENT = itemgetter(GroupMember._fields.index("incident_timestamp"))
_FAILED = itemgetter(GroupMember._fields.index("configuration"))


def cause_of(member: GroupMember) -> str:
    """What its group is called. An incident that is passed up from a called process has no message of its own: it is
    not one without a message."""
    return CALLED if member.kind == "C" else fold(member.incident_message)


class Group:
    """Members with one cause. Its name is the same as long as the console runs."""

    def __init__(self, key: str, kind: Kind, cause: str, base: str) -> None:
        self.key = key
        self.kind = kind
        self.cause = cause
        self.base = base
        """The cause before it was split."""
        self._kept: dict[str, Kept] = {}
        self.samples: list[GroupMember] = []
        self.activities: Counter[str] = Counter()
        self.definitions: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.quarters: Counter[int] = Counter()
        self.new = 0
        """Members that came since the operator looked."""
        self.version = 0
        """Changes with every change of the members."""
        self.last: GroupMember | None = None
        """The member that left last, once there is none."""
        self.retried: tuple[datetime, str] | None = None
        """When its tasks were last retried from here as a group, and the id of the batch."""
        self._span: tuple[datetime, datetime] | None = None

    @property
    def count(self) -> int:
        """How many members there are."""
        return len(self._kept)

    def __contains__(self, member_id: str) -> bool:
        return member_id in self._kept

    def get(self, member_id: str) -> GroupMember | None:
        """A member by the id of its incident."""
        kept = self._kept.get(member_id)
        return None if kept is None else GroupMember._make(kept)

    def ids(self) -> list[str]:
        """Ids of the incidents."""
        return list(self._kept)

    def members(self) -> Iterator[GroupMember]:
        """Every member, about as they were read: the newest first, those that came later at the end."""
        return map(GroupMember._make, self._kept.values())

    def newest_first(self) -> list[GroupMember]:
        """Every member by its time."""
        return [GroupMember._make(kept) for kept in sorted(self._kept.values(), key=_MOMENT, reverse=True)]

    def versions(self) -> Counter[str]:
        """Members by version; with the key of the process where there is more than one, since the versions of two
        processes have nothing in common."""
        named: Counter[tuple[str, str]] = Counter()
        for definition, number in self.definitions.items():
            key, _, rest = definition.partition(":")
            version = rest.partition(":")[0]
            named[(key, f"v{version}") if version.isdigit() else (definition, "")] += number
        keys = {key for (key, _), number in named.items() if number > 0}
        return Counter({
            (f"{version} {key}".strip() if len(keys) > 1 else version or key): number
            for (key, version), number in named.items()
        })  # fmt: skip

    def span(self) -> tuple[datetime, datetime] | None:
        """When the first and the last member were raised; nothing when there is none."""
        if not self._kept:
            return None
        if self._span is None:
            moments = list(map(_MOMENT, self._kept.values()))
            self._span = min(moments), max(moments)
        return self._span

    def trend(self, now: datetime, steps: int = STEPS) -> list[int]:
        """How many members were raised in each of the last quarters of an hour, the present one last."""
        present = int(now.timestamp()) // QUARTER
        return [self.quarters[at] for at in range(present - steps + 1, present + 1)]

    def failed(self) -> list[str]:
        """Ids of the tasks or jobs that failed."""
        return [failed for failed in map(_FAILED, self._kept.values()) if failed is not None]

    def put(self, member: GroupMember, looked: int) -> None:
        """One more member, or the same one with another note."""
        self.version += 1
        before = self._kept.get(member.id)
        if before is not None:
            self._renote(GroupMember._make(before), member.annotation)
            return
        self._kept[member.id] = tuple(member)
        self._add(member, 1)
        self.new += member.arrived == looked
        if not self.samples or member.incident_timestamp >= self.samples[0].incident_timestamp:
            self.samples.insert(0, member)
            del self.samples[SAMPLES:]
        elif len(self.samples) < SAMPLES:
            self.samples.append(member)
        moment = member.incident_timestamp
        if len(self._kept) == 1:
            self._span = moment, moment
        elif self._span is not None:
            self._span = min(self._span[0], moment), max(self._span[1], moment)

    def drop(self, member_id: str, looked: int) -> GroupMember | None:
        """One member less."""
        kept = self._kept.pop(member_id, None)
        if kept is None:
            return None
        member = GroupMember._make(kept)
        self.version += 1
        self._add(member, -1)
        self.new -= member.arrived == looked
        if self._span is not None and member.incident_timestamp in self._span:
            self._span = None
        self.last = None if self._kept else member
        if member in self.samples:
            self.samples.remove(member)
            if len(self.samples) < SAMPLES // 4 < len(self._kept):
                self.samples = list(islice(self.members(), SAMPLES))
        return member

    def _renote(self, before: GroupMember, note: str | None) -> None:
        after = before._replace(annotation=note)
        self._kept[after.id] = tuple(after)
        self._note(before.annotation, -1)
        self._note(note, 1)
        self.samples = [after if one.id == after.id else one for one in self.samples]

    def _add(self, member: GroupMember, number: int) -> None:
        self.quarters[int(member.incident_timestamp.timestamp()) // QUARTER] += number
        for counter, name in ((self.activities, member.activity_id), (self.definitions, member.process_definition_id)):
            if name is not None:
                counter[name] += number
        self._note(member.annotation, number)

    def _note(self, note: str | None, number: int) -> None:
        if note:
            self.notes[note] += number
            if not self.notes[note]:
                del self.notes[note]


class CauseGroups:
    """All groups of a reading."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._where: dict[str, Group] = {}
        self.splits: dict[tuple[Kind, str], tuple[int, ...]] = {}
        """Type and cause of groups -> the holes that tell their causes apart."""
        self._left: set[str] = set()
        self.looked = 0
        """How often the operator has looked."""
        self.changes = 0
        """Changes with every change of a group."""
        self.again: set[str] = set()
        """Ids of tasks and jobs that failed once more after they were retried, as far as is known."""

    def __len__(self) -> int:
        """How many members there are."""
        return len(self._where)

    def __iter__(self) -> Iterator[Group]:
        """Every group, also those whose members have all gone."""
        return iter(self._groups.values())

    def __contains__(self, member_id: str) -> bool:
        return member_id in self._where

    def get(self, key: str) -> Group | None:
        """A group by its name."""
        return self._groups.get(key)

    def of(self, member_id: str) -> Group | None:
        """The group of a member."""
        return self._where.get(member_id)

    @property
    def new(self) -> int:
        """Members that came since the operator looked."""
        return sum(group.new for group in self._groups.values())

    def put(self, members: Iterable[GroupMember], *, arrived: bool = False) -> int:
        """Add members; one that is known is only given its note.

        Args:
            members: the members.
            arrived: they came since the operator looked.

        Returns:
            How many of them were not known.
        """
        unknown = 0
        for member in members:
            group = self._where.get(member.id)
            if group is None:
                unknown += 1
                if member.configuration in self._left:
                    self.again.add(str(member.configuration))
                self._move_in(member._replace(arrived=self.looked if arrived else -1))
            elif (known := group.get(member.id)) is not None and known.annotation != member.annotation:
                group.put(member, self.looked)
                self.changes += 1
        return unknown

    def drop(self, ids: Iterable[str]) -> int:
        """Take members away that are open no more; answers how many were known."""
        known = 0
        for member_id in ids:
            group = self._where.pop(member_id, None)
            member = group.drop(member_id, self.looked) if group is not None else None
            if member is not None:
                known += 1
                self.changes += 1
                if member.configuration is not None:
                    self._left.add(member.configuration)
        return known

    def members(self) -> list[GroupMember]:
        """All members."""
        return [member for group in self._groups.values() for member in group.members()]

    def ids(self) -> list[str]:
        """Ids of all members."""
        return list(self._where)

    def look(self) -> None:
        """The operator looks: nothing is new, and groups without members go."""
        self.looked += 1
        for group in list(self._groups.values()):
            group.new = 0
            if not group.count:
                del self._groups[group.key]

    def kept(self, group: Group) -> tuple[int, ...]:
        """The holes of this group's cause that tell causes apart."""
        return self.splits.get((group.kind, group.base), ())

    def keep(self, kind: Kind, base: str, kept: tuple[int, ...]) -> list[GroupMember]:
        """Tell causes apart by other holes.

        Returns:
            The members of the groups concerned. They are in no group until they are given to :meth:`rehome`.
        """
        if kept:
            self.splits[kind, base] = kept
        else:
            self.splits.pop((kind, base), None)
        homeless: list[GroupMember] = []
        for group in [group for group in self._groups.values() if (group.kind, group.base) == (kind, base)]:
            homeless.extend(group.members())
            del self._groups[group.key]
        for member in homeless:
            del self._where[member.id]
        return homeless

    def rehome(self, members: Iterable[GroupMember]) -> None:
        """Members that :meth:`keep` has taken out are put into their groups, unless they have come back meanwhile."""
        for member in members:
            if member.id not in self._where:
                self._move_in(member)

    def _move_in(self, member: GroupMember) -> None:
        self.changes += 1
        group = self._where[member.id] = self._home(member)
        group.put(member, self.looked)

    def _home(self, member: GroupMember) -> Group:
        """The group of a new member, made if it is the first of its cause."""
        base = cause = cause_of(member)
        kept = self.splits.get((member.kind, base))
        if kept:
            cause = fold_but(member.incident_message, kept)
        key = f"{member.kind} {cause}"
        group = self._groups.get(key)
        if group is None and len(self._groups) >= MOST_GROUPS and base != NO_MESSAGE:
            base = cause = OTHERS
            key = f"{member.kind} {cause}"
            group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key, member.kind, cause, base)
        return group
