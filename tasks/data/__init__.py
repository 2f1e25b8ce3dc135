"""Data sets, from source to batch: sources, then shards, then what methods and metrics draw from.

May use ``keys``, ``checkout`` and ``extensions``. Begin with ``source``, which says what a source is, and
``sources``, the list of all: ``digits``, ``folders``, ``tables`` (Parquet; ``columns`` reads them),
``torchvision_sets``, and what an earlier deletion ``retained``. Sources of ``images`` list their rows
(``incoming``; ``walking`` finds those of a folder, ``subjects`` reads whose they are), and ``importing``
turns them into a data set: it reads all ``headers``, then ``shards`` decode each image (``early_ends`` and
``upright`` look closer), ``remarks`` are made on what is odd (``likeness``: pictures that are nearly the
same), and ``describing`` writes the cards, or lists all that is wrong. ``datasets`` reads and writes a data
set on disk; ``validation`` checks it with Great Expectations, and ``data_docs`` makes the reports open from
disk. ``fingerprints`` tell the same picture whatever its file, ``tombstones`` keep forgotten ones out, and
``alike`` lists what was found. ``own_images`` says which images are meant; ``searching`` counts and finds
rows for whoever runs Lethe, ``showing`` their pictures. ``pool`` is the data set decoded and cut into parts,
``pixels`` caches what was decoded. ``canaries`` and ``planting`` are rows with wrong labels, to measure the
forgetting of samples on.
"""
