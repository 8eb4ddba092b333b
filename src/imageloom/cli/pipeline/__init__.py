"""``imageloom pipeline``."""
