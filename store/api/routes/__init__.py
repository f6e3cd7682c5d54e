"""One file per subject; each exports ``router``. Literal paths come before ``{id}``."""

from retriage.store.api.routes import (
    authorization,
    batch,
    deployment,
    external_task,
    history,
    incident,
    job,
    modification,
    process_definition,
    process_instance,
    process_instance_batches,
    process_instance_orders,
    user_operation,
    variable_instance,
    variables,
    workers,
)

ROUTERS = (
    external_task.router,
    workers.router,
    process_instance.router,
    process_instance_batches.router,
    process_instance_orders.router,
    modification.router,
    variables.router,
    variable_instance.router,
    process_definition.router,
    deployment.router,
    incident.router,
    batch.router,
    job.router,
    history.router,
    user_operation.router,
    authorization.router,
)
"""All routers, in the order in which they are asked."""
