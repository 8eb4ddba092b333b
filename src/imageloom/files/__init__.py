"""Files and folders that are whole or absent, locked or free, ours or a stranger's."""
