"""What computes on this machine: training, second moments, unlearning, observing.

May use ``storage``, ``data`` and below. Begin with ``unlearning``: from the pinned parent to a candidate.
``materials`` turns pinned folders into tensors, ``checkpoints`` reads and writes models on disk (``tensors``
the files in them, ``states`` where a training stood), ``own_nets`` says which of a user's own may be built,
``training`` makes parents and retrained models, ``collecting`` and ``carrying`` make second moments.
``observing`` keeps what models compute
(``kept_outputs``), ``teaching`` how fast they relearn. ``accuracy`` is how often a model is right.
``configured`` gives the methods as ``params.yaml`` sets them. ``execution`` sets threads, device and seeds
and measures what work costs (``costs``); ``machine`` knows which resources are free.
"""
