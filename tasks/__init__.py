"""Everything that touches the outside world, in rooms: each handles one kind of thing and calls the core.

Each room's ``__init__`` says what it is, what it may use, and where to begin. A room uses only the rooms
below it in this list, never its neighbour:

``lifecycle``, ``benchmarking``     what happens to a whole project; methods compared
``tracking``, ``orchestration``     MLflow; Prefect
``report``                          one page about a deletion, for people
``measuring``                       evaluation, drift, the search for settings
``evidence``, ``references``        certificates and their store; retrained models to judge by
``requests``, ``computing``         requests and their ledger; training, unlearning, observing
``storage``, ``data``               DVC and S3; data sets, from source to batch
``keys``                            the signing key and the pseudonym key
``checkout``                        the working copy: paths, parameters, lock, git, progress
``extensions``                      methods, metrics and sources from other packages
"""
