"""MLflow: runs, experiments, the registry, and the model that it serves.

May use ``report`` and below, not ``orchestration``. Begin with ``runs``: one per deletion. ``attempts`` are
the runs nested in it, ``auditing`` and ``closing`` what they leave for somebody who was not there.
``experiments`` are one per registered model; ``registry`` registers and promotes; ``served_model`` is what
MLflow runs, with the code that ``served_code`` copies. ``fetching`` takes a checkpoint out of the registry,
``server`` says where the store is and opens MLflow's pages, and ``moving`` lets a store that was moved with
its project name its new place.
"""
