"""Pictures at addresses such as ``s3://bucket/photos``, through a checked copy on this machine."""
