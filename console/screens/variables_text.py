"""The variables of a process instance as a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retriage.console.text.inert import inert
from retriage.console.text.words import things

if TYPE_CHECKING:
    from retriage.store.contract.records import VariableValue

LONGEST_VALUE = 2000
"""Characters of a value that are shown."""


def variables_said(variables: dict[str, VariableValue]) -> str:
    """Variables by name, one a line."""
    lines = [things(len(variables), "variable")]
    width = max((len(name) for name in variables), default=0)
    for name, variable in sorted(variables.items()):
        lines.append(f"  {inert(name):<{min(width, 24)}}  {_value(variable.value)}  ({inert(variable.type or 'null')})")
    return "\n".join(lines)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return inert(text) if len(text) <= LONGEST_VALUE else f"{inert(text[:LONGEST_VALUE])}… ({len(text):,} characters)"
