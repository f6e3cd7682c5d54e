"""Just enough BPMN to make external tasks. Pure: XML in, processes and steps out, no database."""

from store.bpmn.expressions import Foreign
from store.bpmn.model import ErrorCatch, Flow, Kind, Node, Process
from store.bpmn.parse import parse
from store.bpmn.problems import CanNotGoOn, NotSupported, Problem
from store.bpmn.walk import Steps, begin, leave

__all__ = [
    "CanNotGoOn",
    "ErrorCatch",
    "Flow",
    "Foreign",
    "Kind",
    "Node",
    "NotSupported",
    "Problem",
    "Process",
    "Steps",
    "begin",
    "leave",
    "parse",
]
