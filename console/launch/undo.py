"""Setting back what a launch has set: which of its tasks can get their former retries again. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Undo:
    """What an undo would do.

    Attributes:
        launched: the retries that the launch has set.
        back: former retries -> ids of the tasks that get them again.
        never: tasks that had never failed: their ``null`` cannot be set by the contract.
        same: tasks that had the launched retries before.
        changed: tasks whose retries are others by now: a worker, or somebody, was there since.
        later: tasks that a later launch has set to the same number: that one would be undone.
        locked: tasks that a worker holds now.
        gone: tasks that have ended.
    """

    launched: int
    back: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    never: int = 0
    same: int = 0
    changed: int = 0
    later: int = 0
    locked: int = 0
    gone: int = 0

    @property
    def count(self) -> int:
        """Tasks that would be set back."""
        return sum(map(len, self.back.values()))

    @property
    def left_alone(self) -> int:
        """Tasks that would not."""
        return self.never + self.same + self.changed + self.later + self.locked + self.gone

    def look_at(
        self,
        before: Iterable[tuple[str, int | None]],
        now: Mapping[str, int | None],
        locked: Collection[str],
        later: Collection[str] = (),
    ) -> None:
        """Sort some tasks in.

        Args:
            before: ids of tasks with the retries that they had before the launch.
            now: the retries that they have now; those that are missing are gone.
            locked: those that a worker holds.
            later: those that were part of a later launch.
        """
        for id, former in before:
            if id not in now:
                self.gone += 1
            elif now[id] != self.launched:
                self.changed += 1
            elif id in later:
                self.later += 1
            elif id in locked:
                self.locked += 1
            elif former is None:
                self.never += 1
            elif former == self.launched:
                self.same += 1
            else:
                self.back[former].append(id)
