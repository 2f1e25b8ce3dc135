"""The signing key and the pseudonym key: made, found, used, and refused if others can read them.

May use ``checkout``. Begin with ``signing``: it signs a statement, verifies a certificate, and turns the id
of a sample or a subject into a pseudonym (``pseudonymise``). ``folder`` is where keys are, ``trust``
reads the public keys that others are believed by, ``points`` tells which of them anybody could sign with.
``marks`` are what is kept of forgotten pictures, ``outlines`` what is looked for once rows are purged.
``ring`` has the pseudonym keys of a tenant, rotates and destroys them; ``releasing`` derives the key that
released models are signed with.
"""
