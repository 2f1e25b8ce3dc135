"""Traces of data: where rows, and models that learned them, lie in every store that is at hand.

May use every room below it; no room uses it. Begin with ``following``, which goes through all
stores for what is ``asked``.
``stores`` is the one list of them, and ``stored`` the interface that each has: ``folders``, ``cached``
(DVC's layout), ``remotes``, ``buckets``, ``git_objects`` and ``databases``; each says how an object is
erased. ``known`` reads the cards of data sets and models, ``sought`` turns rows into the byte strings to
look for, and ``unpacking`` looks into what is compressed: ``archives``, tables as far as their
``parquet_pages`` allow, and Base64 with ``line_breaks``; ``unpacked`` says what comes of it. A purge
begins with ``planning``, from the ``forgotten_rows`` of a request; ``purging`` carries the plan out, and
``proving`` searches again. ``places`` tells whether the stores are still those of the plan.
"""
