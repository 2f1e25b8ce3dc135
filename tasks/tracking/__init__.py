"""MLflow: runs, experiments, the registry, and the model that it serves.

May use ``report`` and below, not ``orchestration``. Begin with ``runs``: one per deletion. ``attempts``
are the runs nested in it, ``auditing`` and ``closing`` what they record for later readers, ``histories``
what they tell of earlier runs. ``cut_short`` ends the runs that a killed command left open.
``experiments`` are one per registered model; ``registry`` registers and promotes, ``undoing`` refuses
what would bring back what was forgotten, and ``remains`` says what an older version still knows;
``in_use`` reads a local store's champion without MLflow. ``served_model`` is what MLflow runs, with the
code that ``served_code`` copies. ``artifacts`` compares a version's files with what was registered, and
loads it; ``fetching`` gets a checkpoint from the registry; ``erasing`` erases the files of versions.
``server`` says where the store is and serves MLflow's pages, which ``pages`` sets up, and ``moving``
updates the addresses in a store that was moved with its project.
"""
