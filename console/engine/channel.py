"""The one way to an engine: sends a request, waits with care, and turns every failure into an EngineProblem.

A *question* changes nothing: it is asked again, once, when the connection broke. An *order* is sent once. If its
connection could not be made, nothing happened (:class:`Unreachable`). Only an error body of the contract proves that
it was not carried out (:class:`Refused`), and so does a proxy that found it too large. After anything else, a broken
connection as well as a page of a proxy, it may have been carried out (:class:`Unanswered`), and whoever gave it must
look. When nothing may be asked is for :class:`~retriage.console.engine.hold.Hold` to know.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import inf
from typing import Any

import httpx

from retriage.console.engine.credentials import Credentials, CredentialsRefused, Source
from retriage.console.engine.engine_clock import EngineClock
from retriage.console.engine.errors import (
    EngineProblem,
    Forbidden,
    LoginRefused,
    NoCredentials,
    NoLogin,
    Refused,
    Slow,
    TooLarge,
    Unanswered,
    Unintelligible,
    Unreachable,
    Unsayable,
    one_line,
)
from retriage.console.engine.hold import Hold
from retriage.console.engine.packed_body import NotUnpacked, PackedBody, TooMuch
from retriage.console.engine.refusals import refusal


@dataclass(frozen=True)
class Limits:
    """How long to wait, in seconds, and how much at once.

    Attributes:
        connect: for a connection.
        read: for the next piece of an answer to a question.
        question: for a whole answer to a question.
        order: for a whole answer to an order. A real engine collects all ids of a batch before it answers.
        in_flight: most requests that are under way at once.
        answer: most bytes of an answer that are read.
    """

    connect: float = 4.0
    read: float = 20.0
    question: float = 60.0
    order: float = 180.0
    in_flight: int = 6
    answer: int = 20 * 1000 * 1000


_NO_LOGIN = frozenset({b"accept", b"accept-encoding", b"cache-control", b"connection", b"content-type", b"user-agent"})
"""Headers that every request has, whoever logs in."""


class Channel:
    """Sends requests over one ``httpx.AsyncClient``, whose base URL is the REST root."""

    def __init__(self, http: httpx.AsyncClient, limits: Limits | None = None) -> None:
        self._http = http
        self._limits = limits or Limits()
        self._free = asyncio.Semaphore(self._limits.in_flight)
        self.clock = EngineClock()
        """The clock of the engine."""
        self.round_trip: float | None = None
        """Seconds from sending to the end of the last answer; ``None`` before the first."""
        self.answers = 0
        """How often the engine itself has answered, a refusal included."""
        self.why_no_order: Callable[[], str] = str
        """One sentence if no order may be sent now, empty if one may. The last gate, whatever road an order came."""
        self.hold = Hold()
        """Holds questions back after a refused login, and for as long as an answer told."""
        self._renew: Source | None = None
        """Gets other credentials when those in use are refused or at their end; none where there is no source."""
        self._renewing = asyncio.Lock()
        self._good_until = inf
        """When the credentials in use are not to be used any more, by the monotonic clock."""

    def log_in(self, credentials: Credentials | None, renew: Source | None) -> None:
        """Log in with these headers; where there is only a source of some, they are got before the first request.

        Args:
            credentials: the headers.
            renew: a source of others; it is run in a thread.
        """
        self._renew = renew
        self._good_until = -inf
        if credentials is not None:
            self._use(credentials)
        elif renew is None:
            self._good_until = inf

    def _use(self, credentials: Credentials) -> None:
        self._http.headers.update(credentials.headers)
        good = credentials.use_for
        self._good_until = inf if good is None else time.monotonic() + good

    @property
    def login_headers(self) -> tuple[str, ...]:
        """The headers that log in, each with the shell variable that stands for its value: never with the value."""
        sent = [(name.decode(), value) for name, value in self._http.headers.raw if name.lower() not in _NO_LOGIN]
        return tuple(
            f"{name}: Bearer $TOKEN"
            if name.lower() == "authorization" and value[:7].lower() == b"bearer "
            else f"{name}: ${re.sub('[^A-Z0-9]', '_', name.upper())}"
            for name, value in sent
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        needs_login: bool = True,
        about_login: bool = False,
    ) -> httpx.Response:
        """Send a question; returns a 2xx answer, read to its end.

        Args:
            method: of HTTP.
            path: below the REST root.
            params: of the query string.
            body: what is sent as JSON.
            needs_login: engines that know users answer it to nobody else: an answer shows the login to be right.
            about_login: an engine without users answers it with 401 (``/authorization/check``, observed on Camunda
                7.24.0); that says nothing about the password and holds nothing back.

        Raises:
            EngineProblem: Unreachable, Slow, TooLarge or Refused; NoLogin for 401 to a question about the login.
        """

        async def once() -> httpx.Response:
            try:
                answer = await self._asked(method, path, params, body)
            except Refused as refused:
                # Where no token could be had it was not the engine that has answered, and everything is held back.
                if about_login and refused.status == 401 and not self.hold.seconds:
                    answer_of = (refused.sentence, refused.status, refused.type, refused.message, refused.code)
                    raise NoLogin(*answer_of) from refused
                if not refused.between and not isinstance(refused, LoginRefused) and needs_login:
                    self.hold.login_known = True
                raise
            self.hold.login_known = self.hold.login_known or (needs_login and not _page(answer))
            return answer

        async def question() -> httpx.Response:
            try:
                return await once()
            except LoginRefused as refused:
                if not await self._renewed(refused):
                    self.hold.note(refused)
                    raise
            try:
                return await once()
            except LoginRefused as refused:
                self.hold.note(refused)
                raise

        return await self.hold.admitted(question)

    async def _asked(self, method: str, path: str, params: Mapping[str, str] | None, body: Any) -> httpx.Response:
        """Send a question, and once more when the connection broke."""
        try:
            return await self._ask(method, path, params, body)
        except (httpx.NetworkError, httpx.RemoteProtocolError) as problem:
            if _certificate(problem):
                raise self._unreachable(problem) from problem
        except (httpx.HTTPError, TimeoutError) as problem:
            raise self._failed_question(problem) from problem
        try:
            return await self._ask(method, path, params, body)
        except (httpx.HTTPError, TimeoutError) as problem:
            raise self._failed_question(problem) from problem

    async def _renewed(self, refused: LoginRefused) -> bool:
        """Whether there are other credentials now than those that were refused."""
        if self._renew is None or refused.status != 401 or self.hold.seconds:
            return False
        used = dict(self._http.headers)
        async with self._renewing:
            if dict(self._http.headers) != used:
                return True  # somebody who waited less has got them
            try:
                self._use(await asyncio.to_thread(self._renew))
            except (OSError, ValueError):
                return False
            return True

    async def _still_good(self) -> None:
        """Have credentials that are not at their end.

        Raises:
            LoginRefused: who gives them does not accept us; nothing is asked any more until somebody says so.
            NoCredentials: there are none.
        """
        if self._renew is None or time.monotonic() < self._good_until:
            return
        async with self._renewing:
            if time.monotonic() < self._good_until:
                return
            self.hold.check()
            try:
                self._use(await asyncio.to_thread(self._renew))
            except CredentialsRefused as problem:
                refused = LoginRefused(str(problem), 401, retry_after=inf)
                self.hold.note(refused)
                raise refused from problem
            except (OSError, ValueError) as problem:
                raise NoCredentials(one_line(str(problem))) from problem

    async def order(
        self, method: str, path: str, what: str, *, params: Any = None, body: Any = None, content: bytes | None = None
    ) -> httpx.Response:
        """Send an order, once; returns a 2xx answer.

        Args:
            method: of HTTP.
            path: below the REST root.
            what: names it for the sentence, "deletion of the batch".
            params: behind the path.
            body: a value, sent as JSON.
            content: JSON that is sent byte for byte, in place of ``body``.

        Raises:
            EngineProblem: Forbidden or Unreachable (nothing was sent), Refused (nothing was done) or Unanswered (it may
                have been carried out).
        """
        if why := self.why_no_order():
            raise Forbidden(why)
        try:
            self.hold.check()
        except Refused as held:
            raise Forbidden(f"The {what} was not sent: {held.sentence}") from held
        try:
            await self._still_good()
        except LoginRefused as refused:
            raise Forbidden(f"The {what} was not sent: {refused.sentence}") from refused
        wait = httpx.Timeout(self._limits.order, connect=self._limits.connect, pool=self._limits.order)
        since = self.clock.now()
        try:
            async with self._free:
                since = self.clock.now()
                return await self._send(method, path, params, body, wait, self._limits.order, content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as problem:
            raise self._unreachable(problem) from problem
        except Refused as problem:
            if problem.proves_nothing_done:
                raise
            cause = f"answer {problem.status} did not come from an engine"
            raise Unanswered(in_doubt(what, cause), what, since, problem.status) from problem
        except Unintelligible as problem:
            raise Unanswered(in_doubt(what, "its answer cannot be read"), what, since) from problem
        except (httpx.HTTPError, TimeoutError) as problem:
            late = isinstance(problem, TimeoutError | httpx.TimeoutException)
            cause = "no answer came in time" if late else "the connection broke before an answer came"
            raise Unanswered(in_doubt(what, cause), what, since) from problem

    async def _ask(self, method: str, path: str, params: Mapping[str, str] | None, body: Any) -> httpx.Response:
        wait = httpx.Timeout(self._limits.read, connect=self._limits.connect, pool=self._limits.question)
        await self._still_good()
        async with self._free:
            self.hold.check()
            return await self._send(method, path, params, body, wait, self._limits.question, order=False)

    async def _send(
        self,
        method: str,
        path: str,
        params: Any,
        body: Any,
        wait: httpx.Timeout,
        whole: float,
        content: bytes | None = None,
        *,
        order: bool = True,
    ) -> httpx.Response:
        sent: dict[str, Any] = {"json": body}
        if content is not None:
            sent = {"content": content, "headers": {"Content-Type": "application/json"}}
        try:
            request = self._http.build_request(method, path, params=params or None, timeout=wait, **sent)
        except (ValueError, httpx.InvalidURL) as problem:
            raise Unsayable("This request holds something that cannot be sent, or too much of it.") from problem
        started = time.perf_counter()
        try:
            async with asyncio.timeout(whole):
                answer = await self._read(await self._http.send(request, stream=True))
        except ssl.SSLError as problem:
            # What a server says of our certificate comes with its first answer (TLS 1.3), and httpx lets it through.
            raise httpx.ReadError(str(problem), request=request) from problem
        self.round_trip = time.perf_counter() - started
        if answer.status_code >= 300:
            refused = refusal(answer, self.clock.now())
            if not refused.between:
                self._note_clock(answer)
            self.answers += not refused.between
            if order and refused.status == 401 and self._renew is not None:
                self._good_until = -inf  # the next question gets others first
            elif order or not isinstance(refused, LoginRefused):
                self.hold.note(refused)
            raise refused
        # A page of a proxy is no sign of life of the engine, and its clock another.
        if not _page(answer):
            self._note_clock(answer)
            self.answers += 1
        return answer

    async def _read(self, answer: httpx.Response) -> httpx.Response:
        """The answer with its body, which has been unpacked.

        Raises:
            TooLarge: there is more of it than is read; the connection is closed.
            Unintelligible: it is packed in another way than requests ask for.
        """
        try:
            body = PackedBody(answer.headers.get("content-encoding", ""), self._limits.answer)
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            async for piece in answer.stream:
                body.add(piece)
        except TooMuch:
            limit = self._limits.answer / 1_000_000
            raise TooLarge(f"The answer is larger than {limit:g} MB, and the rest of it was not read.") from None
        except NotUnpacked as problem:
            raise Unintelligible(f"The answer cannot be read: {problem}.") from None
        finally:
            await answer.aclose()
        headers = [(name, value) for name, value in answer.headers.multi_items() if name not in _OF_THE_TRANSFER]
        return httpx.Response(answer.status_code, headers=headers, content=bytes(body.content), request=answer.request)

    def _note_clock(self, answer: httpx.Response) -> None:
        try:
            told = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError, TypeError):
            return
        if told.tzinfo is not None:
            self.clock.told(told)

    def _failed_question(self, problem: Exception) -> EngineProblem:
        if isinstance(problem, httpx.ConnectTimeout):
            return Unreachable(f"{self._host()} did not accept a connection within {self._limits.connect:g} s.")
        if isinstance(problem, TimeoutError | httpx.TimeoutException):
            return Slow(f"{self._host()} did not answer in time.")
        return self._unreachable(problem)

    def _unreachable(self, problem: Exception) -> Unreachable:
        return Unreachable(f"{self._host()} cannot be reached: {_reason(problem)}.")

    def _host(self) -> str:
        url = self._http.base_url
        return f"{url.host}:{url.port}" if url.port else url.host


_OF_THE_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _page(answer: httpx.Response) -> bool:
    """The answer is a web page, which no engine sends."""
    return "html" in answer.headers.get("content-type", "")


def in_doubt(what: str, cause: str) -> str:
    """The sentence about an order of which nothing proves what became of it.

    Args:
        what: the order in words, "launch of the batch".
        cause: what is wrong with its answer.
    """
    return f"Not known whether the {what} was carried out: {cause}."


def _causes(problem: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    at: BaseException | None = problem
    while at is not None and at not in chain:
        chain.append(at)
        at = at.__cause__ or at.__context__
    return chain


def _certificate(problem: BaseException) -> bool:
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(problem))


def _reason(problem: BaseException) -> str:
    text = " ".join(str(cause) for cause in _causes(problem)).lower()
    for cause in _causes(problem):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({one_line(cause.verify_message, 120)})"
    if _certificate(problem) and "certificate required" in text.replace("_", " "):
        return "it asks for a client certificate"
    if _certificate(problem):
        return "no secure connection could be made (does it speak https?)"
    for sign, reason in _SIGNS:
        if sign in text:
            return reason
    if isinstance(problem, httpx.RemoteProtocolError):
        return "it closed the connection without an HTTP answer"
    return "the connection broke"


_SIGNS = (
    ("refused", "nothing listens there (connection refused)"),
    ("name or service not known", "its name is not known"),
    ("nodename nor servname", "its name is not known"),
    ("temporary failure in name resolution", "its name cannot be looked up now"),
    ("getaddrinfo failed", "its name is not known"),
    ("all connection attempts failed", "nothing listens there"),
    ("unreachable", "that network cannot be reached"),
    ("disconnected", "it closed the connection without an answer"),
    ("reset", "it reset the connection"),
)
