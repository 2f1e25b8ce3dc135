"""The hands of the pipeline: each module touches one outside system and calls the core."""
