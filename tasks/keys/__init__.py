"""The signing key and the pseudonym key: made, found, used, and refused if others can read them.

May use ``checkout``. Begin with ``signing``: it signs a statement, verifies a certificate, and turns the id
of a sample or a subject into a pseudonym (``pseudonymise``). ``folder`` is where keys are.
"""
