"""Comparing methods in many cases, independently of the checkout's own request.

``cases`` says what is forgotten and with which seed, ``scratch`` gives each case its own folder that shares
data, parent and references with the checkout, ``plan`` names what is wanted and finds what exists,
``forecast`` says what the rest would take, ``runs`` does one run and ``kept`` stores its row.
``adversaries`` run on the checkout's own request instead, to test its gate.
``leaderboard`` writes the results. May use every room but ``lifecycle``.
"""
