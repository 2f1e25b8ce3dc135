"""DVC and S3: what is pinned, pushed, pulled, put and read back.

May use ``keys`` and ``checkout``. ``versioning`` asks DVC and writes its lock. ``remote`` pushes to and pulls
from DVC's remote. ``object_store`` is S3 for evidence, written once; ``store_errors`` says what its failures
mean for whoever runs Lethe.
"""
