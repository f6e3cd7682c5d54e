"""From an answer that says no to a :class:`~retriage.console.engine.errors.Refused`.

Engines answer errors in several tongues: the contract's JSON body, a sentence in ``text/plain`` (a JSON library that
could not read the request), a container's or proxy's HTML page, or nothing at all.
"""

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from http import HTTPStatus
from math import inf
from typing import Any

import httpx

from retriage.console.engine.errors import Denied, LoginRefused, NotThere, Refused, one_line

_TITLE = re.compile(r"<(title|h1)[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_CLASS = re.compile(r"[A-Z][\w$]*(?:Exception|Error)")
_BODY_LIMIT = 20_000
BUSY = frozenset({429, 503})
"""Statuses whose answer may tell when to ask again."""
LONGEST_WAIT = 86_400.0
"""Most seconds that such an answer is believed."""


def refusal(answer: httpx.Response, now: datetime) -> Refused:
    """The problem that a status of 300 or more stands for.

    Args:
        answer: it, read to its end.
        now: the time by the clock that its headers go by.
    """
    refused = _refused(answer)
    if isinstance(refused, LoginRefused):
        refused.retry_after = inf
    elif answer.status_code in BUSY:
        refused.retry_after = wait_told(answer.headers.get("retry-after", ""), now)
    return refused


def wait_told(header: str, now: datetime) -> float | None:
    """Seconds that ``Retry-After`` tells (RFC 9110: a number of them, or a date); ``None`` if it tells none."""
    if header.strip().isdecimal():
        seconds = float(header)
    else:
        try:
            seconds = (parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _refused(answer: httpx.Response) -> Refused:
    body = _error_body(answer)
    if body is not None:
        kind, message, code = body
        return _of_kind(answer, _engine_sentence(answer.status_code, kind, message), kind, message, code)
    text = _words(answer)
    return _of_kind(answer, _plain_sentence(answer, text), None, text, None)


def _of_kind(answer: httpx.Response, sentence: str, kind: str | None, message: str, code: int | None) -> Refused:
    status = answer.status_code
    family: type[Refused] = {401: LoginRefused, 403: Denied, 407: LoginRefused}.get(status, Refused)
    if status == 404 and kind is not None:
        family = NotThere  # a page of something else does not know what the engine has
    return family(sentence, status, kind, message, code)


def _error_body(answer: httpx.Response) -> tuple[str, str, int | None] | None:
    """``type``, ``message`` and ``code`` if the body is the contract's.

    Its ``type`` is the simple name of a Java exception and ``message`` is always there, if only as null (REST
    reference, "Error Handling"). Proxies have JSON of their own: problem details (RFC 9457) name a URL as ``type`` and
    no ``message``, gateways a word such as ``error`` or ``Forbidden``.
    """
    try:
        body: Any = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or not isinstance(body.get("type"), str) or not _CLASS.fullmatch(body["type"]):
        return None
    message, code = body.get("message", 0), body.get("code")
    if not isinstance(message, str | None):
        return None
    plain_code = code if isinstance(code, int) and not isinstance(code, bool) else None
    return body["type"], message if isinstance(message, str) else "", plain_code


def _engine_sentence(status: int, kind: str, message: str) -> str:
    if status == 401:
        return _LOG_IN
    said = one_line(message) or f"{one_line(kind, 80)}, without a message"
    if status == 403:
        return f"The engine does not allow this: {said}"
    if kind == "OptimisticLockingException":
        return "Somebody changed the same thing at the same moment; nothing was done, try again."
    return f"The engine refused ({status}): {said}"


_LOG_IN = "The engine does not know this user or password (401)."


def _plain_sentence(answer: httpx.Response, text: str) -> str:
    status, phrase = answer.status_code, _phrase(answer.status_code)
    # Most pages of proxies repeat the status in their title: on a narrow line there is room for it once.
    said = one_line(text, 200).removeprefix(f"{status} ")
    detail = f": {said}" if said else ""
    if status < 400:
        return f"The address leads elsewhere ({status} to {_elsewhere(answer)}); is it the engine's REST root?"
    if status == 401:
        return _LOG_IN
    if status == 403:
        return f"Access is forbidden (403){detail}."
    if status == 407:
        return "A proxy on the way asks for a login (407)."
    if status in (502, 503, 504):
        return f"A proxy answers, but the engine behind it does not ({status}{detail})."
    if status == 429:
        return f"Too many requests for what answers there (429{detail})."
    more = detail if said != phrase else ""
    return f"What answers there is not the engine's own: {status} {phrase}{more}."


def _elsewhere(answer: httpx.Response) -> str:
    location = answer.headers.get("location", "")
    try:
        url = httpx.URL(location)
    except (httpx.InvalidURL, ValueError):
        return "nowhere"
    return one_line(f"{url.host}{url.path}" or "nowhere", 120)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no standard status)"


def _words(answer: httpx.Response) -> str:
    """What a body that is not the contract's says to a person: the title of a page, or the text itself."""
    text = answer.content[:_BODY_LIMIT].decode("utf-8", errors="replace")
    if text.lstrip()[:1] != "<":
        return text
    title = _TITLE.search(text)
    return unescape(_TAG.sub(" ", title[2])) if title else ""
