"""Outputs kept by the digest of their bytes, what people upload, and what may be removed."""
