"""Deletion requests: their file, their ledger, and a worker's claim on them.

May use ``storage``, ``data`` and below. Begin with ``request_file``: a request is checked against the data
before anything is written, and ``copies`` of what it names that would stay are refused; ``typed`` tells of a
refusal in the words of whoever typed the request, and ``forgotten`` which earlier request forgot something.
``bulk`` reads many from a CSV or JSON file, whose ``rows`` are checked one by one. ``ledger`` records what
arrived and what became of it, ``claims`` is a worker's hold on what it serves, ``runs`` records each run of
a request in it, ``withdrawn`` refuses what was cancelled, ``holding`` keeps a request from being purged, and
``due`` says when a deletion is due.
"""
