"""The working copy: where things are, what ``params.yaml`` says, who is using it.

May use ``extensions``; every other room uses this one. Begin with ``checkout``, the paths. ``params`` reads
and writes ``params.yaml``, ``files`` writes files and folders that appear whole or not at all, ``git`` asks
git, ``environment`` finds the project and knows the clock, the versions and the project's lock, ``software``
knows which Lethe runs and which one the project was made with, ``imports`` which of Lethe's files a stage
runs. ``log`` and ``progress`` report to the user, and ``patience`` waits for services.
``processes`` starts processes that end with this one, and ``begun`` notes what has to be closed if it is
killed. ``settings`` lists the ``LETHE_…`` variables, ``setting`` defines one of them, and ``variables`` is
the environment that holds them. ``tags`` names what MLflow and Prefect search by.
"""
