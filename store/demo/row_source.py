"""Where the rows of a world come from while it is written: from a thread, for a large world soon from a process.

To draw rows and to hand them to the database are both work of the interpreter, which does one thing at a time and takes
turns with each row. To be done at the same time they need two processes.
"""

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from retriage.store.demo.ids import Ids
from retriage.store.demo.instances import InstanceRows
from retriage.store.demo.row_process import READY
from retriage.store.demo.rows import PackedRows

LEAST_TASKS = 20_000
"""A smaller world is written before a process of its own is of use."""

_FIRST_IS_WRITTEN = 3
"""Which slice is asked for when the first is written: the one between is drawn meanwhile."""

_PIPE = 1_000_000
"""Bytes that a pipe holds where the system allows it: about a slice."""


class RowSource:
    """Gives a world slice by slice, the same rows whoever draws them.

    Args:
        instances: draws them in this process.
        large: a process is begun to draw them, as soon as the first slice is written: until then somebody waits for it.
    """

    def __init__(self, instances: InstanceRows, *, large: bool) -> None:
        self._instances = instances
        self._large = large
        self._asked = 0
        self._process: _RowProcess | None = None
        self._coming_up: asyncio.Task[None] | None = None

    @property
    def ids(self) -> Ids:
        """Continues the ids of the slices that were given."""
        return self._instances.ids

    async def slice(self, size: int) -> PackedRows:
        """The rows of about so many more tasks; none at the end of the world. To be asked for one after the other.

        A process that draws keeps to the size that it was asked for first.

        Raises:
            RuntimeError: that process was ended by somebody else.
        """
        self._asked += 1
        if self._large and self._asked == _FIRST_IS_WRITTEN:
            self.begin_process()
        if self._process is None or not self._process.has_come_up:
            return await asyncio.to_thread(lambda: self._instances.slice(size).packed())
        rows, self._instances.ids = await asyncio.to_thread(self._process.slice, self._instances, size)
        return rows

    def begin_process(self) -> None:
        """Begin the process that draws, once. Until it has come up a thread does; where none can be begun, always."""
        if self._process is not None:
            return
        try:
            self._process = _RowProcess()
        except OSError:
            return
        self._coming_up = asyncio.create_task(asyncio.to_thread(self._process.come_up))

    async def end(self) -> None:
        """End what draws."""
        if self._process is not None and self._coming_up is not None:
            self._process.end()
            await asyncio.wait({self._coming_up})


@asynccontextmanager
async def row_source(instances: InstanceRows, tasks: int) -> AsyncIterator[RowSource]:
    """The rows of a world of so many tasks. What draws them ends with the block."""
    source = RowSource(instances, large=tasks >= LEAST_TASKS)
    try:
        yield source
    finally:
        await source.end()


class _RowProcess:
    """``row_process`` at the other end of two pipes. It ends when they do, even if this process is killed; it is no
    part of the terminal's group, so that keys like ctrl+c are not for it.
    """

    def __init__(self) -> None:
        # It finds its modules where this process does, and nowhere else: not in the folder that somebody works in.
        places = os.pathsep.join(place or os.getcwd() for place in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "retriage.store.demo.row_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": places},
            start_new_session=True,
            bufsize=_PIPE,
            pipesize=_PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._told, self._given = self._process.stdin, self._process.stdout
        self._begun = False
        self.has_come_up = False

    def come_up(self) -> None:
        """Wait until it has; it may also end before."""
        self.has_come_up = self._given.read(1) == READY

    def slice(self, instances: InstanceRows, size: int) -> tuple[PackedRows, Ids]:
        """Its next slice, and what continues the ids; it begins where ``instances`` has come to.

        Raises:
            RuntimeError: it was ended.
        """
        try:
            if not self._begun:
                self._begun = True
                pickle.dump((instances, size), self._told)
                self._told.flush()
            rows, ids = pickle.load(self._given)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise RuntimeError("the process that draws the demo world was ended") from error
        assert isinstance(rows, PackedRows)
        assert isinstance(ids, Ids)
        return rows, ids

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
