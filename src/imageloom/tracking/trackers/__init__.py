"""What trackers there are, one file each."""
