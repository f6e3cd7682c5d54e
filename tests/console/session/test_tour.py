"""The guided walk: what comes next, however one came there."""

from dataclasses import replace

from retriage.console.session.tour import END, FILLING, WALK, Seen, Tour

REPAIRED = ("narrowed", "retried", "refused", "fixed", "repaired")


def test_six_steps_one_after_the_other_and_five_of_repair() -> None:
    tour = Tour()
    tour.heed(Seen(filling=True))
    assert (tour.step, tour.place) == (FILLING, "")
    assert tour.heed(Seen())
    seen, walked = Seen(), [tour.place]
    for done in ("on_causes", "asking", "launched", "judged", "at_once", "undone", *REPAIRED):
        seen = replace(seen, **{done: True})
        assert tour.heed(seen)
        walked.append(tour.place)
    first = ["1/6", "2/6", "3/6", "4/6", "5/6", "6/6"]
    assert walked == [*first, "+1/5", "+2/5", "+3/5", "+4/5", "+5/5", ""]
    assert tour.step is END
    assert not tour.heed(seen)


def test_who_launches_in_another_way_is_not_sent_back() -> None:
    tour = Tour()
    tour.heed(Seen(launched=True))
    assert tour.place == "4/6"
    tour.heed(Seen(launched=True, judged=True, at_once=True))
    assert tour.place == "6/6"


def test_who_changes_the_variable_at_once_is_not_sent_back() -> None:
    tour = Tour()
    tour.heed(Seen(launched=True, judged=True, at_once=True, undone=True))
    assert tour.place == "+1/5"
    tour.heed(Seen(fixed=True))
    assert tour.place == "+5/5"


def test_every_step_fits_on_a_line_of_eighty_cells() -> None:
    for step in (*WALK, FILLING, END):
        assert len(f" TOUR  +1/5  {step.keys}  {step.why}") <= 80
