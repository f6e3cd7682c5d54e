"""What a route answers, said once beside it; the OpenAPI document is made from it.

A route is declared by the decorator below its path: ``@gives(Batch)``, ``@gives_list(Incident)``,
``@gives_file``, ``@gives_nothing``. What it reads is known from its arguments (``retriage.store.api.requests``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

RouteT = TypeVar("RouteT", bound=Callable[..., Any])
Form = Literal["one", "list", "text", "file", "nothing"]


@dataclass(frozen=True)
class Given:
    """What a route answers when nothing goes wrong.

    Attributes:
        form: one JSON value, a JSON list, a plain text (204 where there is none), a file, or nothing (204).
        model: what pydantic makes a schema of: the value, or what the list is of.
        needs_user: it refuses whoever has not logged in by itself, with the contract's body, also where the server has
            no users.
    """

    form: Form
    model: Any = None
    needs_user: bool = False


_MEDIA = {"one": "application/json", "list": "application/json", "text": "text/plain"}


def has_one_media_type(given: Given) -> bool:
    """Whether the answer is always of one media type. Files have one each, and are sent to whoever asks for them
    (observed on Camunda 7.24.0)."""
    return given.form in _MEDIA


def is_acceptable(given: Given, accept: str | None) -> bool:
    """Whether a client that accepts so much can be answered. How much it likes what does not matter.

    Args:
        given: what the route answers.
        accept: the header of the request.
    """
    media = _MEDIA.get(given.form)
    if media is None or not accept:
        return True
    wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return not wanted.isdisjoint({"*/*", "*", f"{media.partition('/')[0]}/*", media})


_GIVEN: dict[Callable[..., Any], Given] = {}


def declare(route: RouteT, given: Given) -> RouteT:
    """Say what a route answers."""
    _GIVEN[route] = given
    return route


def given_by(route: Callable[..., Any]) -> Given | None:
    """What the route answers, none if nobody said."""
    return _GIVEN.get(route)


def gives(model: Any, *, needs_user: bool = False) -> Callable[[RouteT], RouteT]:
    """The route answers one JSON value of this kind. See ``Given``."""
    return lambda route: declare(route, Given("one", model, needs_user))


def gives_list(model: Any) -> Callable[[RouteT], RouteT]:
    """The route answers a JSON list of this kind."""
    return lambda route: declare(route, Given("list", model))


def gives_file(route: RouteT) -> RouteT:
    """The route answers a file."""
    return declare(route, Given("file"))


def gives_nothing(route: RouteT) -> RouteT:
    """The route answers 204 without a body."""
    return declare(route, Given("nothing"))
