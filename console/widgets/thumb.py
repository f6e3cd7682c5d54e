"""Where in the whole the part in sight is, as a sign at the end of a line."""


def thumb(line: int, lines: int, top: int, total: int) -> str:
    """The sign at the end of a line; a blank everywhere where all is in sight.

    Args:
        line: the line, from 0.
        lines: how many there are.
        top: the first row in sight.
        total: all rows.
    """
    if total <= lines or not lines:
        return " "
    size = max(1, round(lines * lines / total))
    first = round((lines - size) * top / max(total - lines, 1))
    return "▐" if first <= line < first + size else " "
