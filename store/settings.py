"""What can be set about the embedded engine and its server."""

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """How batches are cut, how hard the runner works, and how much a client may ask of a server.

    ``RETRIAGE_BATCH_JOBS_PER_SEED=500`` and so on.
    """

    model_config = SettingsConfigDict(env_prefix="RETRIAGE_", extra="ignore")

    strict: bool = False
    """Refuse ``retries-async`` with an unknown task id (404, as the reference page says) instead of letting its job
    fail as the engine does."""

    batch_jobs_per_seed: PositiveInt = 100
    """Most batch jobs that one execution of a seed job creates."""

    invocations_per_batch_job: PositiveInt = 1
    """Ids that one batch job works on."""

    invocations_per_batch_job_by_batch_type: dict[str, PositiveInt] = {}
    """The same for single types of batches, by their names: ``{"set-variables": 10}``."""

    batch_poll_time: PositiveFloat = 30.0
    """Seconds between two looks of a monitor job, unless the last job of the batch ends earlier."""

    default_number_of_retries: NonNegativeInt = 3
    """Attempts a job has."""

    runner_set_size: PositiveInt = 2000
    """Most jobs that the runner acquires, and carries out in one transaction."""

    runner_idle_seconds: PositiveFloat = 5.0
    """Longest pause between two looks for work; news of work ends it at once."""

    runner_lock_seconds: PositiveFloat = 30.0
    """How long an acquired job stays locked. After that any runner may take it; nothing is done twice, because the
    work and the check of the lock are one transaction."""

    history_cleanup_seconds: PositiveFloat = 600.0
    """Pause between two looks for history that is too old: that of ended instances by the ``historyTimeToLive`` of
    their definitions."""

    batch_history_days: NonNegativeInt = 180
    """Days that an ended batch is kept with its log; 0 keeps it for ever."""

    readers: PositiveInt = 4
    """Connections kept for questions."""

    question_seconds: PositiveFloat = 30.0
    """How long one question may take. It ends earlier when its caller has hung up."""

    order_seconds: PositiveFloat = 120.0
    """How long one order may take; on SQLite nobody else writes meanwhile. It does not bound the jobs of batches."""

    max_conditions: PositiveInt = 2000
    """Most conditions of one request: filters, comparisons with variables, and topics, those of nested queries too. A
    list of ids is one condition."""

    max_parked_fetches: PositiveInt = 1000
    """Most long-polling fetches that wait at the same time. Each costs some 35 kB, and two milliseconds whenever tasks
    become fetchable."""

    max_results: PositiveInt = 50_000
    """Most rows of one answer; a question that finds more is refused. Pages are asked for by ``maxResults``."""

    max_topics: PositiveInt = 1000
    """Most topics of one ``fetchAndLock``: each is a condition of its own."""

    max_connections: PositiveInt = 2000
    """Most connections to ``serve``; fewer where the system gives fewer descriptors. For a new one the one is closed
    that was heard longest ago of those that owe a request; those that wait for an answer stay."""

    head_seconds: PositiveFloat = 10.0
    """How long a connection to ``serve`` may take for the head of a request, and for its TLS handshake."""

    body_seconds: PositiveFloat = 30.0
    """How long a connection to ``serve`` may be silent in the middle of a body."""

    answer_seconds: PositiveFloat = 60.0
    """How long a connection to ``serve`` may leave an answer lying."""

    max_body_bytes: PositiveInt = 64_000_000
    """Most bytes of a JSON body: a million ids are 40 million."""

    max_bodies_bytes: PositiveInt = 256_000_000
    """Most bytes of all JSON bodies that are being read at the same time, without those of small ones."""

    max_upload_bytes: PositiveInt = 32_000_000
    """Most bytes of a deployment."""

    max_json_depth: PositiveInt = 100
    """How deep a JSON body may be nested. The parser itself ends at 200."""

    max_json_elements: PositiveInt = 2_000_000
    """Most elements that all lists and objects of a JSON body may have together."""

    def invocations_of(self, batch_type: str) -> int:
        """Ids that one job of a type of batch works on."""
        return self.invocations_per_batch_job_by_batch_type.get(batch_type, self.invocations_per_batch_job)
