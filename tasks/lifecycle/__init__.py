"""What happens to a whole project: a model adopted, a deletion released, published, and run again.

May use every room but ``benchmarking``. ``initialising`` makes a project, ``upgrading`` takes it over to
another Lethe. ``adopting`` makes a model that was ``trained_elsewhere`` the start of deletions; ``standing``
tells whether a request is new, unfinished or served; ``releases`` makes what was released the start of the
next; ``projects`` is the git repository of a model and a worker's clone of it, to which ``publishing``
commits; ``replaying`` finds where a certified deletion can be run again.
"""
