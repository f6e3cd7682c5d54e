"""What is wrong with a BPMN file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse a file. ``line`` and ``column`` count from 1; both are 0 where no place can be named."""

    message: str
    line: int = 0
    column: int = 0
    elements: tuple[str, ...] = ()

    @property
    def main_element(self) -> str | None:
        """The element that the problem is about."""
        return self.elements[0] if self.elements else None


class NotSupported(Exception):
    """A file that can not be deployed, with everything that stands against it."""

    def __init__(self, resource: str, problems: Sequence[Problem]) -> None:
        super().__init__(f"{resource}: " + "; ".join(problem.message for problem in problems))
        self.resource = resource
        self.problems = tuple(problems)


class CanNotGoOn(Exception):
    """A token can not take its next step: an expression has no value, or no flow can be taken.

    The sentence is the engine's own, as far as there is one (observed on Camunda 7.24.0). ``node`` is the id of the
    node where it happened, as far as it is known.
    """

    node: str | None = None


@contextmanager
def at_node(node: str) -> Iterator[None]:
    """Name a node in whatever stops a token meanwhile."""
    try:
        yield
    except CanNotGoOn as reason:
        reason.node = reason.node or node
        raise
