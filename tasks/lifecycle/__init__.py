"""Operations on a whole project: adopting a model, and releasing, publishing and replaying a deletion.

May use every room but ``benchmarking``. ``initialising`` makes a project, ``upgrading`` moves it to another
Lethe. ``refusals`` are what a command checks before it loads anything heavy; ``foreseeing`` tells what a
deletion will do before it starts. ``adopting`` makes a model that was ``trained_elsewhere`` the start of
deletions, ``fitting`` loads its weights, ``claims`` are what is claimed of it, and ``outlook`` what
deletions on it can get; ``choosing`` names the images to train on; ``standing`` tells whether a request is
new, unfinished or served; ``releases`` makes a released model the start of the next deletion; ``projects``
is the git repository of a model and a worker's clone of it, to which ``publishing`` commits; ``replaying``
finds where a certified deletion can be run again, and ``foreign_code`` what code that would run; ``pins``
are the ``.dvc`` files that a certificate covers. ``held_models`` are those that ``lethe verify`` compares.
``candidates`` are models that others made, handed in to be judged in the folder that ``judging`` makes.
``sparing`` says what a purge leaves alone. ``cut_short`` closes what a killed command left open.
"""
