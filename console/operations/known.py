"""Every operation by its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retriage.console.operations.cancel import Cancel
from retriage.console.operations.fix_and_retry import FixAndRetry
from retriage.console.operations.local_variables import SetLocal
from retriage.console.operations.modification import Repeat, Skip
from retriage.console.operations.retry import SetRetries
from retriage.console.operations.retry_jobs import RetryJobs
from retriage.console.operations.set_variables import SetVariables
from retriage.console.operations.suspension import Activate, Suspend

if TYPE_CHECKING:
    from retriage.console.operations.operation import Operation
    from retriage.store.journal import Launch
    from retriage.store.journal.run_records import NewRun

OPERATIONS: dict[str, type[Operation]] = {
    one.name: one for one in (SetRetries, Suspend, Activate, Cancel, Skip, Repeat, SetVariables, RetryJobs, SetLocal)
}


def operation_named(name: str, retries: int | None) -> Operation:
    """The operation with this name; ``retries`` are those that it sets, where it sets any."""
    if retries is None:
        return OPERATIONS[name]()
    return RetryJobs(retries) if name == RetryJobs.name else SetRetries(retries)


def operation_of(record: NewRun | Launch) -> Operation:
    """What a run or a launch of the journal does."""
    arguments = json.loads(record.arguments)
    operation, told = operation_named(record.operation, record.retries).told(arguments), arguments.get("skip")
    if isinstance(operation, SetRetries) and (fix := SetVariables().told(arguments)).values:
        operation = FixAndRetry(operation.retries, fix)
    # A hand-over file may hold anything.
    skip = told if isinstance(told, list) else ()
    return operation.because(record.reason, [word for word in operation.skips if word in skip])
