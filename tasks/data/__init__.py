"""Data sets, from source to batch: sources, then shards, then what methods and metrics draw from.

May use ``keys``, ``checkout`` and ``extensions``. Begin with ``source``, which says what a source is, and
``sources``, the list of all: ``digits``, ``folders``, ``tables`` (Parquet), ``torchvision_sets``, and what an
earlier deletion ``retained``. Those of ``images`` list their rows (``incoming``), and ``importing`` makes
them a data set, one of ``shards`` after the other; ``datasets`` reads and writes it at rest; ``validation``
lets Great Expectations check it, and ``data_docs`` opens its reports from disk. ``pool`` is the data set
decoded and cut into parts, ``pixels`` keeps what was decoded. ``canaries`` and ``planting`` are rows with
wrong labels, to test the forgetting of samples on.
"""
