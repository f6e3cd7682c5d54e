"""The types of batches, one file for each: what an order becomes, and what the jobs do."""

from retriage.store.batch.types.external_task_retries import EXTERNAL_TASK_RETRIES
from retriage.store.batch.types.instance_deletion import DELETION
from retriage.store.batch.types.instance_modification import MODIFICATION
from retriage.store.batch.types.instance_suspension import SUSPENSION
from retriage.store.batch.types.job_retries import JOB_RETRIES
from retriage.store.batch.types.set_variables import VARIABLES

BATCH_TYPES = {
    one.name: one for one in (EXTERNAL_TASK_RETRIES, JOB_RETRIES, VARIABLES, DELETION, SUSPENSION, MODIFICATION)
}
"""All of them, by their names in the contract."""
