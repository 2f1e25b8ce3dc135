"""The sentence: which task follows which, and nothing else."""
