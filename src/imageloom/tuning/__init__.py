"""A search for the best parameters of a pipeline: each trial of it is a run."""
