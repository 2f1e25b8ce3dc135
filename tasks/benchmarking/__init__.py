"""Comparing methods in many cases, beside the checkout's own request and never in its way.

``cases`` says what is forgotten and with which seed, ``scratch`` gives each case a folder of its own that
shares data, parent and references with the checkout, ``statistics`` takes the second moments that all cases
share, ``plan`` names what is wanted and finds what is there, ``forecast`` says what the rest would take,
and ``runs`` does one run and ``kept`` remembers it. ``leaderboard`` writes what came out. May use every
room but ``lifecycle``.
"""
