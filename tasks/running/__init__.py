"""Many independent jobs at once, in processes of this machine or on the nodes of a Ray cluster.

May use ``computing`` and below. Begin with ``runner``, which opens the pool that ``LETHE_RUNNER`` names, and
``pool``, which says what a pool does and runs jobs side by side in it. Either way a job is one line of JSON
for a process, a ``child``, that answers in lines of JSON, the ``messages``; results are files that it writes
into the project. ``local`` is this machine. On a cluster ``remote`` holds such a process on a node,
``ray_driver`` is the one process that talks to Ray, and ``cluster`` talks to that one.
"""
