"""The directory of a training run: its record, its pictures, what it reports, and how it ended."""
