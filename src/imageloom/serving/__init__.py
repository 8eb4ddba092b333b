"""A trained model that answers over HTTP: ``imageloom serve``."""
