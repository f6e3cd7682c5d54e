"""What all operations have in common."""

import pytest

from retriage.console.operations.known import OPERATIONS


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if not operation.no_way_back])
def test_an_undo_has_words_for_all_that_it_leaves_alone(name: str) -> None:
    assert {"gone", "undone", "unset", "changed", "later"} <= set(OPERATIONS[name].left_alone)
