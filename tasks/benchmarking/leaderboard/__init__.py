"""The leaderboard of a comparison: ``board`` makes it from rows, ``writing`` writes every form of it.

``words`` is how all forms state a gap: with its interval, or that a single case has none.
"""
