"""The stages of ``dvc.yaml``, one file each: plain functions that both drivers run.

``code → dataset → parent → moments → split → unlearn → certify``
"""
