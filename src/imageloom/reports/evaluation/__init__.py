"""The sections of a report on scored tables."""
