"""The request that launches a batch over external tasks, as the bytes that are shown, copied and sent."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from store.contract.model import Shape
from store.contract.orders import SetExternalTaskRetries

PATH = "external-task/retries-async"


def body_bytes(order: Shape) -> bytes:
    """An order as JSON, in ASCII, on one line; what is absent is left out."""
    value = order.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(value, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True)
class RetriesRequest:
    """One launch. Its body is built once: whoever shows, copies or sends it takes the same bytes.

    Attributes:
        order: what is ordered.
    """

    order: SetExternalTaskRetries

    @cached_property
    def body(self) -> bytes:
        """What goes over the wire to :data:`PATH`."""
        return body_bytes(self.order)

    @property
    def value(self) -> dict[str, Any]:
        """The JSON object that the body holds."""
        value: dict[str, Any] = json.loads(self.body)
        return value
