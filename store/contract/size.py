"""How much a request asks for at once."""

from collections.abc import Iterator
from typing import Any

from retriage.store.contract.errors import invalid
from retriage.store.contract.model import Shape
from retriage.store.contract.orders import FetchTopic
from retriage.store.contract.queries import Query


def check_conditions(asked: Shape, most: int) -> int:
    """Check that a request does not ask for more conditions than a database carries out in reasonable time; answers how
    many it asks for.

    Raises:
        ContractError: 400, it does.
    """
    number = conditions_of(asked)
    if number > most:
        raise invalid(f"The request has {number} conditions; at most {most} are taken at once.")
    return number


def conditions_of(asked: Shape) -> int:
    """The conditions of a query or an order: its filters, comparisons with variables, and topics, those of the queries
    inside it too.
    """
    if isinstance(asked, FetchTopic):
        return 1 + len(asked.process_variables or ())
    if isinstance(asked, Query):
        chosen = asked.chosen()
        own = sum(_weight(value, name in asked.PER_ELEMENT) for name, value in chosen.items())
        return own + sum(conditions_of(query) for query in getattr(asked, "or_queries", None) or ())
    return sum(conditions_of(inner) for inner in _inner(asked))


def _weight(value: Any, per_element: bool) -> int:
    if isinstance(value, list) and (per_element or (value and isinstance(value[0], Shape))):
        return len(value)
    return 1


def _inner(asked: Shape) -> Iterator[Shape]:
    for value in asked.__dict__.values():
        if isinstance(value, Shape):
            yield value
        elif isinstance(value, list) and value and isinstance(value[0], Shape):
            yield from value
