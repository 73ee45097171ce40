"""The S3 engine: memory and propagation, frame by frame."""
