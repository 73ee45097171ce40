"""The S3 network."""
