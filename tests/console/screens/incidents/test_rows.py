"""A cause whose tasks were retried from here does not just vanish."""

from datetime import timedelta

import pytest

from retriage.console.causes.group_members import GroupMember, group_member_of
from retriage.console.causes.groups import CauseGroups
from retriage.console.reading.incident_tasks import TaskFact, TaskFacts
from retriage.console.screens.incidents.rows import COLUMNS, place_of, row_of
from tests.console.incidents_of import NOON, incident

TITLES = [column.title for column in COLUMNS]


class Known(TaskFacts):
    """The topic of every task is known."""

    def get(self, member: object) -> TaskFact:
        return TaskFact("charge-card", None, None, 0, False)


def cells(groups: CauseGroups, minutes: float) -> dict[str, str]:
    (group,) = groups
    row = row_of(group, NOON + timedelta(minutes=minutes), Known(), 0)
    return dict(zip(TITLES, (cell.text for cell in row.cells), strict=True))


def test_a_group_that_was_retried_says_so_when_its_incidents_have_closed_and_keeps_its_topic() -> None:
    groups = CauseGroups()
    groups.put(map(group_member_of, [incident(1), incident(2)]))
    (group,) = groups
    group.retried = NOON, "6e0b9d10-1f5e-11f1-9c3a-0242ac120002"
    assert cells(groups, 0)["cause"] == "HTTP 503 from psp", "some are still open"
    groups.drop(["i-1", "i-2"])
    told = cells(groups, 0.5)
    assert told["cause"] == "retried just now, batch 6e0b9d10-1f5…: HTTP 503 from psp"
    assert (told["topic"], told["last"]) == ("charge-card", "-")
    assert cells(groups, 3)["cause"].startswith("retried 3m ago, batch ")


def test_one_that_fails_again_is_an_open_cause_again() -> None:
    groups = CauseGroups()
    groups.put([group_member_of(incident(1))])
    (group,) = groups
    group.retried = NOON, "b41"
    groups.drop(["i-1"])
    groups.put([group_member_of(incident(9))])
    assert cells(groups, 1)["cause"] == "HTTP 503 from psp"


def test_a_group_that_nobody_retried_is_gone() -> None:
    groups = CauseGroups()
    groups.put([group_member_of(incident(1))])
    groups.drop(["i-1"])
    told = cells(groups, 1)
    assert (told["cause"], told["last"], told["topic"]) == ("HTTP 503 from psp", "gone", "charge-card")


class Topics(TaskFacts):
    """Topics of tasks by the id of their incident, as far as they were asked for."""

    def __init__(self, topics: dict[str, str]) -> None:
        super().__init__()
        self._topics = topics

    def get(self, member: GroupMember) -> TaskFact | None:
        topic = self._topics.get(member.id)
        return TaskFact(topic, None, None, 0, False) if topic is not None else None


@pytest.mark.parametrize(
    ("topics", "said"),
    [
        ({"i-1": "charge-card", "i-2": "charge-card"}, "charge-card"),
        ({"i-1": "charge-card", "i-2": "refund"}, "refund +1"),
        ({"i-2": "charge-card"}, "charge-card"),
        ({}, "Charge +1"),
    ],
)
def test_beside_a_topic_other_topics_are_counted_and_beside_an_activity_other_activities(
    topics: dict[str, str], said: str
) -> None:
    groups = CauseGroups()
    groups.put(map(group_member_of, [incident(1), incident(2, activity="Refund"), incident(3)]))
    (group,) = groups
    assert place_of(group, Topics(topics))[0] == said
