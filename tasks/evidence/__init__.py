"""What proves a deletion: certificates, approvals, and the store that keeps them.

May use ``requests``, ``computing`` and below. Begin with ``certification``, which gathers and signs a
certificate; ``judged`` does so for a model that Lethe did not make. ``verification`` checks one on its own,
and ``telling`` says what is in it; ``dating`` tells whether one is later than what it rests on. ``receipts``
show one person that they were in and are out. ``approving`` is a person's decision. ``bundle`` names what
belongs to a certificate, ``uploading`` puts it into S3, ``stored`` reads it back and verifies it there,
``downloading`` brings here what another machine's worker put there.
``inventories`` show that a purge left nothing; ``purged`` says what purges erased. ``heads`` compares the
ledger with what certificates say of it, and ``head_stamps`` with heads that were stamped.

What others say of a certificate is told by ``attestation``: ``stamping`` asks an authority for a time stamp,
``anchoring`` verifies it, ``witnessing`` is a second person's signature. ``papers`` writes what programs read
that know nothing of Lethe: ``model_signature`` and ``bill_of_materials``.
"""
