"""What the terminal can do, as terminfo tells it."""

import curses


def erases_on_ground(descriptor: int) -> bool:
    """Whether cells can be erased, and are left on the ground that is written on (``ech`` and ``bce``).

    One that terminfo does not know can do nothing.

    Args:
        descriptor: of the terminal; its name is that of the environment.
    """
    try:
        curses.setupterm(fd=descriptor)
        return bool(curses.tigetstr("ech")) and curses.tigetflag("bce") == 1
    except curses.error:
        return False
