"""The ledger of deletion requests, in a database.

1. ``connect(root)``               the checkout's SQLite file, or what ``LETHE_DATABASE_URL`` names
2. ``ledger.submit(drafts, …)``    all or nothing
3. ``ledger.claim(worker)``        the request that is due first; then ``heartbeat``, ``complete``, ``fail``
4. ``ledger.head()``               the digest of the whole history
"""
