"""Curves as files: a row for every value, written at every step and read while they grow."""
