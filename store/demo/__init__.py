"""A believable world on demand, with a plot that goes on while one watches, and simulated workers.

The plot stands in ``plot``. The rooms:

- The story: ``plot`` (what happened, and when), ``causes`` (why tasks fail), ``stack_traces``, ``processes`` and
  ``variables`` (what runs), ``worker_names``, ``task_states`` and ``ages`` (how many tasks of each kind, and how old).
- Making the rows: ``world`` (the way in: ``build_world``), ``row_source`` and ``row_process`` (a process that draws
  those of a large world), ``deployments`` (of the processes, drawn by ``bpmn_xml``), ``process_versions`` (where a task
  of an age stands), ``instances`` and ``failures`` (instances with all they have), ``operator_batches`` (what other
  operators have ordered), ``ids``, ``times``.
- Writing them: ``rows`` (their columns) and ``bulk_insert``.
- What lives in it: ``workers`` (the simulated workers), which use ``worker_fetch`` (how they come by tasks),
  ``worker_reports`` (what becomes of a task), ``worker_pace`` (how fast) and ``new_instances``.

Nothing is imported here: the process that draws rows needs no tables and no workers.
"""
