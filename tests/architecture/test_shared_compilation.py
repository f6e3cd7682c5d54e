"""Workers of a run begin to compile at places of their own, and leave nothing out."""

from itertools import pairwise

import pytest

from tests.support.shared_compilation import begun_at, place_of_this_worker


@pytest.mark.parametrize("of", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("number", [0, 1, 3, 10])
def test_each_begins_elsewhere_and_all_compile_all(number: int, of: int) -> None:
    parts = list(range(number))
    orders = [begun_at(parts, (worker, of)) for worker in range(of)]
    assert all(sorted(order) == parts for order in orders)
    assert all(
        later == earlier + 1 or (earlier, later) == (parts[-1], 0) for o in orders for earlier, later in pairwise(o)
    )
    if number >= of:
        assert len({order[0] for order in orders}) == of


@pytest.mark.parametrize(
    ("worker", "of", "place"), [("gw3", "4", (3, 4)), ("", "", (0, 1)), ("main", "4", (0, 1)), ("gw0", "", (0, 1))]
)
def test_where_a_worker_is(worker: str, of: str, place: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", of)
    assert place_of_this_worker() == place
