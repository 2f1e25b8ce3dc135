"""Unlearning, its evaluation and its evidence, as a library of plain functions.

Handed models, data, times and seeds, the core returns values; it opens no file, clock, environment
or network. A reader's tour, in the order of one deletion:

1. ``records``     what is written down: requests, cards, evaluations, policies, certificates
2. ``selection``   which rows a request means, and what is left
3. ``models``, ``data``, ``training``   a net, its samples, the one training loop
4. ``layers``, ``moments``, ``subspaces``   the statistic that the projection methods share;
   ``importance``, ``distillation``, ``relabelling``, ``freezing``   what the others do
5. ``method``, ``methods``   what a method is, and one file for each
6. ``routing``     which methods can serve a request, and why the others cannot
7. ``unlearning``  ``unlearn(method, model, materials, seed=…)``
8. ``metric``, ``metrics``, ``evaluating``   ``evaluate(metrics, subject, seed=…)``
9. ``audit``       pure rules over records: the gate, the certificate, the signed envelope, the ledger,
   groups of requests, rows of request files, the comparison of a replay
10. ``catalogue``, ``conformance``   classes by their names, and what every method and metric keeps to

The package imports nothing on its own; take the module that you need.
"""
