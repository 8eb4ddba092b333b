"""The sections of a report on a training run."""
