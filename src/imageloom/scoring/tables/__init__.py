"""Scored tables: as a value, as files, and read back also where a stranger wrote them."""
