"""What a deployment runs: a worker claims requests from the ledger and serves them, turn by turn.

May use the verbs and ``stages``. Start with ``deployments``, the flows that Prefect starts; each calls
``turn`` until nothing is left to do, or ``purging`` for what may be erased. ``local_serving`` runs the
deployments in one process.
"""
