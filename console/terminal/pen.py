"""Where the terminal writes next and how, and the shortest way elsewhere."""

from retriage.console.terminal.look import Look, change


def _times(count: int, letter: str) -> str:
    return "" if not count else f"\x1b[{letter}" if count == 1 else f"\x1b[{count}{letter}"


class Pen:
    """Collects what is to be sent. A place or a look that is not known is none."""

    def __init__(self) -> None:
        self.x: int | None = None
        self.y: int | None = None
        self.look: Look | None = None
        self._sent: list[str] = []

    def copy(self) -> "Pen":
        """A pen at the same place that has sent nothing."""
        other = Pen()
        other.x, other.y, other.look = self.x, self.y, self.look
        return other

    def forget(self) -> None:
        """Somebody else may have written."""
        self.x = self.y = self.look = None

    def take(self) -> str:
        """What was collected; from here on collect anew."""
        sent, self._sent = "".join(self._sent), []
        return sent

    def adopt(self, other: "Pen") -> None:
        """Do what the other pen did."""
        self.x, self.y, self.look = other.x, other.y, other.look
        self._sent += other._sent

    def __len__(self) -> int:
        return sum(map(len, self._sent))

    def send(self, text: str) -> None:
        """Send what neither moves nor changes the look."""
        self._sent.append(text)

    def to(self, x: int, y: int) -> None:
        """Go to a cell."""
        if (self.x, self.y) != (x, y):
            self._sent.append(self._way(x, y))
            self.x, self.y = x, y

    def _way(self, x: int, y: int) -> str:
        column = str(x + 1) if x else ""
        ways = [f"\x1b[{y + 1};{column}H" if column else f"\x1b[{y + 1}H" if y else "\x1b[H"]
        if self.y is not None:
            down = _times(y - self.y, "B") if y >= self.y else _times(self.y - y, "A")
            ways += [down + across for across in self._across(x)]
        return min(ways, key=len)

    def _across(self, x: int) -> list[str]:
        ways = [f"\x1b[{x + 1}G"] if x else ["\r"]
        if self.x is not None:
            step = x - self.x
            ways.append(_times(step, "C") if step >= 0 else min("\b" * -step, _times(-step, "D"), key=len))
        return ways

    def put(self, text: str, look: Look, width: int) -> None:
        """Write a text that is so many cells wide."""
        self.dip(look)
        self._sent.append(text)
        if self.x is not None:
            self.x += width

    def put_blank(self, look: Look, coming: Look) -> None:
        """Write a blank; of a look it shows only the ground, mostly.

        Args:
            look: how it looks.
            coming: how what is written after it looks.
        """
        now = self.look
        if now is None or now.ground != look.ground or now.seen_on_blanks or look.seen_on_blanks:
            same = coming.ground == look.ground and not coming.seen_on_blanks and not look.seen_on_blanks
            self.dip(coming if same else look)
        self._sent.append(" ")
        if self.x is not None:
            self.x += 1

    def erase(self, cells: int, look: Look) -> None:
        """Make blanks of so many cells from here on, on the ground of a look; the pen stays where it is."""
        if self.look is None or self.look.ground != look.ground or self.look.seen_on_blanks:
            self.dip(look)
        self._sent.append(f"\x1b[{cells}X")

    def dip(self, look: Look) -> None:
        """Write like this from here on."""
        if self.look != look:
            self._sent.append(change(self.look, look))
            self.look = look
