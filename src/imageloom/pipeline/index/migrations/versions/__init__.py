"""One file per version, named after it."""
