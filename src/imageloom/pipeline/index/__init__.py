"""An index of the runs in a database: quick to list, and made again from the files at any time."""
