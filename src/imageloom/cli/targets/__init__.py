"""``imageloom targets``."""
