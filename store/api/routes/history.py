"""History: incidents, activity instances, variables, and the logs of jobs and external tasks."""

from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_file, add_lists, add_one, add_text
from retriage.store.commands.historic_activity_instances import HISTORIC_ACTIVITY_INSTANCES
from retriage.store.queries import logs
from retriage.store.queries.historic_variable_instances import HISTORIC_VARIABLE_INSTANCES, get_content
from retriage.store.queries.incidents import HISTORIC_INCIDENTS

router = Router(prefix="/history", tags=["History"])
add_lists(router, HISTORIC_INCIDENTS, path="/incident")
add_lists(router, logs.JOB_LOG, path="/job-log", post=True)
add_one(router, logs.JOB_LOG, "/job-log/{id}")
add_text(router, logs.get_stacktrace, "/job-log/{id}/stacktrace")
add_lists(router, logs.EXTERNAL_TASK_LOG, path="/external-task-log", post=True)
add_one(router, logs.EXTERNAL_TASK_LOG, "/external-task-log/{id}")
add_text(router, logs.get_error_details, "/external-task-log/{id}/error-details")
add_lists(router, HISTORIC_ACTIVITY_INSTANCES, path="/activity-instance", post=True)
add_one(router, HISTORIC_ACTIVITY_INSTANCES, "/activity-instance/{id}")
add_lists(router, HISTORIC_VARIABLE_INSTANCES, path="/variable-instance", post=True)
add_one(router, HISTORIC_VARIABLE_INSTANCES, "/variable-instance/{id}")
add_file(router, get_content, "/variable-instance/{variable_id}/data")
