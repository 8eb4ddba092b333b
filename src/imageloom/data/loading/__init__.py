"""Batches for a network: which pictures, read and transformed where."""
