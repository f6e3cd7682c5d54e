"""The guided walk: what comes next, however one came there."""

from dataclasses import replace

from console.session.tour import END, FILLING, STEPS, Seen, Tour


def test_six_steps_one_after_the_other() -> None:
    tour = Tour()
    tour.heed(Seen(filling=True))
    assert (tour.step, tour.place) == (FILLING, "")
    assert tour.heed(Seen())
    seen, walked = Seen(), [tour.place]
    for done in ("on_causes", "asking", "launched", "judged", "at_once", "undone"):
        seen = replace(seen, **{done: True})
        assert tour.heed(seen)
        walked.append(tour.place)
    assert walked == ["1/6", "2/6", "3/6", "4/6", "5/6", "6/6", ""]
    assert tour.step is END
    assert not tour.heed(seen)


def test_who_launches_in_another_way_is_not_sent_back() -> None:
    tour = Tour()
    tour.heed(Seen(launched=True))
    assert tour.place == "4/6"
    tour.heed(Seen(launched=True, judged=True, at_once=True))
    assert tour.place == "6/6"


def test_every_step_fits_on_a_line_of_eighty_cells() -> None:
    for step in (*STEPS, FILLING, END):
        assert len(f" TOUR  1/6  {step.keys}  {step.why}") <= 80
