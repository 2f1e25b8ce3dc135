"""DVC and S3: what is pinned, pushed, pulled, stored and read back.

May use ``keys`` and ``checkout``. ``versioning`` asks DVC and writes its lock; ``staleness`` reads the
lock alone, and ``pinned`` what is pinned. ``remote`` pushes to and pulls from DVC's remote; ``foreign``
is what files from elsewhere may not ask of DVC. ``object_store`` is S3 for evidence, written once, with
its ``object_versions``; ``store_errors`` turns its failures into errors that say what to do.
"""
