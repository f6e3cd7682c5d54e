"""What becomes of a task that a simulated worker has in hand."""

from random import Random
from typing import Any

from retriage.store.contract.orders import CompleteTask, FailTask
from retriage.store.demo.causes import (
    CARD_EXPIRED,
    CAUSES,
    IN_OUTAGE,
    NEGATIVE_AMOUNT,
    OUTAGE,
    Cause,
    amount_refused,
    cause_of,
)
from retriage.store.demo.failures import RETRIES

_DONE: dict[str, dict[str, Any]] = {
    "charge-card": {"paid": {"type": "Boolean", "value": True}},
    "reserve-stock": {"reserved": {"type": "Boolean", "value": True}},
    "screen-customer": {"sanctioned": {"type": "Boolean", "value": False}},
}
"""Variables that a completed task leaves, by topic."""


def decide(
    topic: str,
    retries: int | None,
    message: str | None,
    worker: str,
    random: Random,
    outage: bool = False,
    amount: float | None = None,
) -> CompleteTask | FailTask:
    """The report of a worker.

    Args:
        topic: of the task.
        retries: of the task; ``None`` if it has never failed.
        message: of its last failure.
        worker: who reports.
        random: the source of chance.
        outage: the payment provider is away.
        amount: the variable that the worker fetched.

    Returns:
        Completion, or a failure with one retry less, and a timeout that grows with each attempt.
    """
    if outage and topic in OUTAGE.topics and random.random() < IN_OUTAGE:
        cause: Cause | None = OUTAGE
    elif amount is not None and amount < 0 and topic in NEGATIVE_AMOUNT.topics:
        cause = NEGATIVE_AMOUNT
    else:
        cause = _of_first_attempt(topic, random) if retries is None else _of_retry(topic, message, random)
    if cause is None:
        return CompleteTask(worker_id=worker, variables=_DONE.get(topic))
    left = max(0, (RETRIES if retries is None else retries) - 1)
    same = message is not None and cause.again > 0.8 and cause is cause_of(topic, message)
    error = message if same else cause.error(random)
    if cause is NEGATIVE_AMOUNT and amount is not None:
        error = amount_refused(amount)
    attempt = max(1, RETRIES - left)
    return FailTask(
        worker_id=worker,
        error_message=error,
        error_details=cause.details(random, error),
        retries=left,
        retry_timeout=int(random.uniform(8_000, 20_000)) * attempt if left else 0,
    )


def _of_first_attempt(topic: str, random: Random) -> Cause | None:
    chance = random.random()
    for cause in CAUSES:
        if topic in cause.topics:
            chance -= cause.fresh
            if chance < 0:
                return cause
    return None


def _of_retry(topic: str, message: str | None, random: Random) -> Cause | None:
    """The cause that a retry meets again. Where the outage is over, a few cards turn out to have expired behind it."""
    cause = cause_of(topic, message)
    if cause in (None, NEGATIVE_AMOUNT) or random.random() >= cause.again:
        return None
    return CARD_EXPIRED if cause is OUTAGE else cause
