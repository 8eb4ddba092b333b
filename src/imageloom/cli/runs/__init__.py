"""``imageloom run`` and ``imageloom runs``."""
