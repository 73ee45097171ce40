"""Videos segmented again with corrections: what `s3fo.correct` runs."""
