"""Image directories: pictures with their labels, where they lie, and how they are read."""
