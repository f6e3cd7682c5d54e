"""The order of a fetch, checked: what a worker may ask for."""

from dataclasses import dataclass

from retriage.store.contract.errors import ContractError, engine_error, invalid, null_value
from retriage.store.contract.orders import FetchAndLock, FetchTopic

MOST_TASKS = 10_000
"""More tasks are not given in one answer, whatever is asked for."""

LONGEST_WAIT = 1_800_000
"""Milliseconds that a fetch may wait for tasks."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A checked order: topics by name, the last of equal names; ``newest_first`` is none without that sort key."""

    worker_id: str
    most: int
    by_priority: bool
    newest_first: bool | None
    topics: tuple[FetchTopic, ...]


def checked(order: FetchAndLock) -> Fetch:
    """Check an order, in the engine's sequence.

    Raises:
        ContractError: 400 or 500, as the contract says for each mistake.
    """
    if order.async_response_timeout is not None and order.async_response_timeout > LONGEST_WAIT:
        raise invalid(
            f"The asynchronous response timeout cannot be set to a value greater than {LONGEST_WAIT} milliseconds"
        )
    newest_first = _newest_first(order)
    if order.worker_id is None:
        raise null_value("workerId is null")
    most = order.max_tasks or 0
    if most < 0:
        raise engine_error("maxResults is not greater than or equal to 0")
    # Of several entries for one topic the last one counts, and no other is checked (observed on Camunda 7.24.0).
    topics = {topic.topic_name: topic for topic in order.topics or ()}
    # An entry without a name is found first, wherever it stands (observed on Camunda 7.24.0).
    if None in topics:
        raise null_value("topicName is null")
    if any((topic.lock_duration or 0) <= 0 for topic in topics.values()):
        raise engine_error("lockTime is not greater than 0")
    return Fetch(order.worker_id, min(most, MOST_TASKS), bool(order.use_priority), newest_first, tuple(topics.values()))


def _newest_first(order: FetchAndLock) -> bool | None:
    found = None
    for entry in order.sorting or ():
        if entry.sort_by != "createTime":
            raise invalid(f"Cannot set query sortBy parameter to value {entry.sort_by}")
        if entry.sort_order is None:
            message = "Invalid query: call asc() or desc() after using orderByXX(): direction is null"
            raise ContractError(400, "NotValidException", message, 0)
        if entry.sort_order not in ("asc", "desc"):
            raise invalid(f"Cannot set query sortOrder parameter to value {entry.sort_order}")
        found = entry.sort_order == "desc" if found is None else found
    return found
