"""``imageloom data``."""
