"""What follows what: the verbs of Lethe, each in a file of its own, and how they are started.

``delete`` is the verb that all is about; ``train``, ``adopt``, ``verify``, ``replay``, ``tune``,
``benchmark`` and the others stand beside it. ``cli`` is the command line above them, ``worker`` what a
deployment runs, and ``stages`` are the steps of ``dvc.yaml`` below them, which both drivers run.
"""
