"""Lines of traffic: a process of a tenant with the versions it has had, and which of them an instance runs on."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from store.demo.processes import WEIGHTS, Activity, Process


@dataclass(frozen=True)
class Version:
    """A deployed edition of a process; ``deployed`` in milliseconds."""

    definition_id: str
    process: Process
    deployed: int
    tenant_id: str | None = None


@dataclass(frozen=True)
class Place:
    """An activity of a version, and the number of its step."""

    version: Version
    step: int
    activity: Activity


@dataclass
class Lines:
    """All traffic. Instances stay on the version that was the newest when they were started."""

    versions: Sequence[Version]
    _by_line: dict[tuple[str, str | None], list[Version]] = field(init=False, default_factory=dict)
    _by_topic: dict[str | None, tuple[list[tuple[str, str | None]], list[float]]] = field(
        init=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for version in sorted(self.versions, key=lambda version: version.deployed):
            self._by_line.setdefault((version.process.key, version.tenant_id), []).append(version)
        topics = {activity.topic for version in self.versions for _, activity in version.process.places}
        for topic in (None, *sorted(topics)):
            lines = [line for line in WEIGHTS if topic is None or self._serves(line, topic)]
            self._by_topic[topic] = lines, list(accumulate(WEIGHTS[line] for line in lines))

    def place(self, topic: str | None, at: int, random: Random) -> Place:
        """Where a task of a topic (of any, if none is given) stands that was made at this time."""
        lines, weights = self._by_topic[topic]
        line = lines[min(bisect(weights, random.random() * weights[-1]), len(lines) - 1)]
        version = self._at(line, at) or self._at((line[0], None), at) or self._by_line[line[0], None][0]
        places = [place for place in version.process.places if topic is None or place[1].topic == topic]
        step, activity = random.choice(places)
        return Place(version, step, activity)

    def _at(self, line: tuple[str, str | None], at: int) -> Version | None:
        for version in reversed(self._by_line[line]):
            if version.deployed < at:
                return version
        return None

    def _serves(self, line: tuple[str, str | None], topic: str) -> bool:
        return any(activity.topic == topic for version in self._by_line[line] for _, activity in version.process.places)
