"""The order of things: Lethe's verbs, one file each, and how they are started.

``delete`` is the main verb; ``train``, ``adopt``, ``verify``, ``replay``, ``tune``, ``benchmark``,
``challenge`` and the others are beside it. Above them, ``cli`` is the command line and ``worker`` is what a
deployment runs; below them, ``stages`` are the steps of ``dvc.yaml``, which both drivers run.
"""
