"""The report of a run of a pipeline: one self-contained HTML file."""
