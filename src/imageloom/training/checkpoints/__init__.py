"""What a run needs to go on to the same weights: written whole, read back exactly."""
