"""The report: one self-contained page per deletion, for people who have never heard of unlearning.

``gathering`` collects the facts from what a deletion left behind, ``page`` renders them. In between, each
file turns facts into one kind of thing: ``story`` into sentences, ``tables`` into rows, ``figures`` into
drawings, which ``inline`` makes part of the page. ``words``, ``measurements`` and ``numbers`` are how all of
them speak.
"""
