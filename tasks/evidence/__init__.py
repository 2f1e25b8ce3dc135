"""What proves a deletion: certificates, approvals, and the store that keeps them.

May use ``requests``, ``computing`` and below. Begin with ``certification``, which gathers and signs a
certificate. ``verification`` checks one on its own; ``dating`` tells whether one is later than what it rests
on. ``receipts`` show one person that they were in and are out. ``approving`` is a person's decision.
``bundle`` names what belongs to a certificate, ``uploading`` puts it into S3, ``stored`` reads it back and
verifies it there. ``inventories`` show that a purge left nothing; ``purged`` says what purges erased.
``heads`` compares the ledger with what certificates say of it.
"""
