"""Calibrating a model once, so that requests can be judged without a retrained model each.

``planning`` draws pseudo-requests and finds what was measured before, ``foretelling`` says what the rest
would take, ``measuring`` trains and measures it in processes that run ``measuring_process``, ``judging``
makes the bands and counts what they pass, and ``keeping`` writes the record where policies find it. May use
every room.
"""
