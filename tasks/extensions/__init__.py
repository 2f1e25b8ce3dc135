"""What somebody else's packages bring: methods, metrics and sources of data, found by their entry points.

Uses the core alone; every other room may use this one. Begin with ``discovery``: which packages offer what
under which name, and how one is loaded, which happens only where it is asked for. ``catalogues`` has the
methods and metrics of others beside Lethe's own. ``settings`` are those of a source of data, without which
``params.yaml`` cannot be read. ``code`` is the digest of a package's code, for records and for all that is
kept by what it depends on; ``listing`` names what each stage runs of others' code.
"""
