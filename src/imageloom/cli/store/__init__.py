"""``imageloom store``."""
