"""Variables as the expressions of a process see them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from retriage.store.bpmn import Foreign
from retriage.store.commands.operands import operands
from retriage.store.contract.records import VariableValue


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        ("String", "x", "x"),
        ("Long", 5, 5),
        ("Boolean", True, True),
        ("Null", None, None),
        ("Date", None, None),
        (
            "Date",
            "2026-03-01T09:15:00.000+0100",
            Foreign("java.util.Date", "Sun Mar 01 08:15:00 UTC 2026", datetime(2026, 3, 1, 8, 15, tzinfo=UTC)),
        ),
        ("Bytes", "YWJj", Foreign("[B", "[B@0")),
    ],
)
def test_what_a_value_is_compared_as(kind: str, value: Any, seen: Any) -> None:
    assert operands({"x": VariableValue(type=kind, value=value)}) == {"x": seen}
