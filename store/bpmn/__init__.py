"""Just enough BPMN to make external tasks and jobs. Pure: XML in, processes and steps out, no database."""

from retriage.store.bpmn.expressions import Foreign
from retriage.store.bpmn.model import ErrorCatch, Flow, Kind, Node, Pause, Process
from retriage.store.bpmn.parse import parse
from retriage.store.bpmn.problems import CanNotGoOn, NotSupported, Problem, at_node
from retriage.store.bpmn.walk import How, Move, Steps, Waiting, walk

__all__ = [
    "CanNotGoOn",
    "ErrorCatch",
    "Flow",
    "Foreign",
    "How",
    "Kind",
    "Move",
    "Node",
    "NotSupported",
    "Pause",
    "Problem",
    "Process",
    "Steps",
    "Waiting",
    "at_node",
    "parse",
    "walk",
]
