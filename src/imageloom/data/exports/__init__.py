"""Image directories in the forms that other programs read."""
