"""The working copy: where things lie, what ``params.yaml`` says, who is at work in it.

May use ``extensions``; every other room uses this one. Begin with ``checkout``, the paths. ``params`` reads
and writes ``params.yaml``, ``files`` writes files and folders that appear whole or not at all, ``git`` asks
git, ``environment`` finds the project and knows the clock, the versions and the project's lock, ``software``
which Lethe runs and which one the project was made with, ``imports`` which of Lethe's files a stage runs.
``log`` and ``progress`` speak to whoever waits, and ``patience`` waits for services.
``settings`` lists what ``LETHE_…`` variables say, ``setting`` is what one of them is, and ``variables`` is
the environment that they stand in. ``tags`` names what MLflow and Prefect find again.
"""
