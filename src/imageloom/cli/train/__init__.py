"""Training, its logs, and the machines that join it."""
