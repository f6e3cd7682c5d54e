"""What an undo would set back, and what it leaves alone: a task at a time, without an engine."""

import pytest

from console.launch.undo import Undo

LAUNCHED = 3


def looked_at(
    before: int | None, *, now: int | None = LAUNCHED, gone: bool = False, locked: bool = False, later: bool = False
) -> Undo:
    """An undo that has looked at one task."""
    undo = Undo(LAUNCHED)
    one = {"t"}
    undo.look_at([("t", before)], {} if gone else {"t": now}, one if locked else (), one if later else ())
    return undo


@pytest.mark.parametrize("before", [0, 1, 7])
def test_a_task_that_still_has_what_was_launched_gets_back_what_it_had(before: int) -> None:
    undo = looked_at(before)
    assert dict(undo.back) == {before: ["t"]}
    assert (undo.count, undo.left_alone) == (1, 0)


@pytest.mark.parametrize(
    ("undo", "why"),
    [
        (looked_at(None), "never"),
        (looked_at(LAUNCHED), "same"),
        (looked_at(0, now=2), "changed"),
        (looked_at(0, now=None), "changed"),
        (looked_at(0, gone=True), "gone"),
        (looked_at(0, locked=True), "locked"),
        (looked_at(0, later=True), "later"),
        (looked_at(0, later=True, locked=True), "later"),
    ],
)
def test_what_is_left_alone_is_counted_by_its_reason(undo: Undo, why: str) -> None:
    assert getattr(undo, why) == 1
    assert (undo.count, undo.left_alone) == (0, 1)


def test_pieces_add_up() -> None:
    undo = Undo(LAUNCHED)
    undo.look_at([("a", 0), ("b", 1)], {"a": LAUNCHED, "b": LAUNCHED}, ())
    undo.look_at([("c", 0), ("d", 0)], {"c": LAUNCHED}, ())
    assert dict(undo.back) == {0: ["a", "c"], 1: ["b"]}
    assert (undo.count, undo.gone) == (3, 1)
