"""Words for running batches."""

from retriage.console.language.clock_words import Age, Moment
from retriage.console.language.sorting import SortWord
from retriage.console.language.subject import Apart, Subject
from retriage.console.language.words import Flag, Text
from retriage.store.contract.queries import BatchStatisticsQuery
from retriage.store.contract.records import SET_EXTERNAL_TASK_RETRIES

BATCHES: Subject[BatchStatisticsQuery] = Subject(
    name="batches",
    query=BatchStatisticsQuery,
    by_get=True,
    words=(
        Text("type", one="type", known=(SET_EXTERNAL_TASK_RETRIES,)),
        Flag("suspended", yes=("suspended", True), no=("suspended", False)),
        Flag("failed", yes=("with_failures", True), no=("without_failures", True)),
        Text("by", one="created_by", aliases=("user",)),
        Text("id", one="batch_id", aliases=("batch",)),
        Text("tenant", many="tenant_id_in", absent="without_tenant_id"),
        Age("age", before="started_before", after="started_after"),
        Moment("started", before="started_before", after="started_after"),
        SortWord((("started", "startTime"), ("tenant", "tenantId"), ("id", "batchId")), several=False),
    ),
    apart=(
        Apart(frozenset({"with_failures", "without_failures"})),
        Apart(frozenset({"tenant_id_in", "without_tenant_id"})),
    ),
    cannot={
        "topic": "by topic: a batch does not say which tasks it holds",
        "task": "by task: a batch does not say which tasks it holds",
        "error": "by error; in the jobs view error: does",
        "completed": "by having ended; these are the running ones",
    },
)
