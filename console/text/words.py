"""How numbers, times and ids are written on screens."""

from datetime import UTC, datetime

from retriage.console.text.cells import TIME_BASED_ID

_STEPS = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "m"))


def count(number: int) -> str:
    """``4740`` as ``4,740``."""
    return f"{number:,}"


def things(number: int, one: str, many: str = "") -> str:
    """``1 task``, ``4,740 tasks``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(seconds: float) -> str:
    """A length of time in at most two units: ``38s``, ``14m``, ``3h12m``, ``5d``."""
    seconds = max(seconds, 0)
    if seconds < 60:
        return f"{int(seconds)}s"
    for size, unit in _STEPS:
        if seconds >= size:
            whole = int(seconds // size)
            minutes = int(seconds % size // 60)
            return f"{whole}h{minutes:02d}m" if unit == "h" and whole < 10 else f"{whole}{unit}"
    return ""


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago; under a minute is ``now``, so that a line does not change every second."""
    if moment is None:
        return "-"
    seconds = (now - moment).total_seconds()
    return "now" if seconds < 60 else span(seconds)


def until(moment: datetime | None, now: datetime) -> str:
    """How long until then; the last minute is ``<1m``, so that a line does not change every second."""
    if moment is None or moment <= now:
        return "-"
    seconds = (moment - now).total_seconds()
    return "<1m" if seconds < 60 else span(seconds)


def roughly(number: int) -> str:
    """A number in at most four cells or so: ``999``, ``5.2k``, ``104k``, ``1.2M``."""
    for size, sign in ((10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{sign}" if number < 10 * size else f"{number // size}{sign}"
    return str(number)


def clock(moment: datetime) -> str:
    """The time of day in UTC: ``03:14:22Z``."""
    return f"{moment.astimezone(UTC):%H:%M:%S}Z"


def day(moment: datetime | None) -> str:
    """Date and time in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if moment else "-"


def short(identifier: str | None, length: int = 13) -> str:
    """An id that fits beside other things.

    What tells it from its neighbours is kept: the beginning of a time-based UUID, as Camunda makes them (all of one
    engine end alike), the end of any other (those made one after another begin alike).
    """
    if not identifier:
        return "-"
    if len(identifier) <= length:
        return identifier
    if TIME_BASED_ID.fullmatch(identifier):
        return identifier[: length - 1] + "…"
    return "…" + identifier[-(length - 1) :]


def bar(done: float, width: int) -> str:
    """A bar of ``width`` cells, changed only when a whole cell changes. ``done`` is clamped to 0..1."""
    full = int(max(0.0, min(done, 1.0)) * width)
    return "━" * full + "─" * (width - full)


def times(factor: float) -> str:
    """How many times as much: ``4x``, ``1/2x``."""
    return f"{factor:g}x" if factor >= 1 else f"1/{1 / factor:g}x"


def percent(part: int, whole: int) -> str:
    """A share in percent, 100 only when all is done."""
    if whole <= 0:
        return "100%"
    return f"{max(0, min(100, 100 * part // whole))}%"


def version_of(definition_id: str) -> str:
    """The version inside a process definition id of the form ``key:version:id``, as ``v14``; empty if there is none."""
    parts = definition_id.split(":")
    return f"v{parts[1]}" if len(parts) >= 3 and parts[1].isdigit() else ""
