"""The command line. The folder is the command tree: ``lethe request submit`` is in ``request``.

May use all of ``flows`` and ``tasks``. Start with ``app``. Heavy libraries are imported inside the commands
that need them. ``lethe_verify`` is the program ``lethe-verify``, which loads no torch.
"""
