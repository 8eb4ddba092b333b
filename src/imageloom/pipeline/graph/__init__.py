"""Pipelines as plain values: their nodes and edges, their order, and their JSON."""
