"""A cluster that Slurm looks after, by its own commands."""

from imageloom.targets.slurm import target as target  # declares the kind
