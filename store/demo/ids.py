"""Ids of the demo world: the same for the same seed."""

from random import Random


class Ids:
    """UUIDv7 texts (RFC 9562) of given times: 26 bits of a seeded source mark the world, a counter ends each id."""

    def __init__(self, random: Random) -> None:
        self._mark = f"7{random.getrandbits(12):03x}-{0x8000 | random.getrandbits(14):04x}-"
        self._next = 0
        self._at = -1
        self._begin = ""

    def at(self, milliseconds: int) -> str:
        """An id made at this moment (milliseconds since the epoch).

        Ids of later moments compare greater, and those of one moment in the order in which they were made.
        """
        self._next += 1
        return f"{self._begin_of(milliseconds)}{self._next:012x}"

    def several(self, milliseconds: int, number: int) -> list[str]:
        """So many ids made at this moment, in ascending order."""
        begin, first = self._begin_of(milliseconds), self._next + 1
        self._next += number
        return [f"{begin}{place:012x}" for place in range(first, first + number)]

    def _begin_of(self, milliseconds: int) -> str:
        if milliseconds != self._at:
            self._at = milliseconds
            self._begin = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-{self._mark}"
        return self._begin
