"""Models that pretend to have forgotten: what a gate must not be fooled by.

Each is a ``Method``: it runs, is recorded and is measured like any other. None is in the catalogue of
methods, and ``names`` refuses a ladder or ``params.yaml`` that names one. Begin with ``suite``, which lists
them all, with two methods of the catalogue in settings that hide more than they remove.

``suppression`` lowers logits by a bias, ``mixing`` rewrites the head and can be inverted exactly,
``head_training`` trains the head alone, or everything, towards other classes, ``recognition`` learns the
judged images by heart, and ``long_ascent`` ruins the model. ``heads`` finds a net's last layer.
"""
