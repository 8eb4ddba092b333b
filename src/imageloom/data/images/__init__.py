"""Image directories as values and as files, and what can be found out about them."""
