"""Archives of pictures, unpacked by our own writers, which check everything first."""
