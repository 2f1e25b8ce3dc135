"""What computes on this machine: training, second moments, unlearning, observing.

May use ``storage``, ``data`` and below. Begin with ``unlearning``: from the pinned parent to a candidate.
``materials`` turns pinned folders into tensors, ``checkpoints`` reads and writes models at rest, ``training``
makes parents and retrained models, ``collecting`` and ``carrying`` make second moments, ``observing`` keeps
what models say (``kept_outputs``). ``configured`` gives the methods as ``params.yaml`` sets them.
``execution`` sets threads, device and seeds and counts what work costs (``costs``); ``machine`` knows what is
to spare.
"""
