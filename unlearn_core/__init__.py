"""Unlearning, its evaluation and its evidence, as a library of plain functions.

Given models, data, times and seeds, the core returns values; it opens no file and reads no clock, environment
or network. The modules, in the order of one deletion:

1. ``records``     what is written down: requests, cards, evaluations, policies, certificates
2. ``selection``   which rows a request covers, and which are left; ``fingerprints``   the same picture
3. ``models``, ``data``, ``training``   a net, its samples, the one training loop;
   ``image_formats``   the images that are read
4. ``layers``, ``moments``, ``subspaces``   the statistic that the projection methods share;
   ``importance``, ``distillation``, ``relabelling``, ``freezing``   what the other methods use
5. ``method``, ``methods``   what a method is, and one file for each;
   ``tuning``, ``aiming``, ``stopping``, ``objective``   how searches score candidates, and when they end
6. ``routing``     which methods can serve a request, and why the others cannot
7. ``unlearning``  ``unlearn(method, model, materials, seed=…)``; ``coverage``   its report and what moved;
   ``ranks``, ``data_parallel``   several devices for one deletion
8. ``metric``, ``metrics``, ``evaluating``   ``evaluate(metrics, subject, seed=…)``;
   ``viewing``, ``depths``, ``fresh_head``, ``relearning``   what models are shown, and looks inside
9. ``audit``       pure rules over records: the gate, the certificate, the signed envelope, the ledger,
   receipts, groups of requests, rows of request files, the comparison of a replay
10. ``catalogue``, ``conformance``   classes by name, and the checks that every method and metric passes

The package itself imports nothing; import the modules that you need.
"""
