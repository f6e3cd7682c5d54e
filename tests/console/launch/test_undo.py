"""What an undo would set back, and what it leaves alone: a task at a time, without an engine."""

import pytest

from retriage.console.launch.undo import Undo
from retriage.console.operations.retry import SetRetries

LAUNCHED = SetRetries(3)


def looked_at(
    before: int | None, *, now: int | None = 3, gone: bool = False, locked: bool = False, later: bool = False
) -> Undo:
    """An undo that has looked at one task."""
    undo = Undo("launch", 1, LAUNCHED)
    one = {"t"}
    way = LAUNCHED.sort([("t", before)], {} if gone else {"t": now}, one if locked else (), one if later else ())
    undo.take(way, None)
    return undo


@pytest.mark.parametrize("before", [0, 1, 7])
def test_a_task_that_still_has_what_was_launched_gets_back_what_it_had(before: int) -> None:
    undo = looked_at(before)
    assert dict(undo.back) == {SetRetries(before): ["t"]}
    assert (undo.count, undo.left_alone) == (1, {})


@pytest.mark.parametrize(
    ("undo", "why"),
    [
        (looked_at(None), "never"),
        (looked_at(3), "same"),
        (looked_at(0, now=2), "changed"),
        (looked_at(0, now=None), "changed"),
        (looked_at(0, gone=True), "gone"),
        (looked_at(0, locked=True), "locked"),
        (looked_at(0, later=True), "later"),
        (looked_at(0, later=True, locked=True), "later"),
    ],
)
def test_what_is_left_alone_is_counted_by_its_reason(undo: Undo, why: str) -> None:
    assert (undo.count, undo.left_alone) == (0, {why: 1})
    assert undo.left_alone_in_words() == f"1 {LAUNCHED.left_alone[why]}"


def test_pieces_add_up() -> None:
    undo = Undo("launch", 1, LAUNCHED)
    undo.take(LAUNCHED.sort([("a", 0), ("b", 1)], {"a": 3, "b": 3}, ()), None)
    undo.take(LAUNCHED.sort([("c", 0), ("d", 0)], {"c": 3}, ()), None)
    assert dict(undo.back) == {SetRetries(0): ["a", "c"], SetRetries(1): ["b"]}
    assert (undo.count, undo.left_alone) == (3, {"gone": 1})
