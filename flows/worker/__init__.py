"""What a deployment runs: a worker claims requests from the ledger and serves them, turn by turn.

May use the verbs and ``stages``. Start with ``deployments``, the flows that Prefect starts; each calls
``turn`` until nothing is left to do. ``local_serving`` runs the deployments in one process.
"""
