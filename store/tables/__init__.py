"""The tables: rows and nothing else.

A process instance, an incident and a batch is one row for all of its life; ``end_time`` is null while it runs.
External tasks and jobs exist only while there is something to do. Logs are append-only.
"""

from sqlmodel import SQLModel

from store.tables.batch import Batch, BatchElement, BatchGroup, UnfinishedBatch
from store.tables.deployment import Deployment, DeploymentResource, ProcessDefinition
from store.tables.external_task import ErrorDetails, ExternalTask
from store.tables.incident import Incident
from store.tables.job import Job, JobDefinition
from store.tables.log import ExternalTaskLog, JobLog
from store.tables.operation import UserOperation
from store.tables.process import Execution, ProcessInstance
from store.tables.variable import Variable

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
