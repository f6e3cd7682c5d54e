"""The request that launches a batch, as the bytes that are shown, copied and sent."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from retriage.store.contract.model import Shape

SET_RETRIES = "external-task/retries-async"
"""The path of the request that sets the retries of external tasks."""
SET_SUSPENDED = "process-instance/suspended-async"
"""The path of the one that suspends or activates process instances."""
SET_VARIABLES = "process-instance/variables-async"
"""The path of the one that sets variables of process instances."""
CANCEL = "process-instance/delete"
"""The path of the one that cancels process instances."""
MODIFY = "modification/executeAsync"
"""The path of the one that moves the tokens of process instances."""
RETRY_JOBS = "job/retries"
"""The path of the one that sets the retries of jobs."""
IDS = ("externalTaskIds", "processInstanceIds", "jobIds")
"""Fields of a request that name units by id."""


def body_bytes(order: Shape) -> bytes:
    """An order as JSON, in ASCII, on one line; what is absent, or was not given, is left out."""
    value = order.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    return json.dumps(value, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True)
class BatchRequest:
    """One launch. Its body is built once: whoever shows, copies or sends it takes the same bytes.

    Attributes:
        order: what is ordered.
        path: where it is sent to, below the REST root.
    """

    order: Shape
    path: str = SET_RETRIES

    @cached_property
    def body(self) -> bytes:
        """What goes over the wire."""
        return body_bytes(self.order)

    @property
    def value(self) -> dict[str, Any]:
        """The JSON object that the body holds."""
        value: dict[str, Any] = json.loads(self.body)
        return value
