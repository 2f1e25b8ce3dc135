"""What other packages offer: methods, metrics and sources of data, found by their entry points.

Uses only the core; every other room may use this one. Begin with ``discovery``: which packages offer what
under which name, and how an offer is loaded, which happens only when it is asked for. ``catalogues`` lists
other packages' methods and metrics beside Lethe's. ``settings`` are those of a source of data, without which
``params.yaml`` cannot be read. ``code`` is the digest of a package's code, for records and cache keys;
``listing`` names the code of other packages that each stage runs.
"""
