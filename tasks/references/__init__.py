"""Retrained models and shadow models, by which a deletion is judged: planned, estimated, trained, kept.

May use ``requests``, ``computing`` and below. Begin with ``gathering``, which gives a run what its policy
asks for. ``plan`` says which there should be, ``retrained`` where each is kept, ``estimating`` and
``trials`` what training the missing ones would take, ``building`` trains them in parallel, in
processes that run ``training_process``. ``shadows`` makes shadow models unlearn; ``aiming`` finds
the one more that searches aim at; ``summary`` reports the results.
"""
