"""Prefect: deployments, the page of a flow run, and the event sent when a request arrives.

May use ``report`` and below, not ``tracking``. Begin with ``deploying``: work pool, deployments and
automations. ``flow_runs`` is what people see of a run, ``run_log`` its log, ``task_runs`` names its steps
and says which are retried. ``events`` starts a run, and ``form`` offers what waits, both by ``api``.
``own_server`` is for commands where no server is named, and ``cut_short`` closes what a killed one left open.
"""
