"""Data sets, from source to batch: sources, then shards, then what methods and metrics draw from.

May use ``keys`` and ``checkout``. A source gives rows (``incoming``): ``digits``, ``folders``, ``tables``
(Parquet) and ``torchvision_sets``. ``importing`` makes them a data set, one of ``shards`` after the other;
``datasets`` reads and writes it at rest; ``validation`` lets Great Expectations check it, and ``data_docs``
opens its reports from disk. ``pool`` is the data set decoded and cut into parts, ``pixels`` keeps what was
decoded. ``canaries`` and ``planting`` are rows with wrong labels, to test the forgetting of samples on.
"""
