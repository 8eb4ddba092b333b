"""The studio: a page in which pipelines are drawn, run and looked at, and the API behind it."""
