"""``imageloom users``: who may sign in to a studio that listens on a network."""
