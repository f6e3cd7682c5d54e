"""Process instances: running ones and history, lists and one."""

from fastapi import APIRouter

from store.api.routes.lists import add_lists, add_one
from store.contract.queries import HistoricProcessInstanceQuery, ProcessInstanceQuery
from store.queries import historic_process_instances as history
from store.queries import process_instances as running

router = APIRouter(tags=["Process Instance"])
add_lists(
    router,
    ProcessInstanceQuery,
    running.list_process_instances,
    running.count_process_instances,
    path="/process-instance",
    post=True,
)
add_one(router, running.get_process_instance, "/process-instance/{id}")
add_lists(
    router,
    HistoricProcessInstanceQuery,
    history.list_historic_process_instances,
    history.count_historic_process_instances,
    path="/history/process-instance",
    post=True,
)
add_one(router, history.get_historic_process_instance, "/history/process-instance/{id}")
