"""The versions that each process of a tenant has had, and the place where a task of a topic and an age stands."""

from bisect import bisect, bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from retriage.store.demo.bpmn_xml import join_id
from retriage.store.demo.processes import WEIGHTS, Activity, Process
from retriage.store.demo.worker_names import WORKERS

Line = tuple[str, str | None]
"""Traffic of one kind: process key and tenant."""


@dataclass(frozen=True)
class Version:
    """A deployed edition of a process; ``deployed`` in milliseconds."""

    definition_id: str
    process: Process
    deployed: int
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An activity of a version: where a token can be. What rows repeat of it is looked up once.

    Attributes:
        version: the version.
        step: number of the step, from 0.
        activity: the activity.
        workers: names of those that serve its topic.
        beside: other activities of the same step.
        join: id of the gateway where the branches of the step meet.
    """

    version: Version
    step: int
    activity: Activity
    workers: tuple[str, ...]
    beside: "tuple[Place, ...]"
    join: str


class ProcessVersions:
    """All versions. Instances stay on the version that was the newest when they were started."""

    def __init__(self, versions: Sequence[Version]) -> None:
        by_line: dict[Line, list[Version]] = {}
        for version in sorted(versions, key=lambda version: version.deployed):
            by_line.setdefault((version.process.key, version.tenant_id), []).append(version)
        self._deployed = {line: [version.deployed for version in known] for line, known in by_line.items()}
        self._steps = {line: [_places(version) for version in known] for line, known in by_line.items()}
        self._by_topic: dict[str | None, tuple[list[Line], list[float]]] = {}
        self._of_topic: dict[tuple[str | None, Line], list[list[Place]]] = {}
        topics = {activity.topic for version in versions for _, activity in version.process.places}
        for topic in (None, *sorted(topics)):
            self._add_topic(topic)

    def _add_topic(self, topic: str | None) -> None:
        for line, versions in self._steps.items():
            self._of_topic[topic, line] = [
                [place for step in steps for place in step if topic is None or place.activity.topic == topic]
                for steps in versions
            ]
        lines = [line for line in WEIGHTS if any(self._of_topic[topic, line])]
        self._by_topic[topic] = lines, list(accumulate(WEIGHTS[line] for line in lines))

    def place(self, topic: str | None, at: int, random: Random) -> Place:
        """Where a task of a topic (of any, if none is given) stands that was made at this time: more often at the
        beginning of a process than at its end."""
        lines, weights = self._by_topic[topic]
        line = lines[bisect(weights, random.random() * weights[-1])]
        newest = bisect_left(self._deployed[line], at) - 1
        if newest < 0:
            line = (line[0], None)
            newest = max(0, bisect_left(self._deployed[line], at) - 1)
        places = self._of_topic[topic, line][newest]
        return places[int(random.random() ** 3 * len(places))]

    def steps(self, place: Place) -> list[tuple[Place, ...]]:
        """Every step of the version of a place."""
        version = place.version
        line = (version.process.key, version.tenant_id)
        return self._steps[line][bisect_left(self._deployed[line], version.deployed)]


def _places(version: Version) -> list[tuple[Place, ...]]:
    """The places of a version, step by step."""
    found = []
    for number, activities in enumerate(version.process.steps):
        alone = [_place(version, number, activity) for activity in activities]
        found.append(tuple(replace(one, beside=tuple(other for other in alone if other is not one)) for one in alone))
    return found


def _place(version: Version, step: int, activity: Activity) -> Place:
    """A place with none beside it."""
    return Place(version, step, activity, WORKERS[activity.topic], (), join_id(step + 1))
