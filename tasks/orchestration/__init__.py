"""Prefect: deployments, the page of a flow run, and what it is told when a request comes in.

May use ``report`` and below, not ``tracking``. Begin with ``deploying``: work pool, deployments and
automations. ``flow_runs`` is what people see of a run, ``task_runs`` what its steps are called and which
are tried again, and ``events`` starts one.
"""
