"""Networks: which there are, how they are built, where weights come from, how models are stored."""
