"""Refusals that several orders share, in the words of the contract."""

from collections.abc import Sequence

from retriage.store.bpmn import NotSupported, Problem
from retriage.store.contract.errors import ContractError

SHOWN = 200
"""Problems of one file that a refusal lists; a drawing of thousands of wrong elements is not read to its end."""


def can_not_parse(refusals: Sequence[NotSupported]) -> ContractError:
    """400 ``ParseException``: all problems of all files, in the message and by file in ``details``."""
    lines: list[str] = []
    details = {}
    for refusal in refusals:
        shown = list(refusal.problems[:SHOWN])
        if len(refusal.problems) > SHOWN:
            shown.append(Problem(f"There are {len(refusal.problems) - SHOWN} more problems."))
        lines.extend(f"* {_line(problem, refusal.resource)}" for problem in shown)
        details[refusal.resource] = {"errors": [_detail(problem) for problem in shown], "warnings": []}
    message = "ENGINE-09005 Could not parse BPMN process. Errors: \n" + "\n".join(lines)
    return ContractError(400, "ParseException", message, 0, {"details": details})


def _line(problem: Problem, resource: str) -> str:
    place = f" | line {problem.line} | column {problem.column}" if problem.line else ""
    return f"{problem.message} | resource {resource}{place}"


def _detail(problem: Problem) -> dict[str, object]:
    return {
        "message": problem.message,
        "line": problem.line,
        "column": problem.column,
        "mainElementId": problem.main_element,
        "elementIds": list(problem.elements),
    }
