"""The working copy: where things are, what ``params.yaml`` says, who is using it.

May use ``extensions``; every other room uses this one. Begin with ``checkout``, the paths. ``params`` reads
and writes ``params.yaml``, ``plain_yaml`` reads YAML, ``files`` writes files and folders that appear whole or
not at all, ``csv_tables`` tables for spreadsheets, ``regular`` opens files from others and nothing else in
their place, ``git`` asks git, ``environment`` finds the project and knows the clock, the versions and the
project's lock, ``software`` knows which Lethe runs and which one the project was made with, ``imports`` which
of Lethe's files a stage runs. ``log`` and ``progress`` report to the user, ``texts`` makes names fit to be
shown, and ``patience`` waits for services. ``settings`` lists the ``LETHE_…`` variables (``terms`` are how
long things are kept, ``authority`` who stamps them, ``runners`` where trainings run), ``setting`` defines
one of them, and ``variables`` is the environment that holds them. ``processes`` starts processes that end
with this one, and ``begun`` notes what has to be closed if it is killed. ``names`` refuses file names that
leave their folder, ``planted`` files that git must not bring, and ``own_modules`` finds the modules of a
project that somebody has named. ``linked`` makes a folder that works like a checkout. ``tags`` names what
MLflow and Prefect search by.
"""
