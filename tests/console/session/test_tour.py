"""The guided walk: what comes next, however one came there."""

from dataclasses import replace

import pytest

from console.session.tour import END, FILLING, Seen, Tour


@pytest.mark.parametrize("waves", [False, True])
def test_six_steps_one_after_the_other(waves: bool) -> None:
    tour = Tour(waves=waves)
    tour.heed(Seen(filling=True))
    assert (tour.step, tour.place) == (FILLING, "")
    seen, walked = Seen(), list[str]()
    for done in ("filling", "on_causes", "asking", "launched", "failed", "undone", "helped"):
        seen = replace(seen, **{done: done != "filling"})
        assert tour.heed(seen) or done == "filling"
        walked.append(tour.place)
    assert walked == ["1/6", "2/6", "3/6", "4/6", "5/6", "6/6", ""]
    assert tour.step is END
    assert not tour.heed(seen)


def test_who_launches_in_another_way_is_not_sent_back() -> None:
    tour = Tour(waves=False)
    tour.heed(Seen(launched=True))
    assert tour.place == "4/6"
    assert "did it help?" in tour.step.why


def test_where_the_provider_is_back_before_it_was_seen_to_fail_the_walk_goes_on() -> None:
    tour = Tour(waves=False)
    tour.heed(Seen(on_causes=True, launched=True, helped=True))
    assert tour.place == "5/6"


@pytest.mark.parametrize("waves", [False, True])
def test_every_step_fits_on_a_line_of_eighty_cells(waves: bool) -> None:
    for step in (*Tour(waves=waves).steps, FILLING, END):
        assert len(f" TOUR  1/6  {step.keys}  {step.why}") <= 80
