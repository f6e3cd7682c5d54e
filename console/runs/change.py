"""The rest of a run is changed: what has not begun is cut anew, or gets another gate, other retries, another pace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retriage.console.runs.waves import kept_together

if TYPE_CHECKING:
    from retriage.console.runs.waves import Waves
    from retriage.store.journal import Runs, RunStep


@dataclass(frozen=True)
class RestChange:
    """What becomes of the rest; ``None`` leaves it as it is.

    Attributes:
        waves: how it is cut; percentages are of the rest.
        gate: share of a wave that may fail again.
        retries: the value to set.
        watch: seconds for which a wave is watched.
        pace: tasks a minute.
    """

    waves: Waves | None = None
    gate: float | None = None
    retries: int | None = None
    watch: float | None = None
    pace: float | None = None

    @property
    def settings(self) -> dict[str, object]:
        """The settings that are changed, by name."""
        told = {"gate": self.gate, "retries": self.retries, "watch": self.watch, "pace": self.pace}
        return {name: value for name, value in told.items() if value is not None}

    def __bool__(self) -> bool:
        return self.waves is not None or bool(self.settings)


async def change_rest(runs: Runs, run_id: int, driver: str, change: RestChange) -> None:
    """Change what has not begun. A wave at work keeps its tasks and the retries that they were given.

    Args:
        runs: of the journal.
        run_id: the run.
        driver: who drives it.
        change: what is changed.

    Raises:
        WaveMistake: some tasks would be in no wave.
        NotYours: somebody else drives it.
        SQLAlchemyError: the journal cannot be written.
    """
    planned = [wave for wave in await runs.waves(run_id) if wave.state == "planned"]
    rest = sum(wave.tasks for wave in planned)
    sizes = change.waves.cut(rest) if change.waves is not None and rest else None
    run = await runs.run(run_id)
    if sizes is not None and run is not None and run.arguments != "{}":
        pieces = [piece for wave in planned async for piece in runs.tasks(run_id, wave.wave)]
        sizes = kept_together(sizes, [task.process_instance for piece in pieces for task in piece])
    await runs.change(run_id, driver, sizes, **change.settings)


def gate_was_changed(steps: Sequence[RunStep]) -> bool:
    """Whether the gate was changed since the run was held: a wave that was beyond its limit then does not pass by the
    new one.

    Args:
        steps: of the run, the oldest first.
    """
    for step in reversed(steps):
        if step.what == "held":
            return False
        if step.what == "change" and "gate" in json.loads(step.said):
            return True
    return False
