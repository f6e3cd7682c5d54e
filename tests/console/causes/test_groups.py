"""Groups of incidents: folding, counting, splitting, and keeping up with an engine whose incidents come and go."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriage.console.causes import groups as groups_of
from retriage.console.causes.fold import WHOLE, fold, fold_but, holes
from retriage.console.causes.group_members import group_member_of
from retriage.console.causes.groups import CALLED, OTHERS, CauseGroups, Group
from retriage.console.causes.open_incidents import OpenIncidents
from retriage.console.causes.split import finer
from retriage.console.engine.errors import Unreachable
from retriage.console.reading.incident_pages import IncidentPages
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident
from tests.console.incidents_of import NOON, Incidents, incident


def grouped(*incidents: Incident) -> CauseGroups:
    groups = CauseGroups()
    groups.put(map(group_member_of, incidents))
    return groups


def only(groups: CauseGroups) -> Group:
    (group,) = groups
    return group


# -- folding


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("mail to ann.b@example.org bounced", "mail to <*> bounced"),
        ("took PT1H30M of P1D", "took <*> of <*>"),
        ("no connection 12\n\tat com.shop.Psp.charge(Psp.java:12)\n\tat com.shop.Main.run(Main.java:9)",
         "no connection <*>"),
        ("failed Traceback (most recent call last): File x", "failed"),
        ("late since 2026-03-01T09:15:00.000+0100", "late since <*>"),
    ],
)  # fmt: skip
def test_addresses_durations_and_frames_are_no_causes(message: str, cause: str) -> None:
    assert fold(message) == cause


def test_the_texts_of_holes_are_known_and_tell_causes_apart_on_demand() -> None:
    message = "psp 'A' said no to order 17, 18 after 30 ms"
    whole, values = holes(message)
    assert whole == "psp <*> said no to order <*> after <*>"
    assert values == ("'A'", "17 18", "30 ms")
    assert fold_but(message, {0}) == "psp 'A' said no to order <*> after <*>"
    assert fold_but(message, {2, 0}) == "psp 'A' said no to order <*> after 30 ms"
    assert fold_but(message, ()) == fold(message)
    assert fold_but(None, {0}) == fold(None)


@settings(deadline=None)
@given(st.text(max_size=500))
def test_the_whole_cause_begins_with_the_folded_one_whatever_the_message(message: str) -> None:
    whole, _ = holes(message)
    assert whole.startswith(fold(message))
    assert fold_but(message, ()) == fold(message)
    assert fold_but(message, {WHOLE}) == whole.rstrip()


# -- groups


def test_one_cause_is_one_group_with_its_numbers() -> None:
    groups = grouped(
        *(incident(number, f"HTTP 503 after {number} ms", activity=f"A{number % 3}") for number in range(6)),
        incident(7, "HTTP 503 after 9 ms", type="failedJob"),
    )
    tasks, jobs = groups
    assert (tasks.kind, tasks.cause, tasks.count) == ("T", "HTTP 503 after <*>", 6)
    assert (jobs.kind, jobs.cause, jobs.count) == ("J", "HTTP 503 after <*>", 1)
    assert tasks.span() == (NOON, NOON + timedelta(seconds=5))
    assert tasks.activities == {"A0": 2, "A1": 2, "A2": 2}
    assert tasks.definitions == {"Order:1:abc": 3, "Order:2:abc": 3}
    assert sorted(tasks.failed()) == [f"t-{number}" for number in range(6)]
    assert len(groups) == 7


def test_what_fails_in_a_called_process_is_not_counted_as_a_task_of_the_caller() -> None:
    groups = grouped(incident(1), incident(2, None, cause="i-1", configuration=None))
    kinds = {group.kind: group for group in groups}
    assert kinds["T"].count == 1
    assert kinds["C"].cause == CALLED
    assert kinds["C"].failed() == []


def test_a_trend_counts_quarters_of_an_hour_up_to_now() -> None:
    now = NOON + timedelta(minutes=1)
    ages = (0, 14, 16, 31, 31, 31, 400)
    groups = grouped(*(incident(n, at=NOON - timedelta(minutes=age)) for n, age in enumerate(ages)))
    assert only(groups).trend(now) == [0] * 8 + [3, 1, 1, 1]
    assert only(groups).trend(now + timedelta(days=1)) == [0] * 12


def test_members_that_leave_take_their_numbers_along() -> None:
    groups = grouped(*(incident(number, note="known") for number in range(4)))
    group = only(groups)
    assert groups.drop(["i-0", "i-3", "never-was"]) == 2
    assert group.count == len(groups) == 2
    assert group.span() == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=2))
    assert group.notes == {"known": 2}
    assert {member.id for member in group.samples} == {"i-1", "i-2"}
    groups.drop(["i-1", "i-2"])
    assert group.span() is None
    assert list(groups) == [group]
    groups.look()
    assert list(groups) == []


def test_a_task_that_fails_again_after_its_incident_closed_is_known() -> None:
    groups = grouped(incident(1))
    groups.drop(["i-1"])
    groups.put([group_member_of(incident(9, configuration="t-1")), group_member_of(incident(8))])
    assert groups.again == {"t-1"}


def test_what_came_since_the_operator_looked_is_new_until_he_looks() -> None:
    groups = grouped(incident(1))
    group = only(groups)
    assert group.new == 0
    groups.put([group_member_of(incident(2)), group_member_of(incident(3)), group_member_of(incident(1))], arrived=True)
    assert (group.new, groups.new) == (2, 2)
    groups.drop(["i-3"])
    assert group.new == 1
    groups.look()
    assert groups.new == 0
    groups.drop(["i-2"])
    assert groups.new == 0


def test_a_note_that_was_written_elsewhere_is_taken_over() -> None:
    groups = grouped(incident(1), incident(2))
    assert groups.put([group_member_of(incident(1, note="INC-1"))]) == 0
    group = only(groups)
    assert group.notes == {"INC-1": 1}
    assert [member.annotation for member in group.samples] == [None, "INC-1"]


def test_causes_without_end_are_one_group_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups_of, "MOST_GROUPS", 5)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    groups = grouped(*(incident(number, word) for number, word in enumerate(words)))
    found = {group.cause: group.count for group in groups}
    assert found == {"alpha": 1, "beta": 1, "gamma": 1, "delta": 1, "epsilon": 1, OTHERS: 3}


def test_a_message_of_a_megabyte_is_cut_before_it_is_kept() -> None:
    (member,) = only(grouped(incident(1, "x" * 10**6))).members()
    assert member.incident_message is not None
    assert len(member.incident_message) == 400


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60))
def test_numbers_are_those_of_the_members_whatever_comes_and_goes(steps: list[tuple[bool, int]]) -> None:
    groups = CauseGroups()
    there: set[int] = set()
    for comes, number in steps:
        if comes:
            groups.put([group_member_of(incident(number, f"cause {'abc'[number % 3]}"))], arrived=True)
            there.add(number)
        else:
            groups.drop([f"i-{number}"])
            there.discard(number)
    assert len(groups) == len(there) == sum(group.count for group in groups)
    for group in groups:
        mine = [number for number in there if group.cause == f"cause {'abc'[number % 3]}"]
        assert group.count == len(mine)
        moments = [NOON + timedelta(seconds=number) for number in mine]
        assert group.span() == ((min(moments), max(moments)) if moments else None)
        assert sum(group.quarters.values()) == sum(group.definitions.values()) == len(mine)
        assert {member.id for member in group.samples} == {f"i-{number}" for number in mine}


# -- splitting


def test_the_hole_that_is_filled_in_the_fewest_ways_is_split_next() -> None:
    said = [f"carrier '{'AB'[n % 2]}' refused parcel {n} (zone {n % 5})" for n in range(100)]
    assert finer(said, ()) == 0
    assert finer(said, (0,)) == 2
    assert finer(said, (0, 2)) is None


def test_a_split_group_is_several_and_joined_it_is_one_again() -> None:
    said = [f"carrier '{'AB'[n % 2]}' refused parcel {n}" for n in range(10)]
    groups = grouped(*(incident(n, message) for n, message in enumerate(said)))
    group = only(groups)
    members = groups.keep(group.kind, group.base, (0,))
    assert len(members) == 10
    groups.rehome(members)
    assert {one.cause: one.count for one in groups} == {
        "carrier 'A' refused parcel <*>": 5,
        "carrier 'B' refused parcel <*>": 5,
    }
    groups.put([group_member_of(incident(10, "carrier 'A' refused parcel 10"))])
    assert len(list(groups)) == 2
    groups.rehome(groups.keep(group.kind, group.base, ()))
    assert only(groups).count == 11


def test_the_end_of_a_long_cause_can_be_kept_apart() -> None:
    said = ["very " * 40 + end for end in ("red", "green")]
    groups = grouped(incident(1, said[0]), incident(2, said[1]))
    assert finer(said, ()) == WHOLE
    group = only(groups)
    groups.rehome(groups.keep(group.kind, group.base, (WHOLE,)))
    assert len(list(groups)) == 2


# -- reading


async def walked(walk: IncidentPages) -> list[str]:
    found: dict[str, None] = {}
    while not walk.ended:
        found |= dict.fromkeys(one.id for one in await walk.next())
    return list(found)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("size", [3, 7, 20, 100])
async def test_a_walk_meets_every_incident_also_those_of_one_millisecond(newest_first: bool, size: int) -> None:
    engine = Incidents([incident(number, at=NOON + timedelta(milliseconds=number // 9)) for number in range(50)])
    found = await walked(IncidentPages(engine.read, IncidentQuery(), newest_first=newest_first, size=size))
    assert sorted(found) == sorted(engine.open)


async def test_incidents_that_close_meanwhile_hide_no_other() -> None:
    engine = Incidents([incident(number) for number in range(60)])
    engine.closing = {at: [f"i-{60 - 5 * at}", f"i-{61 - 5 * at}", f"i-{at}"] for at in range(1, 8)}
    found = await walked(IncidentPages(engine.read, IncidentQuery(), size=10))
    assert set(engine.open) <= set(found)


async def test_a_walk_ends_on_an_engine_that_passes_over_the_time() -> None:
    engine = Incidents([incident(number) for number in range(35)])
    engine.deaf = True
    assert sorted(await walked(IncidentPages(engine.read, IncidentQuery(), size=10))) == sorted(engine.open)
    assert len(engine.asked) < 10


async def test_a_walk_keeps_to_the_time_that_the_operator_asked_for() -> None:
    engine = Incidents([incident(number) for number in range(30)])
    query = IncidentQuery(
        incident_timestamp_before=NOON + timedelta(seconds=20), incident_timestamp_after=NOON + timedelta(seconds=4)
    )
    found = await walked(IncidentPages(engine.read, query, size=4))
    assert found == [f"i-{number}" for number in range(19, 4, -1)]


async def filled(engine: Incidents) -> OpenIncidents:
    incidents = OpenIncidents(IncidentQuery(), engine.read, engine.count)
    await incidents.fill(lambda: None)
    return incidents


async def test_a_book_is_exact_when_the_engine_counts_as_many() -> None:
    engine = Incidents([incident(number) for number in range(1200)])
    told: list[int] = []
    incidents = OpenIncidents(IncidentQuery(), engine.read, engine.count)
    await incidents.fill(lambda: told.append(len(incidents.groups)))
    assert told[:3] == [500, 999, 1200]
    assert incidents.complete
    assert incidents.exact
    engine.open.popitem()
    await incidents.catch_up()
    assert not incidents.exact
    assert incidents.read_at is not None


async def test_what_came_is_found_by_a_small_question() -> None:
    engine = Incidents([incident(number) for number in range(1200)])
    incidents = await filled(engine)
    engine.asked.clear()
    engine.open |= {one.id: one for one in (incident(1300), incident(1301), incident(1198))}
    assert await incidents.catch_up() == 2
    assert len(engine.asked) == 1
    assert only(incidents.groups).new == 2
    assert incidents.exact


async def test_what_has_closed_leaves_when_everything_is_read_again() -> None:
    engine = Incidents([incident(number) for number in range(1200)])
    incidents = await filled(engine)
    for number in range(0, 1200, 2):
        del engine.open[f"i-{number}"]
    engine.open["i-2000"] = incident(2000)
    await incidents.catch_up()
    assert len(incidents.groups) == 1201
    await incidents.read_again(lambda: None)
    assert set(incidents.groups.ids()) == set(engine.open)
    assert incidents.exact


async def test_a_reading_that_failed_goes_on_where_it_was() -> None:
    engine = Incidents([incident(number) for number in range(2000)])
    engine.failing = {2}
    incidents = OpenIncidents(IncidentQuery(), engine.read, engine.count)
    with pytest.raises(Unreachable):
        await incidents.fill(lambda: None)
    assert not incidents.complete
    assert len(incidents.groups) == 999
    await incidents.fill(lambda: None)
    assert incidents.exact
    assert len(engine.asked) <= 6


async def test_a_failed_second_reading_takes_nobody_away() -> None:
    engine = Incidents([incident(number) for number in range(1200)])
    incidents = await filled(engine)
    engine.failing = {len(engine.asked) + 1}
    engine.open.clear()
    engine.open |= {f"i-{number}": incident(number) for number in range(700)}
    with pytest.raises(Unreachable):
        await incidents.read_again(lambda: None)
    assert len(incidents.groups) == 1200


async def test_what_the_engine_cannot_filter_is_left_out_and_its_count_is_of_all_that_were_read() -> None:
    engine = Incidents([incident(number, note="known" if number % 2 else None) for number in range(40)])
    incidents = OpenIncidents(IncidentQuery(), engine.read, engine.count, lambda one: one.annotation is not None)
    await incidents.fill(lambda: None)
    assert len(incidents.groups) == 20
    assert incidents.exact
    assert incidents.counted == incidents.looked == 40
