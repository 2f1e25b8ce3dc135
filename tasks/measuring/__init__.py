"""Measuring a model: evaluation, drift, and the search for a method's settings.

May use ``evidence``, ``references`` and below. Begin with ``evaluation``: one checkpoint, each view of the
data observed once. ``metrics`` are those that a policy asks for beside Lethe's own. ``drift`` is how far a
sequence of deletions has carried a model, and ``earlier`` what it still knows of what they forgot.
``calibrated`` finds the calibration that stands in for retrained models, where it holds for the request.
``tuning`` searches, on the rows of ``tuning_pool`` alone, and ``studies`` are Optuna's.
"""
