"""How fast a runner carries out batch jobs: as fast as it can, or at a pace that a person can watch."""

import time
from collections.abc import Callable, Collection, Mapping

TURN_SECONDS = 0.2
"""A paced runner looks for jobs so often."""

_LONGEST = 120.0
_SEEDS_AHEAD = 6.0
_FASTEST, _SLOWEST = 64.0, 1 / 64


class JobPace:
    """A pace for batch jobs that can be changed while the runner works.

    Every batch goes at this pace, whatever others do. One that would take longer than two minutes goes faster, so that
    it does not. Seed jobs make jobs six times as fast as they are carried out; monitor jobs are not held up.

    Args:
        jobs_per_second: of each batch; none is full speed.
        of_batch: other paces of single batches, by their ids.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        jobs_per_second: float | None,
        of_batch: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.jobs_per_second = jobs_per_second
        self.factor = 1.0
        """The pace is multiplied by it; 1 at first."""
        self.of_batch = dict(of_batch or {})
        self._clock = clock
        self._credit: dict[tuple[str, str], tuple[float, float]] = {}
        """When a batch was asked about, and what was left over then; for its jobs and for its seed jobs."""

    @property
    def is_full_speed(self) -> bool:
        """Nothing is held up."""
        return self.jobs_per_second is None

    def faster(self) -> float:
        """Double the pace, up to 64 times the first one. Answers the factor."""
        self.factor = min(_FASTEST, self.factor * 2)
        return self.factor

    def slower(self) -> float:
        """Halve the pace, down to a 64th of the first one. Answers the factor."""
        self.factor = max(_SLOWEST, self.factor / 2)
        return self.factor

    def of(self, batch_id: str, total_jobs: int) -> float:
        """Jobs per second of a batch of so many, now.

        Raises:
            ValueError: nothing is held up, so there is no such number.
        """
        if self.jobs_per_second is None:
            raise ValueError("at full speed a batch has no pace")
        usual = self.of_batch.get(batch_id) or max(self.jobs_per_second, total_jobs / _LONGEST)
        return usual * self.factor

    def portion(self, batch_id: str, total_jobs: int) -> int:
        """How many jobs of this batch are due to be carried out since the last call for it; one at the first call."""
        return self._portion((batch_id, "jobs"), self.of(batch_id, total_jobs))

    def seeds(self, batch_id: str, total_jobs: int, jobs_per_seed: int) -> int:
        """How many seed jobs of this batch are due to be carried out since the last call for it."""
        return self._portion((batch_id, "seeds"), _SEEDS_AHEAD * self.of(batch_id, total_jobs) / jobs_per_seed)

    def keep_only(self, batch_ids: Collection[str]) -> None:
        """Forget all other batches: they have ended, or nothing of them can be carried out now."""
        self._credit = {key: credit for key, credit in self._credit.items() if key[0] in batch_ids}

    def _portion(self, name: tuple[str, str], rate: float) -> int:
        now = self._clock()
        if name not in self._credit:
            self._credit[name] = (now, 0.0)
            return 1
        last, credit = self._credit[name]
        credit = min(credit + rate * (now - last), max(1.0, rate))
        whole = int(credit)
        self._credit[name] = (now, credit - whole)
        return whole
