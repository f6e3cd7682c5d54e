"""How guessing passwords is made slow, without anybody being locked out by the guesses of another."""

import asyncio
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import blake2b

FIRST_PAUSE = 0.5
"""Seconds from a failed login to the next look at a password; each further failure doubles them."""

LONGEST_PAUSE = 5.0
"""Seconds at most. An owner who logs in beside a guesser at the same address waits that long for each before him."""

WAITING = 8
"""Logins of one name and address that may wait for their turn; whoever comes then is told to come later."""

WAITING_OF_ADDRESS = 32
"""Logins of one address that may wait for a look at their passwords: so many of users, and so many of unknown names."""

REMEMBERED = 10_000
"""Names and addresses whose failures are known at the same time; the oldest are forgotten."""

FORGOTTEN_AFTER = 900.0
"""Seconds without a failure after which those before do not count any more."""


class TooManyLogins(Exception):
    """Too many logins of this name, or of this address, wait already."""


class LoginQueue:
    """Logins that have their passwords looked at one after the other."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.waiting = 0
        self.failures = 0
        self.failed_at = 0.0
        self.next_look = 0.0


class LoginThrottle:
    """Turns at having a password looked at.

    Each name has a queue of its own at each address, and only there does a failure make the next one wait. One password
    of an address is looked at at a time, and one of all: a look may cost 64 MiB. So a guesser slows down himself, and
    costs another address one look. An IPv6 address stands for its network of 64 bits, which is what one customer is
    given.

    Users and unknown names of one address wait apart, so that a user's first login waits for one look at the guesses of
    other names. A failed login of a user then waits with the unknown names, so that it does not end sooner than theirs.

    Args:
        clock: seconds that only grow; none is that of the event loop.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._given_clock = clock
        self._names: OrderedDict[bytes, LoginQueue] = OrderedDict()
        self._addresses: dict[tuple[str, bool], LoginQueue] = {}
        self._look = asyncio.Lock()
        self._salt = secrets.token_bytes(16)

    @asynccontextmanager
    async def turn(self, address: str, name: str, *, is_user: bool) -> AsyncIterator[LoginQueue]:
        """Wait for the turn of a name and address. Inside the block, one password may be looked at.

        Args:
            address: where the login comes from.
            name: as it was given.
            is_user: there is a user of this name.

        Raises:
            TooManyLogins: so many wait already that it would take too long; after the block where a failure would
                have had to wait.
        """
        of_address = network(address)
        queue = self._queue(of_address, name)
        async with _place(queue, WAITING), queue.turn:
            await asyncio.sleep(max(0.0, queue.next_look - self._now()))
            failures = queue.failures
            async with self._turn_of_address(of_address, is_user), self._look:
                yield queue
            if is_user and queue.failures > failures:
                async with self._turn_of_address(of_address, False):
                    pass

    @asynccontextmanager
    async def _turn_of_address(self, address: str, is_user: bool) -> AsyncIterator[None]:
        others = self._addresses.setdefault((address, is_user), LoginQueue())
        try:
            async with _place(others, WAITING_OF_ADDRESS), others.turn:
                yield
        finally:
            if not others.waiting:
                self._addresses.pop((address, is_user), None)

    def failed(self, queue: LoginQueue) -> int:
        """The password was wrong; answers how often in a row."""
        now = self._now()
        queue.failures = 1 if now - queue.failed_at > FORGOTTEN_AFTER else queue.failures + 1
        queue.failed_at = now
        queue.next_look = now + min(FIRST_PAUSE * 2 ** min(queue.failures - 1, 30), LONGEST_PAUSE)
        return queue.failures

    def succeeded(self, queue: LoginQueue) -> None:
        """The password was right."""
        queue.failures, queue.next_look = 0, 0.0

    def _queue(self, address: str, name: str) -> LoginQueue:
        """The queue of a name and address. Names are kept as digests: a guesser's may be as long as a head."""
        key = blake2b(f"{address}\0{name}".encode(), key=self._salt, digest_size=16).digest()
        queue = self._names.setdefault(key, LoginQueue())
        self._names.move_to_end(key)
        if len(self._names) > REMEMBERED:
            oldest = next((key for key, known in self._names.items() if not known.waiting and known is not queue), None)
            if oldest is not None:
                del self._names[oldest]
        return queue

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._given_clock is None else self._given_clock()


@asynccontextmanager
async def _place(queue: LoginQueue, places: int) -> AsyncIterator[None]:
    if queue.waiting >= places:
        raise TooManyLogins
    queue.waiting += 1
    try:
        yield
    finally:
        queue.waiting -= 1


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the first 64 bits of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
