"""Data sets, from source to batch: sources, then shards, then what methods and metrics draw from.

May use ``keys``, ``checkout`` and ``extensions``. Begin with ``source``, which says what a source is, and
``sources``, the list of all: ``digits``, ``folders``, ``tables`` (Parquet), ``torchvision_sets``, and what an
earlier deletion ``retained``. Sources of ``images`` list their rows (``incoming``), and ``importing`` turns
them into a data set, ``shards`` by shard; ``subjects`` reads whose the images of a folder are. ``datasets``
reads and writes a data set on disk; ``validation`` checks it with Great Expectations, and ``data_docs`` makes
the reports open from disk. ``pool`` is the data set decoded and cut into parts, ``pixels`` caches what was
decoded. ``canaries`` and ``planting`` are rows with wrong labels, to measure the forgetting of samples on.
"""
