"""Get a benchmark from its host."""
