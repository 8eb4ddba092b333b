"""The engine: pipelines as values, their checks, runs, cache and store. It knows no tensor."""
