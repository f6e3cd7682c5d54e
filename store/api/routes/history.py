"""History: incidents, and the logs of jobs and external tasks."""

from store.api.router import Router
from store.api.routes.lists import add_lists, add_one, add_text
from store.queries import logs
from store.queries.incidents import HISTORIC_INCIDENTS

router = Router(prefix="/history", tags=["History"])
add_lists(router, HISTORIC_INCIDENTS, path="/incident")
add_lists(router, logs.JOB_LOG, path="/job-log", post=True)
add_one(router, logs.JOB_LOG, "/job-log/{id}")
add_text(router, logs.get_stacktrace, "/job-log/{id}/stacktrace")
add_lists(router, logs.EXTERNAL_TASK_LOG, path="/external-task-log", post=True)
add_one(router, logs.EXTERNAL_TASK_LOG, "/external-task-log/{id}")
add_text(router, logs.get_error_details, "/external-task-log/{id}/error-details")
