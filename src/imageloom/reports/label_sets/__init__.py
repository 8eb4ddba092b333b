"""Parts of the report on pictures that may have several labels each."""
