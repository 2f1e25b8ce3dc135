"""The hands of the pipeline, in rooms: each touches one kind of thing outside and calls the core.

Each room's own ``__init__`` says what it is, what it may use, and where to begin. Top to bottom, a room uses
only what stands below it, and not its neighbour:

``lifecycle``, ``benchmarking``     what happens to a whole project; methods compared
``tracking``, ``orchestration``     MLflow; Prefect
``report``                          one page for people about a deletion
``measuring``                       evaluation, drift, the search for settings
``evidence``, ``references``        certificates and their store; retrained models to judge by
``requests``, ``computing``         requests and their ledger; training, unlearning, observing
``storage``, ``data``               DVC and S3; data sets, from source to batch
``keys``                            the signing key and the pseudonym key
``checkout``                        the working copy: paths, parameters, lock, git, progress
``extensions``                      methods, metrics and sources that other packages bring
"""
