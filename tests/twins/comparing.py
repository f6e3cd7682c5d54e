"""Whether two answers say the same."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import httpx

from tests.twins.subjects import SUBJECTS
from tests.twins.symbols import Ask
from tests.twins.twin import Twin

Rows = list[dict[str, Any]]


class Difference(AssertionError):
    """Two engines answered one request differently, and nobody knows why."""

    def __init__(self, ask: Ask, why: str, answers: Sequence[httpx.Response]) -> None:
        super().__init__(why)
        self.ask = ask
        self.why = why
        self.answers = list(answers)

    def __str__(self) -> str:
        lines = [self.why, f"  asked: {self.ask}"]
        for name, answer in zip(("store", "reference"), self.answers, strict=False):
            sent = answer.request
            body = "" if self.ask.parts else sent.content[:2000].decode(errors="replace")
            lines.append(f"  {name}: {sent.method} {sent.url} {body}")
            lines.append(f"    {answer.status_code} {answer.text[:3000]}")
        return "\n".join(lines)


def difference(ask: Ask, twins: Sequence[Twin], answers: Sequence[httpx.Response]) -> str | None:
    """What differs between the store's answer and the reference engine's; none if nothing does."""
    ours, theirs = answers
    if ours.status_code != theirs.status_code:
        return f"status {ours.status_code}, not {theirs.status_code}"
    if ours.status_code >= 400:
        return _refusals(twins, answers)
    if _media(ours) != _media(theirs):
        return f"media type {_media(ours)!r}, not {_media(theirs)!r}"
    if _media(ours) != "application/json":
        return _first_line(ours, twins[0], theirs, twins[1])
    ours_said, theirs_said = ours.json(), theirs.json()
    if isinstance(ours_said, list) and isinstance(theirs_said, list):
        return _lists(ask, twins, (ours_said, theirs_said))
    return _values(twins[0].common(ours_said), twins[1].common(theirs_said))


def _media(answer: httpx.Response) -> str:
    return str(answer.headers.get("content-type", "")).split(";")[0]


def _first_line(ours: httpx.Response, our_twin: Twin, theirs: httpx.Response, their_twin: Twin) -> str | None:
    """Texts. Stack traces are each engine's own; that there is one is the contract."""
    if str(ours.request.url).endswith("/stacktrace"):
        return None if bool(ours.text) == bool(theirs.text) else "a stack trace here and none there"
    return _values(our_twin.common(ours.text), their_twin.common(theirs.text))


def in_the_words_of_a_library(answer: httpx.Response) -> bool:
    """Whether the reference engine let its JSON library refuse the body: as plain text, or without a word. Which of
    the two differs from one start of the same engine to the next."""
    if answer.status_code != 400:
        return False
    return _media(answer) == "text/plain" or _wordless(answer)


def _wordless(answer: httpx.Response) -> bool:
    body = answer.json()
    return (body.get("type"), body.get("message"), body.get("code")) == ("InvalidRequestException", "", None)


def _refusals(twins: Sequence[Twin], answers: Sequence[httpx.Response]) -> str | None:
    ours, theirs = answers
    if _media(ours) != "application/json":
        return f"a refusal as {_media(ours)!r}"
    said = ours.json()
    if in_the_words_of_a_library(theirs):
        family = (said["type"], said["code"])
        return None if family == ("InvalidRequestException", None) else f"refused as {family}, not for its form"
    return _values(twins[0].common(said), twins[1].common(theirs.json()))


def _values(ours: Any, theirs: Any, where: str = "") -> str | None:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if set(ours) != set(theirs):
            return f"{where or 'it'} has the fields {sorted(ours)}, not {sorted(theirs)}"
        found = (_values(ours[name], theirs[name], f"{where}.{name}".lstrip(".")) for name in ours)
        return next((one for one in found if one is not None), None)
    same = type(ours) is type(theirs) and ours == theirs
    return None if same else f"{where or 'it'} is {_shown(ours)}, not {_shown(theirs)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _lists(ask: Ask, twins: Sequence[Twin], lists: tuple[list[Any], list[Any]]) -> str | None:
    ours, theirs = (sorted(_shown(twin.common(row)) for row in rows) for twin, rows in zip(twins, lists, strict=True))
    if ours != theirs:
        extra = [row for row in ours if row not in theirs]
        lacking = [row for row in theirs if row not in ours]
        return f"{len(ours)} rows, not {len(theirs)}\n  too many: {extra[:3]}\n  lacking: {lacking[:3]}"
    if ask.rows is None:
        return None
    for name, rows in zip(("store", "reference"), lists, strict=True):
        if (bad := unsorted(ask, rows)) is not None:
            return f"the {name}'s rows are not in order: {bad}"
    return None


def unsorted(ask: Ask, rows: Rows) -> str | None:
    """The first pair of rows that stand in the wrong order; none if they are in order.

    Ids are made up by each engine, so each is held against its own. The order of equal rows is the engine's affair.
    """
    keys = sort_fields(ask)
    if keys is None:
        return None
    for one, other in pairwise(rows):
        for field, descends in keys:
            ranks = _rank(one[field]), _rank(other[field])
            if ranks[0] == ranks[1]:
                continue
            if (ranks[0] > ranks[1]) != descends:
                return f"{field} {one[field]!r} before {other[field]!r}"
            break
    return None


def _rank(value: Any) -> tuple[bool, Any]:
    return (value is not None, value)


def sort_fields(ask: Ask) -> list[tuple[str, bool]] | None:
    """The fields of a row that the request sorts by and whether they descend, the id if it names none.

    None when one of them is not shown in the rows.
    """
    assert ask.rows is not None
    subject = SUBJECTS[ask.rows]
    asked = [ask.params, *_entries(ask.body)] if ask.method == "GET" else list(_entries(ask.body))
    keys = [(entry["sortBy"], entry.get("sortOrder") == "desc") for entry in asked if entry.get("sortBy")]
    known = subject.sorted_by
    if any(key not in known for key, _ in keys):
        return None
    return [(known[key], descends) for key, descends in keys] or [("id", False)]


def _entries(body: Any) -> list[dict[str, Any]]:
    return [body, *(body.get("sorting") or [])] if isinstance(body, dict) else []


def page_differs(ask: Ask, whole: Rows, page: Rows, first: int, size: int | None) -> str | None:
    """Whether one engine's page is no page of that engine's whole list; rows with equal sort keys may change places."""
    expected = [] if first < 0 or (size is not None and size < 0) else whole[first:][:size]
    if len(page) != len(expected):
        return f"a page of {len(page)} rows, not {len(expected)}"
    known = {row["id"] for row in whole}
    if len({row["id"] for row in page}) != len(page) or any(row["id"] not in known for row in page):
        return "a page with rows twice, or of elsewhere"
    fields = sort_fields(ask)
    if fields is None:
        return None
    key: Callable[[dict[str, Any]], list[Any]] = lambda row: [row[field] for field, _ in fields]  # noqa: E731
    if [key(row) for row in page] != [key(row) for row in expected]:
        return "a page of other rows than stand there in the whole list"
    return None
