"""The body of an answer, unpacked within a bound: a few kilobytes of gzip hold gigabytes."""

import zlib

ACCEPTED = "gzip"
"""What requests say that they take, as ``Accept-Encoding``."""


class NotUnpacked(ValueError):
    """The body cannot be unpacked; the text says why."""


class TooMuch(Exception):
    """There is more of it than is read."""


class PackedBody:
    """Unpacks a body piece by piece, and never holds more of it than one byte beyond the bound.

    Args:
        encoding: the ``Content-Encoding`` of the answer; empty where it has none.
        most: bytes at most, unpacked.

    Raises:
        NotUnpacked: it is packed in a way that was not asked for, or more than once.
    """

    def __init__(self, encoding: str, most: int) -> None:
        names = [name for word in encoding.split(",") if (name := word.strip().lower()) not in ("", "identity")]
        if names not in ([], ["gzip"], ["x-gzip"]):
            raise NotUnpacked(f"it is packed as {', '.join(names)}, which was not asked for")
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if names else None
        self._most = most
        self.content = bytearray()

    def add(self, piece: bytes) -> None:
        """Take the next piece as it came.

        Raises:
            NotUnpacked: it is not gzip.
            TooMuch: the bound is passed.
        """
        if self._gzip is None:
            self.content += piece
        else:
            try:
                self.content += self._gzip.decompress(piece, self._most + 1 - len(self.content))
            except zlib.error:
                raise NotUnpacked("it is not gzip, as it says it is") from None
        if len(self.content) > self._most:
            raise TooMuch
