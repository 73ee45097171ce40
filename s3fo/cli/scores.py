"""Commands about scores: evaluate."""
