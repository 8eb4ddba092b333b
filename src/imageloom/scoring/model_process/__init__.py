"""A model that stays warm in a process of its own, for a server that must not load torch."""
