"""Slurm by its own commands: batch scripts, the queue, and what is written down of a job."""
