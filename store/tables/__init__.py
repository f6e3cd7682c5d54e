"""The tables: rows and nothing else.

A process instance, an incident and a batch is one row for all of its life; ``end_time`` is null while it runs.
External tasks and jobs exist only while there is something to do. Logs are append-only.
"""

from sqlmodel import SQLModel

from retriage.store.tables.batch import Batch, BatchElement, BatchGroup, UnfinishedBatch
from retriage.store.tables.deployment import Deployment, DeploymentResource, ProcessDefinition
from retriage.store.tables.external_task import ErrorDetails, ExternalTask
from retriage.store.tables.incident import Incident
from retriage.store.tables.job import Job, JobDefinition
from retriage.store.tables.log import ExternalTaskLog, JobLog
from retriage.store.tables.operation import UserOperation
from retriage.store.tables.process import Execution, ProcessInstance
from retriage.store.tables.variable import Variable

metadata = SQLModel.metadata

__all__ = [
    "Batch",
    "BatchElement",
    "BatchGroup",
    "Deployment",
    "DeploymentResource",
    "ErrorDetails",
    "Execution",
    "ExternalTask",
    "ExternalTaskLog",
    "Incident",
    "Job",
    "JobDefinition",
    "JobLog",
    "ProcessDefinition",
    "ProcessInstance",
    "UnfinishedBatch",
    "UserOperation",
    "Variable",
    "metadata",
]
