"""The vocabulary of the designer: plain values, no tensors, no files."""
